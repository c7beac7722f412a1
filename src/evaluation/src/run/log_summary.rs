use std::collections::BTreeMap;

use learner::{DropReason, Label};
use statistics::Interval;
use statistics::off_policy::Balance;
use timestamp::Timestamp;

use super::row_mistake::RowMistake;

/// What the logs contain.
#[derive(Debug, Clone, PartialEq)]
pub struct LogSummary {
    /// Lines that are not blank.
    pub lines: u64,
    /// Lines with a labelled event.
    pub labelled: u64,
    /// The number of events that those stand for: Σ 1/(1 - `pdrop`).
    pub events: f64,
    /// Events without a label: predicted, neither learned nor judged.
    pub unlabelled: u64,
    /// Lines that were dropped.
    pub dropped: BTreeMap<Rejection, DroppedLines>,
    /// From the fewest to the most actions of a labelled event.
    pub actions: Option<(usize, usize)>,
    /// From the lowest to the highest reward.
    pub rewards: Option<Interval>,
    /// The lowest probability above zero that an action had where it was logged.
    pub lowest_probability: f64,
    /// The most events that a line stands for.
    pub highest_count: f64,
    /// From the first to the last time of a labelled event, where times were read.
    pub times: Option<(Timestamp, Timestamp)>,
    /// Labelled events without a time that can be read, where times were wanted.
    pub without_time: u64,
    /// The first of them.
    pub first_without_time: Option<LogPlace>,
    /// Whether the log has no probabilities, and they were estimated from what was taken.
    pub probabilities_are_estimated: bool,
    /// 1/p(a), which averages the number of actions with a probability above zero.
    propensities: Balance,
    /// Σ of those numbers
    expected: f64,
    /// Whether every line lists the distribution that its action was drawn from.
    lists_distributions: bool,
}

/// Why a line was not evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rejection {
    /// VW would drop the line, or could not read it.
    Line(DropReason),
    /// The logged probability is above one.
    ProbabilityAboveOne,
    /// The logged probability is so low that no log has such an event.
    ProbabilityTooLow,
    /// The row of a table says what is no choice.
    Row(RowMistake),
}

/// Lines that were dropped for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedLines {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: LogPlace,
    /// What was found there, if that helps.
    pub found: Option<String>,
}

impl DroppedLines {
    /// What to do about them, if they were dropped for this reason, where what was found tells.
    #[must_use]
    pub fn remedy(&self, reason: Rejection) -> Option<&'static str> {
        match reason {
            Rejection::Row(mistake) => mistake.remedy(self.found.as_deref().unwrap_or_default()),
            _ => None,
        }
    }
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

impl Rejection {
    /// Probabilities are kept as `f32`, which may round one up.
    const ROUNDING: f64 = 1e-6;
    /// An event of this probability is not expected in any log that fits a machine.
    const LOWEST: f64 = 1e-12;

    /// Why an event with this logged probability cannot be judged, if so.
    pub(super) fn of_probability(probability: f64) -> Option<Self> {
        if probability > 1.0 + Self::ROUNDING {
            Some(Self::ProbabilityAboveOne)
        } else {
            (probability < Self::LOWEST).then_some(Self::ProbabilityTooLow)
        }
    }

    /// A name for programs.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Line(reason) => format!("{reason:?}"),
            Self::Row(mistake) => format!("Row{mistake:?}"),
            other => format!("{other:?}"),
        }
    }

    /// What is wrong with the line.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Line(reason) => reason.description(),
            Self::Row(mistake) => mistake.words(),
            Self::ProbabilityAboveOne => "has a `_label_probability` above 1",
            Self::ProbabilityTooLow => "has a `_label_probability` below 1e-12",
        }
    }

    /// Whether the line is an event that was not activated, which is no mistake.
    #[must_use]
    pub fn is_expected(self) -> bool {
        self == Self::Line(DropReason::NotActivated)
    }
}

impl Default for LogSummary {
    fn default() -> Self {
        Self {
            lines: 0,
            labelled: 0,
            events: 0.0,
            unlabelled: 0,
            dropped: BTreeMap::new(),
            actions: None,
            rewards: None,
            lowest_probability: 1.0,
            highest_count: 1.0,
            times: None,
            without_time: 0,
            first_without_time: None,
            probabilities_are_estimated: false,
            propensities: Balance::default(),
            expected: 0.0,
            lists_distributions: true,
        }
    }
}

impl LogSummary {
    /// How many lines were dropped.
    #[must_use]
    pub fn dropped_lines(&self) -> u64 {
        self.dropped.values().map(|lines| lines.count).sum()
    }

    /// The highest weight that any policy can have on these logs: one over the lowest
    /// probability that was logged.
    #[must_use]
    pub fn highest_weight(&self) -> f64 {
        1.0 / self.lowest_probability
    }

    /// How far the mean of 1/p is from the number of actions that it should be, in standard
    /// errors; none where it cannot vary.
    #[must_use]
    pub fn propensity_z(&self) -> Option<f64> {
        self.propensities.standard_errors()
    }

    /// Whether the logged probabilities cannot be those with which the actions were drawn.
    ///
    /// Without the distributions it is not known how many actions had a chance: then 1/p may
    /// average less than the number of actions, but not more.
    #[must_use]
    pub fn probabilities_are_off(&self) -> bool {
        let unit = if self.labelled == 0 { 0.0 } else { self.expected / self.events };
        let may_be_off = self.lists_distributions || self.propensities.mean_excess() > 0.0;
        may_be_off && self.propensities.is_off(unit)
    }

    pub(super) fn drop_line(
        &mut self,
        reason: Rejection,
        found: Option<String>,
        place: impl FnOnce() -> LogPlace,
    ) {
        let lines = self.dropped.entry(reason);
        lines.or_insert_with(|| DroppedLines { count: 0, first: place(), found }).count += 1;
    }

    pub(super) fn add_time(&mut self, time: Option<Timestamp>, place: impl FnOnce() -> LogPlace) {
        let Some(time) = time else {
            self.without_time += 1;
            self.first_without_time.get_or_insert_with(place);
            return;
        };
        let (first, last) = self.times.unwrap_or((time, time));
        self.times = Some((first.min(time), last.max(time)));
    }

    pub(super) fn add_labelled(
        &mut self,
        actions: usize,
        count: f32,
        label: &Label,
        distribution: Option<&[f32]>,
    ) {
        let (probability, reward) = (f64::from(label.probability), -f64::from(label.cost));
        let count = f64::from(count);
        self.labelled += 1;
        self.events += count;
        self.highest_count = self.highest_count.max(count);
        let (fewest, most) = self.actions.unwrap_or((actions, actions));
        self.actions = Some((fewest.min(actions), most.max(actions)));
        let seen = self.rewards.unwrap_or(Interval { lower: reward, upper: reward });
        let (lower, upper) = (seen.lower.min(reward), seen.upper.max(reward));
        self.rewards = Some(Interval { lower, upper });
        let possible = distribution.into_iter().flatten().copied().filter(|p| *p > 0.0);
        let lowest = possible.map(f64::from).fold(probability, f64::min);
        self.lowest_probability = self.lowest_probability.min(lowest);
        self.lists_distributions &= distribution.is_some();
        self.add_propensity(count, probability, actions, distribution);
    }

    fn add_propensity(
        &mut self,
        count: f64,
        probability: f64,
        actions: usize,
        distribution: Option<&[f32]>,
    ) {
        let possible = || distribution.into_iter().flatten().copied().filter(|p| *p > 0.0);
        #[expect(clippy::cast_precision_loss, reason = "a number of actions")]
        let (expected, squares) = match distribution {
            Some(_) => (possible().count() as f64, possible().map(|p| 1.0 / f64::from(p)).sum()),
            None => (actions as f64, actions as f64 * self.highest_weight()),
        };
        let variance: f64 = squares - expected * expected;
        let highest = count * self.highest_weight();
        let excess = count * (1.0 / probability - expected);
        self.expected += count * expected;
        self.propensities.add(excess, count * count * variance, count * expected, highest);
    }
}
