use std::sync::Arc;

use foldhash::HashMap;

use super::action_numbers::{ActionNumbers, NumberedList};
use super::rank_rules::{check_features, check_id, has_feature};
use protocol::RankableAction;

/// Lists of actions, checked by what is known of each action: lists of many are drawn from few.
#[derive(Debug, Default, Clone)]
pub(crate) struct CheckedActions {
    /// By the numbers of the actions.
    found: Vec<Option<CheckedAction>>,
    /// The epoch of these numbers.
    epoch: u64,
    /// The numbers of ids.
    ids: HashMap<Arc<str>, u32>,
    /// A bit for each number of an id: whether the list that is looked at has it.
    marks: Vec<u64>,
}

#[derive(Debug, Clone, Copy)]
struct CheckedAction {
    /// The number of its id.
    id: u32,
    /// The number of values of its features.
    values: u32,
}

const BITS: usize = u64::BITS as usize;

impl CheckedActions {
    /// Refuses lists that break a rule. Returns the number of values.
    pub fn check(
        &mut self,
        actions: &Arc<[RankableAction]>,
        numbers: &mut ActionNumbers,
    ) -> Result<usize, String> {
        let NumberedList { numbers, known, epoch } = numbers.of_list(actions);
        if epoch != self.epoch {
            *self = Self { epoch, ..Self::default() };
        }
        self.found.resize(known, None);
        self.marks.fill(0);
        actions.iter().zip(numbers).map(|(action, number)| self.check_next(action, *number)).sum()
    }

    /// Checks an action of the list that is looked at, beside those before it.
    fn check_next(&mut self, action: &RankableAction, number: u32) -> Result<usize, String> {
        let known = self.found[number as usize];
        let id = known.map_or_else(|| self.id(&action.id), |known| Ok(known.id))?;
        let (mark, bit) = (&mut self.marks[id as usize / BITS], 1 << (id as usize % BITS));
        if *mark & bit != 0 {
            return Err(format!("two actions have the id `{}`", action.id));
        }
        *mark |= bit;
        if let Some(CheckedAction { values, .. }) = known {
            return Ok(values as usize);
        }
        let values = check_features(&action.features)?;
        if !action.features.iter().any(has_feature) {
            return Err(format!("action `{}` has no feature", action.id));
        }
        self.found[number as usize] = Some(CheckedAction { id, values: narrow(values) });
        Ok(values)
    }

    /// The number of an id that keeps the rules.
    fn id(&mut self, id: &Arc<str>) -> Result<u32, String> {
        if let Some(number) = self.ids.get(id) {
            return Ok(*number);
        }
        check_id("an action", id)?;
        let number = self.ids.len();
        self.ids.insert(id.clone(), narrow(number));
        if number / BITS >= self.marks.len() {
            self.marks.push(0);
        }
        Ok(narrow(number))
    }
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("what is in memory at once is less than 2^32")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn action(id: usize, features: &str) -> RankableAction {
        let features = serde_json::from_str(features).unwrap();
        RankableAction { id: format!("{id}").into(), features }
    }

    proptest::proptest! {
        /// Lists of actions that come again and again, some of which have the id of another.
        #[test]
        fn what_is_known_of_actions_changes_no_answer(
            lists in proptest::collection::vec(proptest::collection::vec(0..12_usize, 1..6), 1..20),
        ) {
            let features = [r#"[{"a":1}]"#, r#"[{"b":[1,2]},{}]"#, "[{}]"];
            let all: Vec<_> =
                (0..12).map(|number| action(number % 8, features[number % 5 % 3])).collect();
            let (mut known, mut numbers) = (CheckedActions::default(), ActionNumbers::default());
            let mut of_wire = (CheckedActions::default(), ActionNumbers::of_wire());
            for list in lists {
                let actions = list.iter().map(|number| all[*number].clone()).collect();
                let answer = known.check(&actions, &mut numbers);
                let alone = CheckedActions::default().check(&actions, &mut ActionNumbers::default());
                proptest::prop_assert_eq!(&answer, &alone);
                proptest::prop_assert_eq!(&answer, &of_wire.0.check(&actions, &mut of_wire.1));
                let ids: HashSet<_> = actions.iter().map(|action| &action.id).collect();
                let has_features = list.iter().all(|number| number % 5 % 3 < 2);
                proptest::prop_assert_eq!(answer.is_ok(), has_features && ids.len() == list.len());
            }
        }
    }
}
