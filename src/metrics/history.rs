use std::ops::Range;

use crate::record::{IterationRecord, Outcome};

const ANSWERED: u8 = 1;
const SUCCESSFUL: u8 = 2;
const FAILED: u8 = 4;
const REWARDED: u8 = 8;
const DROPPED: u8 = 16;

/// What is kept of every iteration of a phase, so that any window of it can be summed
/// up: nine bytes an iteration.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct History {
    pub flags: Vec<u8>,
    pub rewards: Vec<f64>,
}

/// Sums over a window of iterations.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    /// Iterations.
    pub iterations: u64,
    /// Iterations that got an action.
    pub events: u64,
    /// Iterations that got the preferred action.
    pub successes: u64,
    /// Iterations of which a call failed.
    pub errors: u64,
    /// Iterations that could not start when they were due.
    pub dropped: u64,
    /// Iterations with a reward.
    pub rewards: u64,
    /// The sum of the rewards.
    pub reward_sum: f64,
}

impl History {
    pub fn push(&mut self, record: &IterationRecord) {
        self.flags.push(flags(record));
        self.rewards.push(record.reward.unwrap_or_default());
    }

    pub fn len(&self) -> u64 {
        self.flags.len() as u64
    }

    /// Sums over the iterations of `range` that there are.
    pub fn over(&self, range: Range<u64>) -> Sums {
        let end = usize::try_from(range.end).unwrap_or(usize::MAX).min(self.flags.len());
        let start = usize::try_from(range.start).unwrap_or(usize::MAX).min(end);
        let mut sums = Sums::default();
        for (flags, reward) in self.flags[start..end].iter().zip(&self.rewards[start..end]) {
            sums.add(*flags, *reward);
        }
        sums
    }
}

fn flags(record: &IterationRecord) -> u8 {
    let flag = |holds: bool, flag: u8| if holds { flag } else { 0 };
    flag(record.chosen.is_some(), ANSWERED)
        | flag(record.is_success(), SUCCESSFUL)
        | flag(record.has_failed(), FAILED)
        | flag(record.reward.is_some(), REWARDED)
        | flag(record.outcome == Outcome::Dropped, DROPPED)
}

impl Sums {
    pub fn add_record(&mut self, record: &IterationRecord) {
        self.add(flags(record), record.reward.unwrap_or_default());
    }

    fn add(&mut self, flags: u8, reward: f64) {
        self.iterations += 1;
        self.events += u64::from(flags & ANSWERED != 0);
        self.successes += u64::from(flags & SUCCESSFUL != 0);
        self.errors += u64::from(flags & FAILED != 0);
        self.dropped += u64::from(flags & DROPPED != 0);
        self.rewards += u64::from(flags & REWARDED != 0);
        self.reward_sum += reward;
    }

    pub fn success_rate(&self) -> Option<f64> {
        ratio(self.successes, self.events)
    }

    pub fn error_rate(&self) -> Option<f64> {
        ratio(self.errors, self.iterations)
    }

    #[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
    pub fn mean_reward(&self) -> Option<f64> {
        (self.rewards > 0).then(|| self.reward_sum / self.rewards as f64)
    }
}

/// A share of something; of nothing there is none.
#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
pub(super) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
