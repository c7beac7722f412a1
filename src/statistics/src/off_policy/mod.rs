//! What would a policy have earned on a log that another policy wrote?
//!
//! An example is a triple: the probability that the judged policy gives the logged
//! action, the probability with which it was logged, and its reward. [`Estimates`] adds
//! examples one by one in constant memory, merges, and answers for every estimator that
//! needs sums only. [`Likelihood`] keeps the weights; [`Anytime`] needs their order;
//! [`DoublyRobust`] needs a reward model besides.
//! [`Difference`] compares two policies on one log, which is much tighter than comparing
//! their intervals. Every answer is an [`Estimate`] or the reason why there is none.
//!
//! Formulas as in the package vw-estimators 0.2.2 and the papers named at each.

mod anytime;
mod clopper_pearson;
mod cressie_read;
mod difference;
mod doubly_robust;
mod examples;
mod likelihood;
mod overlap;
mod weighted;

pub use anytime::Anytime;
pub use cressie_read::Weights;
pub use difference::Difference;
pub use doubly_robust::{Correction, DoublyRobust, Modelled};
pub use examples::Estimates;
pub use likelihood::Likelihood;
pub use overlap::{Overlap, Warning};

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

/// Why a log does not tell what a policy would have earned.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Unusable {
    /// The policy gives none of the logged actions a chance.
    #[error("no overlap: the policy would have taken none of the logged actions")]
    NoOverlap,
    /// One example has no spread, none has nothing.
    #[error("too few examples: {examples}, an interval takes two")]
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
    #[error("rewards go from {lowest} to {highest}, outside the range that was given")]
    RewardOutOfRange {
        /// The lowest reward that was seen.
        lowest: f64,
        /// The highest reward that was seen.
        highest: f64,
    },
}

impl Unusable {
    /// Whether examples can be estimated from, of which some match and some are spoiled.
    fn of(examples: u64, matched: u64, spoiled: u64) -> Result<(), Self> {
        match (examples, matched) {
            _ if spoiled > 0 => Err(Self::NotNumbers { examples: spoiled }),
            (0 | 1, _) => Err(Self::TooFew { examples }),
            (_, 0) => Err(Self::NoOverlap),
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

/// Whether an example can be added up: its weight finite and not negative, its reward finite.
fn are_numbers(weight: f64, reward: f64) -> bool {
    (0.0..f64::INFINITY).contains(&weight) && reward.is_finite()
}
