use super::{Estimate, Unusable, are_numbers};
use crate::{Interval, Sum, real};

/// Everything that sums can say of a policy on a log.
///
/// With p the probability of the judged policy, q the logged one and r the reward, the
/// weight of an example is w = p/q. Constant memory; parts merge to the whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimates {
    pub(super) examples: u64,
    pub(super) matched: u64,
    spoiled: u64,
    pub(super) cap: f64,
    pub(super) lowest_weight: f64,
    pub(super) highest_weight: f64,
    pub(super) seen: Interval,
    /// Σ r
    pub(super) r: Sum,
    /// Σ w
    pub(super) w: Sum,
    /// Σ w²
    pub(super) ww: Sum,
    /// Σ w·r
    pub(super) wr: Sum,
    /// Σ w²·r
    pub(super) wwr: Sum,
    /// Σ w²·r²
    pub(super) wwrr: Sum,
    /// Σ min(w, cap)·r and Σ of its squares
    pub(super) clipped: Sum,
    pub(super) clipped_squares: Sum,
}

impl Default for Estimates {
    fn default() -> Self {
        Self::clipped_at(f64::INFINITY)
    }
}

impl Estimates {
    /// No examples; [`Self::clipped_ips`] will cut weights at `cap`.
    pub fn clipped_at(cap: f64) -> Self {
        Self {
            examples: 0,
            matched: 0,
            spoiled: 0,
            cap,
            lowest_weight: f64::INFINITY,
            highest_weight: 0.0,
            seen: Interval { lower: f64::INFINITY, upper: f64::NEG_INFINITY },
            r: Sum::default(),
            w: Sum::default(),
            ww: Sum::default(),
            wr: Sum::default(),
            wwr: Sum::default(),
            wwrr: Sum::default(),
            clipped: Sum::default(),
            clipped_squares: Sum::default(),
        }
    }

    /// Adds an example that was logged with probability `logged`, above zero, and would
    /// have been chosen with `probability`.
    pub fn add(&mut self, probability: f64, logged: f64, reward: f64) {
        self.add_weighted(probability / logged, reward);
    }

    /// Adds an example of weight `weight`, not negative. One that is no number leaves no
    /// estimate but [`Unusable::NotNumbers`].
    pub fn add_weighted(&mut self, weight: f64, reward: f64) {
        if !are_numbers(weight, reward) {
            self.spoiled += 1;
            return;
        }
        self.examples += 1;
        self.matched += u64::from(weight > 0.0);
        self.lowest_weight = self.lowest_weight.min(weight);
        self.highest_weight = self.highest_weight.max(weight);
        self.see(Interval { lower: reward, upper: reward });
        let (scored, cut) = (weight * reward, weight.min(self.cap) * reward);
        self.r.add(reward);
        self.w.add(weight);
        self.ww.add(weight * weight);
        self.wr.add(scored);
        self.wwr.add(weight * scored);
        self.wwrr.add(scored * scored);
        self.clipped.add(cut);
        self.clipped_squares.add(cut * cut);
    }

    /// Adds the examples of another that clips at the same cap.
    pub fn merge(&mut self, other: &Self) {
        self.examples += other.examples;
        self.matched += other.matched;
        self.spoiled += other.spoiled;
        self.lowest_weight = self.lowest_weight.min(other.lowest_weight);
        self.highest_weight = self.highest_weight.max(other.highest_weight);
        self.see(other.seen);
        self.r.merge(&other.r);
        self.w.merge(&other.w);
        self.ww.merge(&other.ww);
        self.wr.merge(&other.wr);
        self.wwr.merge(&other.wwr);
        self.wwrr.merge(&other.wwrr);
        self.clipped.merge(&other.clipped);
        self.clipped_squares.merge(&other.clipped_squares);
    }

    /// The number of examples.
    pub fn examples(&self) -> u64 {
        self.examples
    }

    /// The mean reward of the log: what the logging policy earned; none without examples.
    pub fn logged(&self) -> Option<f64> {
        (self.examples > 0).then(|| self.r.value() / self.count())
    }

    /// From the lowest to the highest reward that was seen; none without examples.
    pub fn seen_rewards(&self) -> Option<Interval> {
        (self.examples > 0).then_some(self.seen)
    }

    fn see(&mut self, rewards: Interval) {
        self.seen.lower = self.seen.lower.min(rewards.lower);
        self.seen.upper = self.seen.upper.max(rewards.upper);
    }

    pub(super) fn count(&self) -> f64 {
        real(self.examples)
    }

    /// Whether there is anything to estimate from.
    pub(super) fn usable(&self) -> Result<(), Unusable> {
        Unusable::of(self.examples, self.matched, self.spoiled)
    }

    /// Whether, besides, every reward lies in `rewards`.
    pub(super) fn usable_in(&self, rewards: Interval) -> Result<(), Unusable> {
        self.usable()?;
        Unusable::check(self.seen, rewards)
    }

    /// An estimate whose interval is cut off where rewards end.
    pub(super) fn bounded(value: f64, interval: Interval, rewards: Interval) -> Estimate {
        Estimate::new(value, interval.within(rewards))
    }
}
