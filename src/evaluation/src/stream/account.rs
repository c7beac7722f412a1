use std::collections::BTreeMap;

use learner::DropReason;
use statistics::Interval;
use timestamp::Timestamp;

/// What the logs were like.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Lines that are not blank.
    pub lines: u64,
    /// Events with a label.
    pub labelled: u64,
    /// Events without one: predicted, neither learned nor judged.
    pub unlabelled: u64,
    /// Lines that were dropped.
    pub dropped: BTreeMap<DropReason, Drops>,
    /// From the fewest to the most actions of a labelled event.
    pub actions: Option<(usize, usize)>,
    /// From the lowest to the highest reward.
    pub rewards: Option<Interval>,
    /// The lowest probability above zero that an action had where it was logged.
    pub lowest_probability: f64,
    /// From the first to the last time of a labelled event, where times were wanted.
    pub times: Option<(Timestamp, Timestamp)>,
    /// Σ (1/p - K) over the labelled events, K being the number of actions.
    pub propensity_excess: f64,
    /// Σ (1/p - K)²
    pub propensity_squares: f64,
}

/// Lines that were dropped for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drops {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: LogPlace,
}

/// A place in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace {
    /// The name of the log.
    pub log: String,
    /// The line, from one.
    pub line: u64,
    /// The byte of the line, from one.
    pub column: usize,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            lines: 0,
            labelled: 0,
            unlabelled: 0,
            dropped: BTreeMap::new(),
            actions: None,
            rewards: None,
            lowest_probability: 1.0,
            times: None,
            propensity_excess: 0.0,
            propensity_squares: 0.0,
        }
    }
}

impl Account {
    /// How many lines were dropped.
    #[must_use]
    pub fn dropped_lines(&self) -> u64 {
        self.dropped.values().map(|drops| drops.count).sum()
    }

    /// The highest weight that any policy can have on these logs: one over the lowest
    /// probability that was logged.
    #[must_use]
    pub fn highest_weight(&self) -> f64 {
        1.0 / self.lowest_probability
    }

    /// How far Σ 1/p is from the number of actions it should average to, in standard
    /// errors: beyond three, the logged probabilities are not those of the choices.
    #[must_use]
    pub fn propensity_z(&self) -> f64 {
        if self.propensity_squares > 0.0 {
            self.propensity_excess / libm::sqrt(self.propensity_squares)
        } else {
            0.0
        }
    }

    pub(super) fn drop_line(&mut self, reason: DropReason, place: impl FnOnce() -> LogPlace) {
        let drops = self.dropped.entry(reason);
        drops.or_insert_with(|| Drops { count: 0, first: place() }).count += 1;
    }

    pub(super) fn see(&mut self, time: Option<Timestamp>) {
        let Some(time) = time else { return };
        let (first, last) = self.times.unwrap_or((time, time));
        self.times = Some((first.min(time), last.max(time)));
    }

    pub(super) fn add_labelled(&mut self, actions: usize, probability: f64, reward: f64) {
        self.labelled += 1;
        let (fewest, most) = self.actions.unwrap_or((actions, actions));
        self.actions = Some((fewest.min(actions), most.max(actions)));
        let seen = self.rewards.unwrap_or(Interval { lower: reward, upper: reward });
        let (lower, upper) = (seen.lower.min(reward), seen.upper.max(reward));
        self.rewards = Some(Interval { lower, upper });
        #[expect(clippy::cast_precision_loss, reason = "a number of actions")]
        let excess = 1.0 / probability - actions as f64;
        self.propensity_excess += excess;
        self.propensity_squares += excess * excess;
    }
}
