use std::cmp::Ordering;
use std::sync::Arc;

use diagnostic::{Diagnostic, Place, Report};
use foldhash::HashMap;
use protocol::{FeatureObject, FeatureValue, RankableAction};

use crate::alike::alike;

/// A table has at most so many different actions.
pub(crate) const MOST_ACTIONS: usize = 10_000;

/// The actions of a table, in their order.
#[derive(Debug, Default)]
pub(crate) struct ActionSet {
    numbers: HashMap<Box<str>, usize>,
    ids: Vec<Arc<str>>,
    features: Vec<Vec<(String, FeatureValue)>>,
    /// How often each was taken.
    taken: Vec<u64>,
    /// All of them, with their features.
    all: Arc<[RankableAction]>,
    /// A feature that is not always the same, and of which action.
    varying: Option<(String, Arc<str>)>,
}

impl ActionSet {
    /// The number of actions.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// The number of an action.
    pub fn find(&self, id: &str) -> Option<usize> {
        self.numbers.get(id).copied()
    }

    /// The id of an action.
    pub fn id(&self, number: usize) -> &str {
        &self.ids[number]
    }

    /// How often an action was taken.
    pub fn taken(&self, number: usize) -> u64 {
        self.taken[number]
    }

    /// All actions, with their features.
    pub fn all(&self) -> &Arc<[RankableAction]> {
        &self.all
    }

    /// The number of an action that may be new; none beyond the limit.
    pub fn add(&mut self, id: &str) -> Option<usize> {
        if let Some(known) = self.find(id) {
            return Some(known);
        }
        let number = self.ids.len();
        if number == MOST_ACTIONS {
            return None;
        }
        self.numbers.insert(id.into(), number);
        self.ids.push(id.into());
        self.features.push(Vec::new());
        self.taken.push(0);
        Some(number)
    }

    /// Counts an action that was taken.
    pub fn count(&mut self, number: usize) {
        self.taken[number] += 1;
    }

    /// Notes a feature of an action; the first value counts.
    pub fn note(&mut self, number: usize, name: &str, value: FeatureValue) {
        let features = &mut self.features[number];
        match features.iter().find(|(known, _)| known == name) {
            None => features.push((name.to_owned(), value)),
            Some((_, known)) if *known != value && self.varying.is_none() => {
                self.varying = Some((name.to_owned(), self.ids[number].clone()));
            }
            Some(_) => {}
        }
    }

    /// Says which two actions are probably one, if two are.
    pub fn warn_of_alike(&self, place: &Place, report: &mut Report) {
        let Some((one, other)) = alike(self.ids.iter().map(|id| &**id)) else { return };
        let message = format!("`{one}` and `{other}` are two actions: ids are compared as written");
        let help = "if they are one, write them alike in every row";
        report.push(Diagnostic::warning(message).at(place).help(help));
    }

    /// Says which feature is not always the same, if one is.
    pub fn warn(&mut self, place: Option<&Place>, report: &mut Report) {
        let Some((feature, action)) = self.varying.take() else { return };
        let message = format!(
            "`{feature}` of the action `{action}` is not always the same: its first value counts"
        );
        let help = "make it a feature of the `context`, or name a column for each action: \
                    `features=NAME_{action}`";
        let warning = Diagnostic::warning(message).help(help);
        report.push(match place {
            Some(place) => warning.at(place),
            None => warning,
        });
    }

    /// Puts the actions in order, whatever that of the rows is: numbers by their value, then
    /// words.
    pub fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by(|one, other| compare(&self.ids[*one], &self.ids[*other]));
        self.ids = order.iter().map(|number| self.ids[*number].clone()).collect();
        let features = &mut self.features;
        self.features = order.iter().map(|number| std::mem::take(&mut features[*number])).collect();
        self.taken = order.iter().map(|number| self.taken[*number]).collect();
        let ids = self.ids.iter().enumerate();
        self.numbers = ids.map(|(number, id)| (Box::from(&**id), number)).collect();
    }

    /// Makes [`Self::all`] of what is known.
    pub fn finish(&mut self) {
        let action = |(id, features): (&Arc<str>, &Vec<(String, FeatureValue)>)| {
            let object = (!features.is_empty()).then(|| FeatureObject(features.clone()));
            RankableAction { id: id.clone(), features: object.into_iter().collect() }
        };
        self.all = self.ids.iter().zip(&self.features).map(action).collect();
    }
}

fn compare(one: &str, other: &str) -> Ordering {
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b).then_with(|| one.cmp(other)),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => one.cmp(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_stand_in_an_order_that_rows_do_not_change() {
        for ids in [["10", "b", "9", "a"], ["a", "9", "10", "b"]] {
            let mut actions = ActionSet::default();
            for id in ids {
                let number = actions.add(id).unwrap();
                actions.note(number, "name", FeatureValue::Text(id.to_owned()));
                actions.count(number);
            }
            actions.sort();
            actions.finish();
            let found: Vec<&str> = actions.all().iter().map(|action| &*action.id).collect();
            assert_eq!(found, ["9", "10", "a", "b"]);
            for (number, action) in actions.all().iter().enumerate() {
                assert_eq!(actions.find(&action.id), Some(number));
                let expected = FeatureValue::Text(action.id.to_string());
                assert_eq!(action.features[0].0[0].1, expected);
            }
        }
    }
}
