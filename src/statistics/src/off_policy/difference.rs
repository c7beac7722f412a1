use super::controlled::{Controlled, Pairs, Unseens};
use super::{Bounds, Estimate, Example, Unusable};
use crate::{Confidence, Interval};

/// By how much a second policy would have earned more than a first one on the same log:
/// the Cressie-Read interval of (w₂ - w₁)·r, given that w₂ - w₁ averages zero.
///
/// What both policies share cancels, so that it is much tighter than two intervals side by
/// side. Constant memory. `runner guide evaluating` has the coverage that was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Difference {
    /// Controls w₂ - w₁ and scores (w₂ - w₁)·r.
    differences: Controlled,
    is_matched: bool,
    differs: bool,
    spoiled: u64,
}

/// What the first policy is, which says between which values w₂ - w₁ lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// The policy that wrote the log: its weights are one.
    Logging,
    /// Any other.
    Other,
}

/// The difference of two policies, and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// Second minus first, in reward per event.
    pub difference: Estimate,
    /// How likely a difference as large on this side is between policies that earn the
    /// same, two-sided: the confidence at which the interval would touch zero, from one.
    pub p: f64,
}

impl Difference {
    /// Weights closer than this, relatively, are equal: probabilities are kept as `f32`.
    const ROUNDING: f64 = 1e-6;

    /// Adds an example as the two policies weigh it.
    #[inline]
    pub fn add(&mut self, first_weight: f64, second: &Example) {
        let Example { weight, reward, count } = *second;
        let first = Example { weight: first_weight, ..*second };
        if !first.is_sound() || !second.is_sound() {
            self.spoiled += 1;
            return;
        }
        let apart = weight - first_weight;
        let is_apart = apart.abs() > Self::ROUNDING * weight.max(first_weight);
        let control = if is_apart { apart } else { 0.0 };
        self.is_matched |= weight > 0.0;
        self.differs |= is_apart;
        self.differences.add(count, control, control * reward);
    }

    /// Second minus first. `value` is the difference of their estimates, which the interval
    /// is made to hold.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the log has too few examples or none that match the second.
    pub fn compare(
        &self,
        value: f64,
        against: Against,
        bounds: Bounds,
        confidence: Confidence,
    ) -> Result<Compared, Unusable> {
        Unusable::of(self.differences.lines, self.is_matched, self.spoiled)?;
        if !self.differs {
            let none = Interval { lower: 0.0, upper: 0.0 };
            return Ok(Compared { difference: Estimate::new(0.0, none), p: 1.0 });
        }
        let controls = against.controls(bounds);
        if controls.upper <= 0.0 {
            return Err(Unusable::NoExploration);
        }
        let pairs = self.differences.pairs();
        let unseen = unseen(&pairs, controls, bounds.rewards);
        let width = bounds.rewards.upper - bounds.rewards.lower;
        let all = Interval { lower: -width, upper: width };
        let interval = pairs.interval(confidence, &unseen);
        Ok(Compared {
            difference: Estimate::new(value, interval.within(all).including(value)),
            p: pairs.p_value(value.signum(), &unseen),
        })
    }
}

impl Against {
    /// Between which values w₂ - w₁ lies.
    fn controls(self, bounds: Bounds) -> Interval {
        let highest = bounds.weights.highest;
        match self {
            Self::Logging => Interval { lower: bounds.weights.lowest - 1.0, upper: highest - 1.0 },
            Self::Other => Interval { lower: -highest, upper: highest },
        }
    }
}

/// What the log may lack: the ends of controls, each with the reward that pulls furthest.
fn unseen(pairs: &Pairs, controls: Interval, rewards: Interval) -> Unseens {
    let at = |control: f64, reward: f64| pairs.unseen(control, reward, |control| control * reward);
    let lacking = if pairs.lacks_high() { controls.upper } else { controls.lower };
    Unseens {
        likeliest: at(lacking, 0.0),
        lower: [at(controls.lower, rewards.upper), at(controls.upper, rewards.lower)],
        upper: [at(controls.lower, rewards.lower), at(controls.upper, rewards.upper)],
    }
}
