use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::dsjson::cost;
use super::interaction::{Activation, Interaction};
use crate::clock::Timestamp;
use crate::learner::Label;
use crate::protocol::{LearningMode, RewardAggregation, ServiceConfiguration};

/// Events whose reward windows are open, in the order in which these close.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    open: BTreeMap<Key, Open>,
    keys: HashMap<Arc<str>, Key>,
    opened: u64,
}

#[derive(Debug)]
struct Open {
    interaction: Interaction,
    /// Whether its line was handed out as it stood.
    taken: bool,
}

/// When a window closes; windows that close at once, in the order of their Rank calls.
type Key = (Timestamp, u64);

/// An event with what came of it.
#[derive(Debug, Clone)]
pub(super) struct Joined {
    pub interaction: Interaction,
    /// What the visitor gave: the rewards as one, or the default.
    pub original_reward: f64,
    /// What the learner is told.
    pub reward: f64,
    pub learnable: bool,
}

impl Joiner {
    /// Opens the window of an event.
    pub fn open(&mut self, interaction: Interaction, deadline: Timestamp) {
        let key = (deadline, self.opened);
        self.opened += 1;
        self.keys.insert(interaction.event_id.clone(), key);
        self.open.insert(key, Open { interaction, taken: false });
    }

    /// The event, if its window is open.
    pub fn event(&mut self, event_id: &str) -> Option<&mut Interaction> {
        let key = self.keys.get(event_id)?;
        self.open.get_mut(key).map(|open| &mut open.interaction)
    }

    /// When the next window closes.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.open.keys().next().map(|(deadline, _)| *deadline)
    }

    /// Closes the window that closes next; also, whether its event was taken before.
    pub fn close(&mut self) -> Option<(Interaction, bool)> {
        let (_, Open { interaction, taken }) = self.open.pop_first()?;
        self.keys.remove(&interaction.event_id);
        Some((interaction, taken))
    }

    /// The events whose windows are open, as they stand, each once.
    pub fn take(&mut self) -> impl Iterator<Item = Interaction> {
        let untaken = self.open.values_mut().filter(|open| !open.taken);
        untaken.map(|open| {
            open.taken = true;
            open.interaction.clone()
        })
    }

    /// The events whose windows are open.
    pub fn iter(&self) -> impl Iterator<Item = &Interaction> {
        self.open.values().map(|open| &open.interaction)
    }

    /// Forgets every event.
    pub fn clear(&mut self) {
        self.open.clear();
        self.keys.clear();
    }
}

impl Interaction {
    /// What comes of the event if its window closes as it stands.
    pub fn joined(self, configuration: &ServiceConfiguration) -> Joined {
        let rewards = if self.activation == Activation::Awaited { &[] } else { &self.rewards[..] };
        let aggregate = aggregate(rewards, configuration.reward_aggregation);
        let original_reward = aggregate.unwrap_or(configuration.default_reward);
        Joined {
            reward: self.taught(original_reward),
            original_reward,
            learnable: self.activation != Activation::Awaited
                && self.mode != LearningMode::LoggingOnly,
            interaction: self,
        }
    }

    /// An apprentice is rewarded for choosing as the baseline does.
    fn taught(&self, original_reward: f64) -> f64 {
        match self.mode {
            LearningMode::Apprentice => f64::from(u8::from(self.chosen() == 0)),
            LearningMode::Online | LearningMode::LoggingOnly => original_reward,
        }
    }
}

impl Joined {
    /// What the learner is told.
    pub fn label(&self) -> Label {
        let interaction = &self.interaction;
        let (action, probability) = (interaction.chosen(), interaction.probability());
        Label { action, cost: cost(self.reward), probability }
    }
}

/// Several rewards as one; none of none.
fn aggregate(rewards: &[f64], how: RewardAggregation) -> Option<f64> {
    let first = *rewards.first()?;
    let sum: f64 = rewards.iter().sum();
    Some(match how {
        RewardAggregation::Earliest => first,
        RewardAggregation::Sum => sum,
        RewardAggregation::Average => sum / count(rewards),
        RewardAggregation::Median => median(rewards),
        RewardAggregation::Min => rewards.iter().copied().fold(first, f64::min),
        RewardAggregation::Max => rewards.iter().copied().fold(first, f64::max),
    })
}

#[expect(clippy::cast_precision_loss, reason = "nobody rewards an event 2^53 times")]
fn count(rewards: &[f64]) -> f64 {
    rewards.len() as f64
}

fn median(rewards: &[f64]) -> f64 {
    let mut sorted = rewards.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted[middle];
    if sorted.len() % 2 == 1 { upper } else { f64::midpoint(sorted[middle - 1], upper) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewards_become_one_in_six_ways() {
        let rewards = [-0.5, 1.0, 0.25, -1.0];
        for (how, expected) in [
            (RewardAggregation::Earliest, -0.5),
            (RewardAggregation::Sum, -0.25),
            (RewardAggregation::Average, -0.0625),
            (RewardAggregation::Median, -0.125),
            (RewardAggregation::Min, -1.0),
            (RewardAggregation::Max, 1.0),
        ] {
            assert_eq!(aggregate(&rewards, how), Some(expected), "{how:?}");
            assert_eq!(aggregate(&[], how), None, "{how:?}");
        }
    }

    #[test]
    fn the_largest_of_negative_rewards_is_negative() {
        assert_eq!(aggregate(&[-0.5, -0.25], RewardAggregation::Max), Some(-0.25));
    }

    #[test]
    fn the_median_of_an_odd_number_is_one_of_them() {
        assert_eq!(aggregate(&[3.0, 1.0, 2.0], RewardAggregation::Median), Some(2.0));
    }
}
