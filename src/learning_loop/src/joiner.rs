use std::collections::VecDeque;

use super::dsjson::cost;
use super::event_numbers::EventNumbers;
use super::interaction::{Activation, Choice, FilledSlot, Interaction};
use learner::Label;
use protocol::{EventId, LearningMode, RewardAggregation, ServiceConfiguration};
use timestamp::Timestamp;

/// Events that are not joined yet, in the order of their Rank calls.
///
/// They are joined in this order, as the service's joiner reads them: where windows were
/// longer before a change of the settings, later events wait for the earlier ones.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    open: VecDeque<Open>,
    /// The events that are known, also those that are joined: each with its number,
    /// counted from the first that was ever opened.
    numbers: EventNumbers,
    /// The number of the event in front.
    first: usize,
}

#[derive(Debug)]
struct Open {
    interaction: Interaction,
    /// From then on rewards are late.
    closes: Timestamp,
    /// Whether its line was handed out as it stood.
    taken: bool,
}

/// An event with what came of it.
#[derive(Debug, Clone)]
pub(super) struct Joined {
    pub interaction: Interaction,
    /// What the visitor gave: the rewards as one, or the default.
    pub original_reward: f64,
    /// What the learner is told.
    pub reward: f64,
    pub learnable: bool,
    /// The same of each slot; that of the first is what came of the event.
    pub slots: Vec<Outcome>,
}

/// What came of a choice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    pub original_reward: f64,
    pub reward: f64,
}

impl Joiner {
    /// Opens the window of an event, unless there was one with its id that is not
    /// forgotten; whether it was opened.
    pub fn open(&mut self, interaction: Interaction, closes: Timestamp) -> bool {
        let is_new = self.numbers.insert(&interaction.event_id, self.first + self.open.len());
        if is_new {
            self.open.push_back(Open { interaction, closes, taken: false });
        }
        is_new
    }

    /// Forgets an event that was joined.
    pub fn forget(&mut self, event_id: &EventId) {
        self.numbers.remove(event_id);
    }

    /// The event, if its window is open.
    pub fn event(&mut self, event_id: &EventId, now: Timestamp) -> Option<&mut Interaction> {
        let place = self.numbers.get(event_id)?.checked_sub(self.first)?;
        let open = self.open.get_mut(place).filter(|open| now < open.closes);
        open.map(|open| &mut open.interaction)
    }

    /// The events that are not joined yet, in the order of their Rank calls.
    pub fn iter(&self) -> impl Iterator<Item = &Interaction> {
        self.open.iter().map(|open| &open.interaction)
    }

    /// How many events are not joined yet.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// When the next event is to be joined; perhaps long since, if it had to wait for
    /// one before.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.open.front().map(|open| open.closes)
    }

    /// Gives the next event away; also, whether it was taken before.
    pub fn close(&mut self) -> Option<(Interaction, bool)> {
        let Open { interaction, taken, .. } = self.open.pop_front()?;
        self.first += 1;
        Some((interaction, taken))
    }

    /// The events that are not joined yet, as they stand, each once.
    pub fn take(&mut self) -> impl Iterator<Item = Interaction> {
        let untaken = self.open.iter_mut().filter(|open| !open.taken);
        untaken.map(|open| {
            open.taken = true;
            open.interaction.clone()
        })
    }

    /// When the first and the last of the events were ranked.
    pub fn range(&self) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = (self.open.front()?, self.open.back()?);
        Some((first.interaction.time, last.interaction.time))
    }

    /// Forgets every event.
    pub fn clear(&mut self) {
        self.first += self.open.len();
        self.open.clear();
        self.numbers.clear();
    }
}

impl Interaction {
    /// What comes of the event if its window closes as it stands.
    pub fn joined(self, configuration: &ServiceConfiguration) -> Joined {
        let came = |slot: &FilledSlot| {
            let imitates = slot.choice.chosen() == slot.baseline;
            self.outcome(&slot.rewards, imitates, configuration)
        };
        let slots: Vec<_> = self.slots.iter().map(came).collect();
        let whole = || self.outcome(&self.rewards, self.imitates_baseline(), configuration);
        let Outcome { original_reward, reward } = slots.first().copied().unwrap_or_else(whole);
        Joined {
            reward,
            original_reward,
            learnable: self.activation != Activation::Awaited
                && self.mode != LearningMode::LoggingOnly,
            slots,
            interaction: self,
        }
    }

    /// What comes of a choice. An apprentice is rewarded for choosing as the baseline does.
    fn outcome(
        &self,
        rewards: &[f64],
        imitates: bool,
        configuration: &ServiceConfiguration,
    ) -> Outcome {
        let rewards = if self.activation == Activation::Awaited { &[] } else { rewards };
        let aggregate = aggregate(rewards, configuration.reward_aggregation);
        let original_reward = aggregate.unwrap_or(configuration.default_reward);
        let reward = match self.mode {
            LearningMode::Apprentice => f64::from(u8::from(imitates)),
            LearningMode::Online | LearningMode::LoggingOnly => original_reward,
        };
        Outcome { original_reward, reward }
    }
}

impl Joined {
    /// What the learner is told.
    pub fn label(&self) -> Label {
        label(&self.interaction.choice, self.reward)
    }

    /// What the learner is told of each slot.
    pub fn slot_labels(&self) -> Vec<Label> {
        let slots = self.interaction.slots.iter().zip(&self.slots);
        slots.map(|(slot, came)| label(&slot.choice, came.reward)).collect()
    }
}

fn label(choice: &Choice, reward: f64) -> Label {
    let action = choice.chosen();
    Label { action, cost: cost(reward), probability: choice.pmf[action] }
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
