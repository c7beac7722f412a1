//! What a visitor does with a choice, and what that is worth.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::Formula;
use protocol::{FeatureObject, RankableAction};

/// What a visitor wants.
#[derive(Debug, Clone, Serialize)]
pub enum Preference {
    /// One action, by its index in the plan: they click on it and on no other.
    #[serde(rename = "preferred")]
    Action(usize),
    /// Each action to some extent.
    #[serde(rename = "rewards")]
    Rewards(ActionRewards),
    /// Of the actions that are offered that whose traits they like most in sum: how much they
    /// like each trait ([`crate::ActionState::traits`]).
    #[serde(rename = "liking")]
    Liking(Arc<[f64]>),
}

/// What a visitor wants of the actions of one event.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// One action, by its index in the plan.
    Action(usize),
    /// Each action to some extent.
    Rewards(&'a ActionRewards),
}

/// A probability of a click, or a mean reward, for each action. Zero where none is given.
#[derive(Debug, Clone, Serialize)]
pub struct ActionRewards(Arc<[(usize, f64)]>);

impl ActionRewards {
    /// Rewards by the index of the action in the plan; of one that comes twice, the first.
    #[must_use]
    pub fn new(mut rewards: Vec<(usize, f64)>) -> Self {
        rewards.sort_by_key(|(action, _)| *action);
        rewards.dedup_by_key(|(action, _)| *action);
        Self(rewards.into())
    }

    /// The reward of an action.
    #[must_use]
    pub fn of(&self, action: usize) -> f64 {
        let found = self.0.binary_search_by_key(&action, |(known, _)| *known);
        found.map_or(0.0, |at| self.0[at].1)
    }

    /// The rewards that are given, by the index of the action.
    pub fn given(&self) -> impl Iterator<Item = (usize, f64)> {
        self.0.iter().copied()
    }
}

/// How a choice becomes a reward.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RewardRule {
    /// The reward of a click: of the choice of the preferred action, where one is preferred.
    pub matched: f64,
    /// The reward without a click, where the table has no entry.
    pub otherwise: f64,
    /// Rewards by (index of the preferred action, index of the chosen action).
    #[serde(serialize_with = "pairs")]
    pub table: BTreeMap<(usize, usize), f64>,
    /// The probability with which a visitor answers the opposite: a click where they do not
    /// click, and none where they do.
    pub noise: f64,
    /// The standard deviation of rewards about their mean. If there is one, the rewards of a
    /// visitor are means, else probabilities of a click.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviation: Option<f64>,
    /// The reward of a click by the index of the chosen action, instead of `matched`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<usize, f64>,
    /// The reward, computed from whether there was a click.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formula: Option<Formula>,
}

/// An action that was chosen for a visitor.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'a> {
    /// What the visitor wants.
    pub wanted: Wanted<'a>,
    /// The context of the visitor.
    pub context: &'a [FeatureObject],
    /// The index of the action in the plan.
    pub index: usize,
    /// The action.
    pub action: &'a RankableAction,
}

/// What chance adds to an answer.
#[derive(Debug, Clone, Copy)]
pub struct Chance {
    /// Whether the visitor answers the opposite.
    pub is_opposite: bool,
    /// Uniform in `[0, 1)`: below the probability of a click, there is one.
    pub click: f64,
    /// Standard normal.
    pub deviation: f64,
}

impl RewardRule {
    /// The reward of one answer.
    #[must_use]
    pub fn reward(&self, of: Choice<'_>, chance: Chance) -> f64 {
        if let Some(deviation) = self.deviation {
            return self.mean(of) + deviation * chance.deviation;
        }
        match of.wanted {
            Wanted::Action(preferred) if chance.is_opposite => {
                self.worth(of, preferred != of.index)
            }
            Wanted::Action(preferred) => self.honest(of, preferred),
            Wanted::Rewards(rewards) => {
                let clicks = chance.click < rewards.of(of.index);
                self.worth(of, clicks != chance.is_opposite)
            }
        }
    }

    /// The mean over all that chance may add.
    #[inline]
    #[must_use]
    pub fn expected(&self, of: Choice<'_>) -> f64 {
        if self.deviation.is_some() {
            return self.mean(of);
        }
        match of.wanted {
            Wanted::Action(preferred) => {
                let honest = (1.0 - self.noise) * self.honest(of, preferred);
                honest + self.noise * self.worth(of, preferred != of.index)
            }
            Wanted::Rewards(rewards) => {
                let clicks = rewards.of(of.index);
                let clicks = (1.0 - self.noise) * clicks + self.noise * (1.0 - clicks);
                clicks * self.worth(of, true) + (1.0 - clicks) * self.worth(of, false)
            }
        }
    }

    /// The mean of a reward that varies about it.
    fn mean(&self, of: Choice<'_>) -> f64 {
        match of.wanted {
            Wanted::Action(preferred) => self.honest(of, preferred),
            Wanted::Rewards(rewards) => rewards.of(of.index),
        }
    }

    /// The reward of a visitor who prefers one action and answers as they think.
    fn honest(&self, of: Choice<'_>, preferred: usize) -> f64 {
        let found = self.table.get(&(preferred, of.index)).copied();
        found.unwrap_or_else(|| self.worth(of, preferred == of.index))
    }

    /// What a click is worth, or none.
    fn worth(&self, of: Choice<'_>, clicked: bool) -> f64 {
        match &self.formula {
            Some(formula) => formula.value(of, clicked),
            None if clicked => self.values.get(&of.index).copied().unwrap_or(self.matched),
            None => self.otherwise,
        }
    }
}

/// JSON has no keys of two numbers.
fn pairs<S: Serializer>(
    table: &BTreeMap<(usize, usize), f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(table)
}

#[cfg(test)]
mod tests {
    use super::super::formula::{self, Name, Variable};
    use super::*;
    use crate::Visitor;
    use protocol::FeatureValue;
    use serde_json::Number;

    fn visitor(preference: Preference) -> Visitor {
        Visitor {
            context: [].into(),
            features: [].into(),
            preference,
            actions: None,
            weight: 1.0,
            offered: None,
            logged: None,
        }
    }

    fn action(price: u32) -> RankableAction {
        let price = ("price".to_owned(), FeatureValue::Number(Number::from(price)));
        RankableAction { id: "a".into(), features: [FeatureObject(vec![price])].into() }
    }

    /// The mean of rewards over a grid of everything that chance may add.
    fn mean(rule: &RewardRule, of: Choice<'_>) -> f64 {
        let steps = 1000;
        let rewards = (0..steps).map(|step| {
            let click = (f64::from(step) + 0.5) / f64::from(steps);
            let reward =
                |is_opposite| rule.reward(of, Chance { is_opposite, click, deviation: 0.0 });
            (1.0 - rule.noise) * reward(false) + rule.noise * reward(true)
        });
        rewards.sum::<f64>() / f64::from(steps)
    }

    #[test]
    fn what_is_expected_is_the_mean_of_what_is_rewarded() {
        let clicks =
            |noise| RewardRule { matched: 1.0, otherwise: -0.5, noise, ..RewardRule::default() };
        let term = formula::parse("{{ clicked * price - 2 }}").unwrap();
        let root = term.resolve(&mut |name: &Name| {
            Some(match name.name.as_str() {
                "clicked" => Variable::Clicked,
                other => Variable::OfAction(other.into()),
            })
        });
        let formula = Some(Formula::new("a formula", root.unwrap()));
        let rules = [
            clicks(0.0),
            clicks(0.25),
            RewardRule { values: BTreeMap::from([(0, 7.0), (1, 3.0)]), ..clicks(0.1) },
            RewardRule { table: BTreeMap::from([((1, 0), 0.25)]), ..clicks(0.1) },
            RewardRule { formula, ..clicks(0.1) },
            RewardRule { deviation: Some(0.3), ..clicks(0.0) },
        ];
        let rewards = ActionRewards::new(vec![(1, 0.3), (0, 0.08)]);
        for wanted in [Wanted::Action(1), Wanted::Rewards(&rewards)] {
            for rule in &rules {
                for index in 0..3 {
                    let action = &action(5);
                    let of = Choice { wanted, context: &[], index, action };
                    let (expected, found) = (rule.expected(of), mean(rule, of));
                    assert!((expected - found).abs() < 1e-9, "{rule:?}: {expected}, {found}");
                }
            }
        }
    }

    #[test]
    fn a_plan_whose_visitors_prefer_an_action_is_written_as_before() {
        let text = serde_json::to_string(&visitor(Preference::Action(3))).unwrap();
        assert_eq!(text, r#"{"context":[],"features":[],"preferred":3,"weight":1.0}"#);
        let text = serde_json::to_string(&RewardRule { matched: 1.0, ..RewardRule::default() });
        assert_eq!(text.unwrap(), r#"{"matched":1.0,"otherwise":0.0,"table":[],"noise":0.0}"#);
    }
}
