//! A gate: what must be shown of learning policies before they pass.

use std::fmt;

use super::Term;
use super::metric::{Direction, Quantity};
use statistics::{Confidence, Interval};

/// What the runs of a policy must show against those of a base.
#[derive(Debug, Clone)]
pub struct Gate {
    /// What is measured.
    pub term: Term,
    /// What must be shown of it.
    pub requirement: Requirement,
    /// The policies that must show it; all but the base, if none is named.
    pub policies: Vec<String>,
    /// The policy that they are held against within an experiment; the first, if none is
    /// named.
    pub against: Option<String>,
    /// How sure the interval is that decides.
    pub confidence: Confidence,
    /// With fewer runs nothing is decided.
    pub min_seeds: u64,
    /// Whether what is not decided is a failure.
    pub inconclusive_fails: bool,
}

/// What must be shown of a metric. Margins are in the unit of the metric, at least zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Requirement {
    /// It is not worse by as much as this.
    NotWorse(f64),
    /// It is better by more than this.
    Better(f64),
}

/// What an interval says of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// All of the interval lies where it must.
    Pass,
    /// All of it lies where it must not.
    Fail,
    /// Some of it lies here and some there.
    Inconclusive,
}

impl Gate {
    /// Decides by the interval of the difference, policy minus base: non-inferiority and
    /// superiority by a margin. An end of the interval at the margin decides nothing, but
    /// runs that do not differ at all are not worse.
    #[must_use]
    pub fn decide(&self, difference: Interval) -> Decision {
        let gain = match self.term.definition().metric.direction() {
            Direction::Down => Interval { lower: -difference.upper, upper: -difference.lower },
            Direction::Up | Direction::None => difference,
        };
        let (threshold, touching) = match self.requirement {
            Requirement::NotWorse(margin) => (-margin, gain.lower >= 0.0),
            Requirement::Better(margin) => (margin, false),
        };
        if gain.lower > threshold || touching {
            Decision::Pass
        } else if gain.upper < threshold || (gain.upper <= gain.lower && gain.upper <= threshold) {
            Decision::Fail
        } else {
            Decision::Inconclusive
        }
    }
}

/// What the gate asks for, without saying of whom.
impl fmt::Display for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dimension = self.term.definition().dimension;
        let (word, margin) = match self.requirement {
            Requirement::NotWorse(margin) => ("not worse", margin),
            Requirement::Better(margin) => ("better", margin),
        };
        write!(formatter, "{} {word}", self.term.text())?;
        if margin > 0.0 {
            write!(formatter, " by {}", Quantity { value: margin, dimension }.written())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NO_TAGS, PhaseScope};

    fn gate(metric: &str, requirement: Requirement) -> Gate {
        let phases =
            [PhaseScope { name: "validation", iterations: Some(100), slots: 0, tags: &NO_TAGS }];
        Gate {
            term: Term::parse(metric, &phases).unwrap(),
            requirement,
            policies: Vec::new(),
            against: None,
            confidence: Confidence::P95,
            min_seeds: 2,
            inconclusive_fails: false,
        }
    }

    fn decided(gate: &Gate, lower: f64, upper: f64) -> Decision {
        gate.decide(Interval { lower, upper })
    }

    #[test]
    fn not_worse_is_decided_by_the_side_of_the_margin() {
        let gate = gate("validation.success_rate", Requirement::NotWorse(0.02));
        assert_eq!(decided(&gate, -0.01, 0.03), Decision::Pass);
        assert_eq!(decided(&gate, -0.05, -0.03), Decision::Fail);
        assert_eq!(decided(&gate, -0.03, 0.01), Decision::Inconclusive);
    }

    #[test]
    fn better_asks_for_the_whole_interval_beyond_the_margin() {
        let gate = gate("validation.success_rate", Requirement::Better(0.02));
        assert_eq!(decided(&gate, 0.021, 0.05), Decision::Pass);
        assert_eq!(decided(&gate, -0.01, 0.019), Decision::Fail);
        assert_eq!(decided(&gate, 0.01, 0.05), Decision::Inconclusive);
    }

    #[test]
    fn less_latency_is_better() {
        let gate = gate("validation.rank.p99", Requirement::Better(0.0));
        assert_eq!(decided(&gate, -5.0, -1.0), Decision::Pass);
        assert_eq!(decided(&gate, 1.0, 5.0), Decision::Fail);
    }

    #[test]
    fn what_is_identical_is_not_worse_and_not_better() {
        let rate = "validation.success_rate";
        let decided = |requirement| decided(&gate(rate, requirement), 0.0, 0.0);
        assert_eq!(decided(Requirement::NotWorse(0.0)), Decision::Pass);
        assert_eq!(decided(Requirement::Better(0.0)), Decision::Fail);
    }
}
