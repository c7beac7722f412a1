//! What is known of actions without a context.

use serde::{Deserialize, Serialize};

use crate::vocabulary::Vocabulary;

/// So many actions are remembered.
const MOST_ACTIONS: usize = 1 << 20;

/// The counts of all actions.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// The numbers of actions.
    actions: Vocabulary,
    by_action: Vec<Count>,
    /// How many events were learned, by weight.
    total: f64,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Count {
    /// How often the action was learned, by weight.
    times: f64,
    /// The sum of its rewards.
    rewards: f64,
    /// The same, each reward taken as one from zero to one.
    successes: f64,
}

impl Counts {
    /// Adds a reward that counts `weight` times. An action that is not remembered stays unknown,
    /// and is tried again.
    pub fn add(&mut self, id: u64, reward: f64, weight: f64) {
        let Some(number) = self.actions.number(id, MOST_ACTIONS) else { return };
        if number == self.by_action.len() {
            self.by_action.push(Count::default());
        }
        let count = &mut self.by_action[number];
        count.times += weight;
        count.rewards += weight * reward;
        count.successes += weight * reward.clamp(0.0, 1.0);
        self.total += weight;
    }

    /// The upper confidence bound of the mean (UCB1, with `alpha` as a factor); infinite for an
    /// action that was never learned.
    pub fn bound(&self, id: u64, alpha: f64) -> f64 {
        let Count { times, rewards, .. } = self.get(id);
        if times == 0.0 {
            return f64::INFINITY;
        }
        rewards / times + alpha * (2.0 * libm::log(self.total.max(1.0)) / times).sqrt()
    }

    /// The parameters of the beta posterior of the mean, with a uniform prior.
    pub fn posterior(&self, id: u64) -> (f64, f64) {
        let Count { times, successes, .. } = self.get(id);
        (1.0 + successes, (1.0 + times - successes).max(1.0))
    }

    pub fn is_consistent(&self) -> bool {
        self.actions.len() == self.by_action.len()
    }

    fn get(&self, id: u64) -> Count {
        self.actions.get(id).map_or_else(Count::default, |number| self.by_action[number])
    }
}
