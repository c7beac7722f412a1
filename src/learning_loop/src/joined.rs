//! Events whose reward windows have closed: their rewards, and the labels to learn from.

use super::interaction::{Activation, Choice, FilledSlot, Interaction};
use learner::Label;
use policy::Outcome;
use protocol::{LearningMode, RewardAggregation, ServiceConfiguration};

/// An event with its rewards.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Joined {
    pub(crate) interaction: Interaction,
    /// The reward of the event; of an event with slots, that of the first.
    pub(crate) reward: JoinedReward,
    pub(crate) learnable: bool,
    /// The rewards of the slots.
    pub(crate) slots: Vec<JoinedReward>,
}

/// The reward of a choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct JoinedReward {
    /// The aggregate of the rewards that were sent, or the default reward.
    pub(crate) original: f64,
    /// The reward to learn from. It differs from the original for an apprentice, which is
    /// rewarded for choosing as the baseline does.
    pub(crate) learned: f64,
}

impl Joined {
    /// The event, if its window closes now.
    pub(crate) fn new(interaction: Interaction, configuration: &ServiceConfiguration) -> Self {
        let slot_reward = |slot: &FilledSlot| {
            let imitates = slot.choice.chosen() == slot.baseline;
            join(&interaction, &slot.rewards, imitates, configuration)
        };
        let slots: Vec<_> = interaction.slots.iter().map(slot_reward).collect();
        let whole = || {
            let imitates = interaction.imitates_baseline();
            join(&interaction, &interaction.rewards, imitates, configuration)
        };
        let reward = slots.first().copied().unwrap_or_else(whole);
        let learnable = interaction.activation != Activation::Deferred
            && interaction.mode != LearningMode::LoggingOnly;
        Self { interaction, reward, learnable, slots }
    }

    /// The label of the event.
    pub(crate) fn label(&self) -> Label {
        label_of(&self.interaction.choice, self.reward)
    }

    /// What came of the event, for policies that see it as it came.
    pub(crate) fn outcome(&self) -> Outcome {
        let action = self.interaction.choice.chosen();
        let probability = self.interaction.choice.pmf[action];
        Outcome { action, probability, reward: self.reward.learned }
    }

    /// The labels of the slots.
    pub(crate) fn slot_labels(&self) -> Vec<Label> {
        let slots = self.interaction.slots.iter().zip(&self.slots);
        slots.map(|(slot, reward)| label_of(&slot.choice, *reward)).collect()
    }
}

fn join(
    interaction: &Interaction,
    rewards: &[f64],
    imitates_baseline: bool,
    configuration: &ServiceConfiguration,
) -> JoinedReward {
    let rewards = if interaction.activation == Activation::Deferred { &[] } else { rewards };
    let aggregate = aggregate(rewards, configuration.reward_aggregation);
    let original = aggregate.unwrap_or(configuration.default_reward);
    let learned = match interaction.mode {
        LearningMode::Apprentice => f64::from(u8::from(imitates_baseline)),
        LearningMode::Online | LearningMode::LoggingOnly => original,
    };
    JoinedReward { original, learned }
}

fn label_of(choice: &Choice, reward: JoinedReward) -> Label {
    let action = choice.chosen();
    label(action, choice.pmf[action], reward)
}

/// The label of an action that was taken with this probability.
pub(crate) fn label(action: usize, probability: f32, reward: JoinedReward) -> Label {
    Label { action, cost: cost(reward.learned), probability }
}

/// The cost of a reward: its negative. Adding zero turns minus zero into zero.
#[expect(clippy::cast_possible_truncation, reason = "VW keeps costs as f32")]
pub(crate) fn cost(reward: f64) -> f32 {
    -reward as f32 + 0.0
}

/// The largest magnitude of a reward: the largest cost that VW can represent.
pub(crate) const LARGEST_REWARD: f64 = f32::MAX as f64;

/// Several rewards as one; none for none. Sums are clamped to what a cost can represent.
fn aggregate(rewards: &[f64], how: RewardAggregation) -> Option<f64> {
    let first = *rewards.first()?;
    let sum: f64 = rewards.iter().sum();
    let aggregate = match how {
        RewardAggregation::Earliest => first,
        RewardAggregation::Sum => sum,
        RewardAggregation::Average => sum / count(rewards),
        RewardAggregation::Median => median(rewards),
        RewardAggregation::Min => rewards.iter().copied().fold(first, f64::min),
        RewardAggregation::Max => rewards.iter().copied().fold(first, f64::max),
    };
    Some(aggregate.clamp(-LARGEST_REWARD, LARGEST_REWARD))
}

#[expect(clippy::cast_precision_loss, reason = "no event has 2^53 rewards")]
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

    proptest::proptest! {
        #[test]
        fn the_cost_of_any_rewards_in_range_is_finite(
            rewards in proptest::collection::vec(-LARGEST_REWARD..=LARGEST_REWARD, 1..20),
            largest in proptest::bool::ANY,
        ) {
            let mut rewards = rewards;
            if largest {
                rewards.extend([LARGEST_REWARD; 4]);
            }
            for how in [
                RewardAggregation::Earliest, RewardAggregation::Sum, RewardAggregation::Average,
                RewardAggregation::Median, RewardAggregation::Min, RewardAggregation::Max,
            ] {
                let aggregate = aggregate(&rewards, how).unwrap();
                proptest::prop_assert!(cost(aggregate).is_finite() && aggregate.is_finite());
            }
        }
    }
}
