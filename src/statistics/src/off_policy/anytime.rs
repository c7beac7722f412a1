use super::{Estimate, Example, Unusable};
use crate::{Confidence, Interval, Sum, real};
use statrs::function::gamma::gamma_lr;

/// An interval of the IPS value that holds at every length of the log at once, so that it
/// may be looked at while the log grows.
///
/// A gamma-exponential mixture supermartingale per side (Howard, Ramdas, McAuliffe,
/// Sekhon 2021; for off-policy values Karampatziakis, Mineiro, Ramdas, ICML 2021, arXiv
/// 2102.09540), `cs` of vw-estimators with its ρ of 1. Constant memory, but each example is
/// judged by those before it: the order matters, and there is no merge.
#[derive(Debug, Clone, PartialEq)]
pub struct Anytime {
    rewards: Interval,
    seen: Interval,
    matched: u64,
    spoiled: u64,
    examples: u64,
    from_below: Side,
    from_above: Side,
}

/// One side: values x ≥ 0 of which the mean is bounded from below.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Side {
    /// Σ x
    sum: Sum,
    /// Σ (x - x̂)², x̂ being what the examples before made expect
    surprise: Sum,
}

impl Anytime {
    /// No examples; rewards will lie in `rewards`.
    pub fn new(rewards: Interval) -> Self {
        let side = Side::default();
        let (from_below, from_above) = (side, side);
        let seen = Interval { lower: f64::INFINITY, upper: f64::NEG_INFINITY };
        Self { rewards, seen, matched: 0, spoiled: 0, examples: 0, from_below, from_above }
    }

    /// Adds the next example, as [`super::Estimates::add`] does.
    pub fn add(&mut self, example: &Example) {
        let (Example { weight, reward, .. }, rewards) = (*example, self.rewards);
        let width = rewards.upper - rewards.lower;
        if !example.is_sound() {
            self.spoiled += 1;
            return;
        }
        self.from_below.add(weight * (reward - rewards.lower) / width, self.examples);
        self.from_above.add(weight * (rewards.upper - reward) / width, self.examples);
        self.seen.lower = self.seen.lower.min(reward);
        self.seen.upper = self.seen.upper.max(reward);
        self.matched += u64::from(weight > 0.0);
        self.examples += 1;
    }

    /// The IPS value and its interval.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the log has too few examples, none that match, or a reward
    /// outside the range.
    pub fn estimate(&self, confidence: Confidence) -> Result<Estimate, Unusable> {
        self.usable()?;
        let Interval { lower, upper } = self.rewards;
        let (width, t) = (upper - lower, real(self.examples));
        let threshold = -libm::log(confidence.miss() / 2.0);
        let interval = Interval {
            lower: lower + width * self.from_below.lowest_mean(t, threshold),
            upper: upper - width * self.from_above.lowest_mean(t, threshold),
        };
        Ok(Estimate::new(self.mean(), interval))
    }

    fn usable(&self) -> Result<(), Unusable> {
        Unusable::of(self.examples, self.matched > 0, self.spoiled)?;
        Unusable::check(self.seen, self.rewards)
    }

    /// Σ w·r / n, by Σ w·(r - lower) and Σ w·(upper - r).
    fn mean(&self) -> f64 {
        let (below, above) = (self.from_below.sum.value(), self.from_above.sum.value());
        (below * self.rewards.upper + above * self.rewards.lower) / real(self.examples)
    }
}

impl Side {
    fn add(&mut self, value: f64, before: u64) {
        let expected = (self.sum.value() + 0.5) / (real(before) + 1.0);
        self.surprise.add((value - expected) * (value - expected));
        self.sum.add(value);
    }

    /// The lowest mean in 0..1 against which the wealth stays below the threshold.
    fn lowest_mean(&self, t: f64, threshold: f64) -> f64 {
        let (sum, surprise) = (self.sum.value(), self.surprise.value());
        let excess = |mean: f64| log_wealth(sum - t * mean, surprise) - threshold;
        let (mut lower, mut upper) = (0.0, (sum / t).min(1.0));
        if excess(lower) <= 0.0 {
            return lower;
        }
        if excess(upper) >= 0.0 {
            return upper;
        }
        loop {
            let middle = f64::midpoint(lower, upper);
            if middle <= lower || middle >= upper {
                return middle;
            }
            if excess(middle) > 0.0 { lower = middle } else { upper = middle }
        }
    }
}

/// The mixture's log-wealth after a sum of s with variance v, at ρ = 1.
fn log_wealth(s: f64, v: f64) -> f64 {
    const RHO: f64 = 1.0;
    s + v - (v + RHO) * libm::log(s + v + RHO) + log_lower_gamma(v + RHO, s + v + RHO)
        - log_lower_gamma(RHO, RHO)
}

/// ln γ(a, x), the lower incomplete gamma function.
fn log_lower_gamma(a: f64, x: f64) -> f64 {
    libm::log(gamma_lr(a, x)) + libm::lgamma(a)
}
