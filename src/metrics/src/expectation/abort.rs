//! Expectations that end a run early, once they fail beyond doubt.

use std::time::Duration;

use super::{Expectation, Holds, Test, Verdict};
use crate::latency::micros;
use crate::metric::{Metric, Operation, Statistic};
use record::{IterationOutcome, IterationRecord, Progress};
use statistics::Excess;
use timestamp::elapsed;

/// A run that keeps to an expectation is ended with at most this probability, however long it
/// lasts.
const LEVEL: f64 = 0.001;

/// An expectation as a limit on how often an iteration may fail it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Limit {
    miss: Miss,
    /// The share of iterations that may.
    share: f64,
}

/// What an iteration does that fails an expectation.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Miss {
    /// A call fails.
    Fails,
    /// It is not started.
    IsDropped,
    /// An answer breaks the contract.
    Violates,
    /// It gets an action, and it is no success.
    Misses,
    /// A call takes longer than so many microseconds, or as long.
    TakesLonger { call: Call, bound: f64, or_as_long: bool },
}

/// A call, and from when its time counts.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Call {
    /// From when it was due, or was sent.
    Of(Operation),
    /// Rank, from when it was sent.
    Sent,
}

impl Miss {
    /// Whether an iteration does; none, if it says nothing about it.
    fn is_done_by(self, record: &IterationRecord) -> Option<bool> {
        let was_started = record.outcome != IterationOutcome::Dropped;
        match self {
            Self::IsDropped => Some(!was_started),
            Self::Fails => was_started.then(|| record.has_failed()),
            Self::Violates => was_started.then(|| record.breaks_the_contract()),
            Self::Misses => {
                let counts = record.outcome != IterationOutcome::Rejected;
                let chosen = record.chosen.as_ref().filter(|_| counts);
                chosen.map(|_| !record.is_success())
            }
            Self::TakesLonger { call, bound, or_as_long } => {
                let took = match call {
                    Call::Of(Operation::Rank) => record.rank_response(),
                    Call::Of(Operation::Reward) => record.reward_latency,
                    Call::Sent => record.rank_latency,
                };
                #[expect(clippy::cast_precision_loss, reason = "microseconds of a run")]
                let took = micros(took?) as f64;
                Some(took > bound || (or_as_long && took >= bound))
            }
        }
    }

    fn in_words(self) -> String {
        match self {
            Self::Fails => "failed".to_owned(),
            Self::IsDropped => "were dropped".to_owned(),
            Self::Violates => "got an answer that broke the contract".to_owned(),
            Self::Misses => "were no success".to_owned(),
            Self::TakesLonger { bound, or_as_long, .. } => {
                let than = if or_as_long { "took at least" } else { "took longer than" };
                format!("{than} {}", elapsed(bound))
            }
        }
    }
}

impl Expectation {
    /// The same, which ends the run when it fails beyond doubt, at the earliest so long after its
    /// phase began.
    ///
    /// # Errors
    /// When it is no limit on how often an iteration may fail it.
    pub fn aborting(mut self, after: Duration) -> Result<Self, String> {
        let limit = self.limit();
        let limit = limit.ok_or_else(|| format!("`abort` cannot watch `{}`", self.text))?;
        self.abort = Some((limit, after));
        Ok(self)
    }

    /// Nothing of a window, of two metrics, or of a number that is no share of iterations.
    fn limit(&self) -> Option<Limit> {
        let is_plain = self.right.is_none() && self.left.window.is_none();
        let limit = |miss, share| Some(Limit { miss, share });
        match (self.left.definition.metric, self.test) {
            _ if !is_plain => None,
            (Metric::ErrorRate, Test::Below(share) | Test::AtMost(share)) => {
                limit(Miss::Fails, share)
            }
            (Metric::SuccessRate, Test::AtLeast(share) | Test::Above(share)) => {
                limit(Miss::Misses, 1.0 - share)
            }
            (Metric::Latency(operation, Statistic::Quantile(share)), test) => {
                Some(slower(Call::Of(operation), test, share)?)
            }
            (Metric::Service(Statistic::Quantile(share)), test) => {
                Some(slower(Call::Sent, test, share)?)
            }
            (metric, test) if test.allows_nothing() => match metric {
                Metric::Errors | Metric::ErrorRate => limit(Miss::Fails, 0.0),
                Metric::Dropped => limit(Miss::IsDropped, 0.0),
                Metric::Violations => limit(Miss::Violates, 0.0),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A quantile below a bound: more than the rest of the calls must not take longer.
fn slower(call: Call, test: Test, quantile: f64) -> Option<Limit> {
    let (bound, or_as_long) = match test {
        Test::Below(bound) => (bound, true),
        Test::AtMost(bound) => (bound, false),
        _ => return None,
    };
    Some(Limit { miss: Miss::TakesLonger { call, bound, or_as_long }, share: 1.0 - quantile })
}

impl Test {
    /// Whether it holds of a count of nothing only.
    fn allows_nothing(self) -> bool {
        matches!(self, Self::Equal(0.0) | Self::AtMost(0.0) | Self::Below(1.0))
    }
}

/// Watches a run for expectations that fail beyond doubt.
#[derive(Debug)]
pub struct Guards {
    guards: Vec<Guard>,
    /// When each phase began.
    started: Vec<Option<Duration>>,
}

#[derive(Debug)]
struct Guard {
    /// Which of the expectations.
    expectation: usize,
    text: String,
    /// The index of its phase.
    phase: usize,
    limit: Limit,
    after: Duration,
    excess: Excess,
}

/// An expectation that failed beyond doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Which of the expectations.
    pub expectation: usize,
    text: String,
    reason: String,
}

impl Guards {
    /// Guards of the expectations that end a run of these phases.
    #[must_use]
    pub fn new(expectations: &[Expectation], phases: &[&str]) -> Self {
        let guard = |(expectation, of): (usize, &Expectation)| {
            let (limit, after) = of.abort?;
            let phase = phases.iter().position(|name| **name == of.left.phase)?;
            let excess = Excess::new(limit.share);
            Some(Guard { expectation, text: of.text.clone(), phase, limit, after, excess })
        };
        let guards = expectations.iter().enumerate().filter_map(guard).collect();
        Self { guards, started: vec![None; phases.len()] }
    }

    /// Takes in what happened, and says which expectation failed by it.
    pub fn observe(&mut self, progress: &Progress) -> Option<Breach> {
        match progress {
            Progress::PhaseStarted(started) => {
                *self.started.get_mut(started.phase)? = Some(started.at);
                None
            }
            Progress::Iteration(record) => {
                let began = self.started.get(record.phase).copied().flatten().unwrap_or_default();
                self.guards.iter_mut().find_map(|guard| guard.observe(record, began))
            }
            _ => None,
        }
    }
}

impl Guard {
    fn observe(&mut self, record: &IterationRecord, began: Duration) -> Option<Breach> {
        if record.phase != self.phase || record.due < began + self.after {
            return None;
        }
        self.excess.add(self.limit.miss.is_done_by(record)?);
        (self.excess.log_evidence() >= -libm::log(LEVEL)).then(|| self.breach(record.iteration))
    }

    fn breach(&self, iteration: u64) -> Breach {
        let (trials, hits) = self.excess.counts();
        let (what, share) = (self.limit.miss.in_words(), 100.0 * self.limit.share);
        let reason = format!(
            "ended at iteration {iteration}: {hits} of {trials} {what}, at most {share:.3} % may"
        );
        Breach { expectation: self.expectation, text: self.text.clone(), reason }
    }
}

impl Breach {
    /// The verdict on the expectation.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let (text, reason) = (self.text.clone(), Some(self.reason.clone()));
        Verdict { text, observed: None, holds: Holds::Failed, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expectation::{NO_TAGS, PhaseScope};
    use crate::sample::iteration;

    fn guards(text: &str, after: Duration) -> Result<Guards, String> {
        let phases =
            [PhaseScope { name: "load", iterations: Some(1_000), slots: 0, tags: &NO_TAGS }];
        let expectation = Expectation::parse(text, &phases).unwrap().aborting(after)?;
        Ok(Guards::new(&[expectation], &["load"]))
    }

    /// After how many iterations the run ends, of which every tenth is not a success and takes a
    /// millisecond.
    fn ends(text: &str, after: Duration) -> Option<(usize, String)> {
        let mut guards = guards(text, after).unwrap();
        (0..1_000).find_map(|index| {
            let mut record = iteration(0, index, index % 10 != 0);
            record.due = Duration::from_millis(index);
            record.rank_start = record.due;
            let took = if index % 10 == 0 { 1_000 } else { 100 };
            record.rank_latency = Some(Duration::from_micros(took));
            let breach = guards.observe(&Progress::Iteration(record))?;
            Some((usize::try_from(index).unwrap(), breach.verdict().reason.unwrap()))
        })
    }

    #[test]
    fn what_fails_beyond_doubt_ends_the_run_and_what_holds_does_not() {
        let at_once = Duration::ZERO;
        for holds in [
            "load.success_rate >= 0.85",
            "load.rank.p90 <= 1ms",
            "load.rank.service.p85 < 1ms",
            "load.error_rate < 5%",
            "load.violations == 0",
        ] {
            assert_eq!(ends(holds, at_once), None, "{holds}");
        }
        for fails in ["load.success_rate >= 0.99", "load.rank.p99 < 1ms", "load.rank.p99.9 < 1ms"] {
            let (after, why) = ends(fails, at_once).unwrap();
            assert!((10..400).contains(&after), "{fails}: {why}");
            let (later, _) = ends(fails, Duration::from_millis(500)).unwrap();
            assert!(later >= 500, "{fails}");
        }
        let (_, why) = ends("load.rank.p99 < 1ms", at_once).unwrap();
        assert!(why.contains("took at least 1.0 ms, at most 1.000 % may"), "{why}");
    }

    #[test]
    fn what_is_no_share_of_iterations_cannot_be_watched() {
        for text in [
            "load.regret < 5",
            "load.success_rate[last 10%] >= 0.5",
            "load.success_rate <= 0.5",
            "load.rank.max < 1s",
            "load.errors < 3",
            "load.rate > 5/s",
        ] {
            assert!(guards(text, Duration::ZERO).unwrap_err().contains(text), "{text}");
        }
    }
}
