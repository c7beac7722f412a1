//! How a choice becomes a reward.

pub mod formula;
mod rule;

pub use self::formula::Formula;
pub use self::rule::{ActionRewards, Chance, Choice, Preference, RewardRule, Wanted};
