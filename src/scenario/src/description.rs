//! What a world is like before anything plays in it: its size, and what choices are worth.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use linear::{Visit, linear_reach};
use serde::Serialize;

use super::dataset::Template;
use super::dataset::classification;
use super::dataset::tabular::{LIBSVM_LABEL, Table};
use super::file;
use super::format::Placed;
use diagnostic::{Place, Report, Source};
use plan::{Choice, LogKind, Plan, Population, Preference, RewardRule, Visitor, Wanted};
use protocol::{FeatureObject, FeatureValue, RankableAction};

/// For more rewards than these, of visitors times actions, the linear policy is not searched.
const MOST_REWARDS: usize = 20_000_000;

/// For more weights than these, of features times actions, it is not searched either.
const MOST_WEIGHTS: usize = 20_000_000;

/// A world.
#[derive(Debug, Clone, Serialize)]
pub struct WorldDescription {
    /// The rows of the population.
    pub visitors: usize,
    /// The context dimensions.
    pub dimensions: usize,
    /// The features of the context: one for each value of a text, one for each number.
    pub features: usize,
    /// The actions that can be chosen.
    pub actions: usize,
    /// What choices are worth; absent where that depends on what an event offers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worth: Option<Worth>,
}

/// Expected rewards of a visit, the mean over the population.
#[derive(Debug, Clone, Serialize)]
pub struct Worth {
    /// Of the best choice for each visitor.
    pub best: f64,
    /// Of a policy that is linear in the features of the context: the best does at least as well.
    /// Absent where the world is too large to search it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linear: Option<f64>,
    /// Of choosing among the actions at random, each as often.
    pub random: f64,
    /// Each action, the one first that earns most if it is always chosen.
    pub actions: Vec<ActionWorth>,
}

/// An action of a world.
#[derive(Debug, Clone, Serialize)]
pub struct ActionWorth {
    /// Its id.
    pub id: String,
    /// The share of visits for which no other is better.
    pub best_for: f64,
    /// The expected reward of choosing it always.
    pub reward: f64,
}

impl WorldDescription {
    /// The world of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let is_excluded = |id: &str| plan.excluded_actions.iter().any(|excluded| excluded == id);
        let choosable: Vec<usize> =
            (0..plan.actions.len()).filter(|at| !is_excluded(&plan.actions[*at].id)).collect();
        let is_replay = plan.log.as_ref().is_some_and(|log| log.kind == LogKind::Replay);
        let is_fixed = plan.catalogue.is_none() && !is_replay;
        let world = KnownWorld {
            population: &plan.population,
            actions: &plan.actions,
            choosable,
            reward: &plan.reward,
        };
        world.described(is_fixed)
    }

    /// The world of a classification table, with its class in the column `label`: without one that
    /// called `label`, `class` or `target`, or the last one.
    ///
    /// # Errors
    /// Everything that is wrong with the table.
    pub fn of_table(
        path: &Path,
        label: Option<&str>,
        exclude: &[String],
    ) -> Result<(Self, String), Report> {
        let source = file::read_named_table(path)?;
        let mut report = Report::new();
        let table = Table::of(&source, &mut report);
        if report.has_errors() {
            return Err(report);
        }
        let label = label.map_or_else(|| guessed_label(&table), str::to_owned);
        let label = argument("--label", &label);
        let excluded: Vec<Placed<String>> =
            exclude.iter().map(|column| argument("--exclude", column)).collect();
        let dimensions = classification::all_dimensions(&table, &label, &excluded)?;
        let world = classification::world(&table, &label, &excluded, &dimensions, &mut report);
        let Some(world) = world.filter(|_| !report.has_errors()) else { return Err(report) };
        let actions = Arc::clone(&world.offer.actions);
        let (population, _) = world.population(&dimensions, &Template::default());
        let known = KnownWorld {
            population: &population,
            actions: &actions,
            choosable: (0..actions.len()).collect(),
            reward: &RewardRule { matched: 1.0, ..RewardRule::default() },
        };
        Ok((known.described(true), label.value))
    }
}

/// The column of the class, where it is not said which it is.
fn guessed_label(table: &Table) -> String {
    let header = table.records().next().unwrap_or_default();
    let known = [LIBSVM_LABEL, "class", "target"];
    let named = known.into_iter().find(|name| header.iter().any(|column| column == *name));
    named.or_else(|| header.iter().next_back()).unwrap_or_default().to_owned()
}

fn argument(option: &str, value: &str) -> Placed<String> {
    let place = Place::new(&Source::new(option, value), 0..value.len());
    Placed { value: value.to_owned(), key: place.clone(), place, is_written: true }
}

/// A world in which it is known what every choice is worth.
struct KnownWorld<'a> {
    population: &'a Population,
    actions: &'a [RankableAction],
    /// The actions that can be chosen, by their indices.
    choosable: Vec<usize>,
    reward: &'a RewardRule,
}

impl KnownWorld<'_> {
    fn described(&self, is_fixed: bool) -> WorldDescription {
        let mut columns = Columns::default();
        let rows = &self.population.rows;
        let features: Vec<Vec<(u32, f64)>> =
            rows.iter().map(|row| columns.of(&row.features)).collect();
        WorldDescription {
            visitors: rows.len(),
            dimensions: self.population.dimensions.len(),
            features: columns.0.len(),
            actions: self.choosable.len(),
            worth: is_fixed.then(|| self.worth(features, columns.0.len())).flatten(),
        }
    }

    /// None, if some visitor wants what depends on the offer.
    fn worth(&self, features: Vec<Vec<(u32, f64)>>, columns: usize) -> Option<Worth> {
        let rows = &self.population.rows;
        let mut sums = vec![Sums::default(); self.choosable.len()];
        let (mut best, mut random, mut weights) = (0.0, 0.0, 0.0);
        let is_searched = rows.len().saturating_mul(self.choosable.len()) <= MOST_REWARDS
            && columns.saturating_mul(self.choosable.len()) <= MOST_WEIGHTS;
        let mut visits = Vec::new();
        for (row, features) in rows.iter().zip(features) {
            let rewards = self.rewards(row)?;
            let offered = || rewards.iter().flatten().copied();
            let highest = offered().fold(f64::NEG_INFINITY, f64::max);
            let count = offered().map(|_| 1.0).sum::<f64>();
            best += row.weight * highest;
            random += row.weight * offered().sum::<f64>() / count;
            weights += row.weight;
            for (sums, reward) in sums.iter_mut().zip(&rewards) {
                let Some(reward) = reward else { continue };
                sums.reward += row.weight * reward;
                sums.best_for += if *reward >= highest { row.weight } else { 0.0 };
            }
            if is_searched {
                visits.push(Visit { features, weight: row.weight, rewards });
            }
        }
        let action = |(at, sums): (&usize, &Sums)| ActionWorth {
            id: self.actions[*at].id.to_string(),
            best_for: sums.best_for / weights,
            reward: sums.reward / weights,
        };
        let mut actions: Vec<ActionWorth> = self.choosable.iter().zip(&sums).map(action).collect();
        actions.sort_by(|one, other| other.reward.total_cmp(&one.reward));
        Some(Worth {
            best: best / weights,
            linear: is_searched.then(|| linear_reach(&visits, columns)),
            random: random / weights,
            actions,
        })
    }

    /// What each action that can be chosen is worth to a visitor, if it is offered to them.
    fn rewards(&self, row: &Visitor) -> Option<Vec<Option<f64>>> {
        let wanted = match &row.preference {
            Preference::Action(preferred) => Wanted::Action(*preferred),
            Preference::Rewards(rewards) => Wanted::Rewards(rewards),
            Preference::Liking(_) => return None,
        };
        let reward = |index: usize| {
            let position = match &row.actions {
                Some(own) => own.iter().position(|of| *of == index)?,
                None => index,
            };
            let action = match &row.offered {
                Some(offered) => &offered[position],
                None => &self.actions[index],
            };
            Some(self.reward.expected(Choice { wanted, context: &row.features, index, action }))
        };
        Some(self.choosable.iter().map(|index| reward(*index)).collect())
    }
}

#[derive(Clone, Default)]
struct Sums {
    reward: f64,
    best_for: f64,
}

/// The numbers of features by their names.
#[derive(Default)]
struct Columns(HashMap<String, u32>);

impl Columns {
    /// The features of a context that are not zero.
    fn of(&mut self, context: &[FeatureObject]) -> Vec<(u32, f64)> {
        let mut features = Vec::new();
        context.iter().for_each(|object| self.add_object("", object, &mut features));
        features
    }

    fn add_object(&mut self, path: &str, object: &FeatureObject, to: &mut Vec<(u32, f64)>) {
        object.0.iter().for_each(|(name, value)| self.add(&format!("{path}.{name}"), value, to));
    }

    fn add(&mut self, path: &str, value: &FeatureValue, to: &mut Vec<(u32, f64)>) {
        match value {
            FeatureValue::Null | FeatureValue::Bool(false) => {}
            FeatureValue::Bool(true) => to.push((self.number(path), 1.0)),
            FeatureValue::Text(text) => to.push((self.number(&format!("{path}={text}")), 1.0)),
            FeatureValue::Number(number) => {
                let number = number.as_f64().unwrap_or_default();
                let column = self.number(path);
                if number != 0.0 {
                    to.push((column, number));
                }
            }
            FeatureValue::List(values) => values.iter().for_each(|value| self.add(path, value, to)),
            FeatureValue::Object(object) => self.add_object(path, object, to),
        }
    }

    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.0.get(name) {
            return *number;
        }
        let number = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        self.0.insert(name.to_owned(), number);
        number
    }
}
