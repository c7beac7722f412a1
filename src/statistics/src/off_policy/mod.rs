//! What would a policy have earned on a log that another policy wrote?
//!
//! An [`Example`] is a logged event as an estimator sees it: the weight π(a)/p(a) of its
//! action, its reward, and how many events it stands for where the log was thinned.
//! [`Estimates`] adds examples one by one in constant memory and answers for the estimators
//! that need sums only; [`Likelihood`] keeps the weights; [`DoublyRobust`] needs a reward
//! model besides. [`Difference`] compares two policies on one log, example by example, which is
//! much tighter than comparing their intervals.
//! [`Balance`] says whether weights average to what the logged probabilities imply.
//! Every answer is an [`Estimate`] or the reason why there is none.
//!
//! Formulas as in the package vw-estimators 0.2.2 and the papers named at each.

mod balance;
mod controlled;
mod counted;
mod difference;
mod doubly_robust;
mod estimates;
mod example;
mod likelihood;
mod overlap;
mod ratio;

pub use balance::Balance;
pub use difference::{Against, Compared, Difference};
pub use doubly_robust::{DoublyRobust, Modelled};
pub use estimates::Estimates;
pub use example::Example;
pub use likelihood::Likelihood;
pub use overlap::Overlap;

use crate::Interval;

/// The value of a policy, in units of reward per event, and its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// The lower end of its interval.
    pub lower: f64,
    /// The upper end of its interval.
    pub upper: f64,
}

impl Estimate {
    fn new(value: f64, interval: Interval) -> Self {
        Self { value, lower: interval.lower, upper: interval.upper }
    }
}

/// Between which values weights can lie, seen or not.
///
/// The true bounds make the interval tight at the right coverage: when the logging
/// policy explores with ε over K actions, no weight exceeds K/ε.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// The lowest weight, below one.
    pub lowest: f64,
    /// The highest weight, above one; infinite where nothing is known.
    pub highest: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { lowest: 0.0, highest: f64::INFINITY }
    }
}

/// Which examples there can be, seen or not: what intervals allow for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The range of rewards.
    pub rewards: Interval,
    /// The range of weights.
    pub weights: Weights,
}

/// Why a log does not show what a policy would have earned.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Unusable {
    /// The policy gives none of the logged actions a chance.
    #[error("no overlap: the policy would have taken none of the logged actions")]
    NoOverlap,
    /// No weight can exceed one although they must average one.
    #[error("no exploration: the log cannot show what other actions would have earned")]
    NoExploration,
    /// Fewer than two examples have no spread.
    #[error("too few examples: {examples}, an interval needs at least two")]
    TooFew {
        /// How many there are.
        examples: u64,
    },
    /// Something is not a number, such as a weight by a probability of zero.
    #[error("{examples} examples have a weight or a reward that is no finite number")]
    NotNumbers {
        /// How many.
        examples: u64,
    },
    /// A reward lies outside the range that the interval was asked for.
    #[error("rewards go from {lowest} to {highest}, outside the given range")]
    RewardOutOfRange {
        /// The lowest reward that was seen.
        lowest: f64,
        /// The highest reward that was seen.
        highest: f64,
    },
}

impl Unusable {
    /// Whether examples can be estimated from, of which some match and some are spoiled.
    fn of(examples: u64, matched: bool, spoiled: u64) -> Result<(), Self> {
        match examples {
            _ if spoiled > 0 => Err(Self::NotNumbers { examples: spoiled }),
            0 | 1 => Err(Self::TooFew { examples }),
            _ if !matched => Err(Self::NoOverlap),
            _ => Ok(()),
        }
    }

    /// Whether rewards from `seen.lower` to `seen.upper` lie in `rewards`.
    fn check(seen: Interval, rewards: Interval) -> Result<(), Self> {
        if rewards.holds(seen.lower) && rewards.holds(seen.upper) {
            return Ok(());
        }
        Err(Self::RewardOutOfRange { lowest: seen.lower, highest: seen.upper })
    }
}
