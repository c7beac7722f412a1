//! Confidence bounds of scores by their sensitivity (`cb_explore_adf_regcb.cc`; Foster,
//! Agarwal, Dudík, Luo, Schapire, ICML 2018; Krishnamurthy et al., ICML 2017).

use serde::{Deserialize, Serialize};

use super::Stage;
use crate::cost::Scored;

/// The range of costs, and how wide bounds are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CostRange {
    pub lowest: f32,
    pub highest: f32,
    /// `--mellowness`
    pub mellowness: f32,
}

/// Bounds of the costs of the actions, by action.
pub struct Bounds {
    pub lower: Vec<f32>,
    pub upper: Vec<f32>,
}

/// Steps of the search for a bound, and its tolerance.
const STEPS: usize = 20;
const TOLERANCE: f32 = 1e-6;

impl Bounds {
    pub fn of(range: &CostRange, learned: u64, stage: &mut Stage<'_>) -> Self {
        let actions = stage.ranked.len();
        let delta = range.delta(actions, learned);
        let mut bounds = Self { lower: vec![0.0; actions], upper: vec![0.0; actions] };
        for index in 0..actions {
            let scored = stage.ranked[index];
            bounds.lower[scored.action] = range.lower(delta, scored, stage);
            bounds.upper[scored.action] = range.upper(delta, scored, stage);
        }
        bounds
    }

    /// The smallest upper bound: an action whose lower bound is above is not the best.
    pub fn least_upper(&self) -> f32 {
        self.upper.iter().copied().fold(f32::MAX, f32::min)
    }

    /// The first action with the smallest lower bound, and the bound.
    pub fn least_lower(&self) -> (usize, f32) {
        let lower = self.lower.iter().copied().enumerate();
        lower.fold((0, f32::MAX), |least, bound| if bound.1 < least.1 { bound } else { least })
    }
}

impl CostRange {
    fn delta(&self, actions: usize, learned: u64) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "VW takes the logarithm of an f32")]
        let count = (actions as u64 * learned) as f32;
        let width = self.highest - self.lowest;
        self.mellowness * count.ln() * (width * width)
    }

    /// What is not a number stays so, as with `std::max`.
    fn clamp(&self, cost: f32) -> f32 {
        if cost < self.lowest {
            self.lowest
        } else if cost > self.highest {
            self.highest
        } else {
            cost
        }
    }

    fn lower(&self, delta: f32, scored: Scored, stage: &mut Stage<'_>) -> f32 {
        let sensitivity = stage.sensitivity(scored, self.lowest - 1.0);
        if scored.score < self.lowest || !sensitivity.is_finite() {
            return self.lowest;
        }
        let weight = search(scored.score - self.lowest + 1.0, delta, sensitivity);
        self.clamp(scored.score - sensitivity * weight)
    }

    fn upper(&self, delta: f32, scored: Scored, stage: &mut Stage<'_>) -> f32 {
        let sensitivity = stage.sensitivity(scored, self.highest + 1.0);
        if scored.score > self.highest || !sensitivity.is_finite() {
            return self.highest;
        }
        let weight = search(self.highest + 1.0 - scored.score, delta, sensitivity);
        self.clamp(scored.score + sensitivity * weight)
    }
}

impl Stage<'_> {
    fn sensitivity(&mut self, scored: Scored, label: f32) -> f32 {
        let weight = self.event.weight();
        let terms = self.event.unexpanded(scored.action);
        self.costs.regression.sensitivity(terms, weight, scored.score, label)
    }
}

/// The largest weight of an example that keeps the loss within `delta`
/// (`binary_search`).
fn search(gap: f32, delta: f32, sensitivity: f32) -> f32 {
    let largest = gap / sensitivity;
    // What is not a number stays so, as with `std::min`.
    let largest = if f32::MAX < largest { f32::MAX } else { largest };
    if largest * gap * gap <= delta {
        return largest;
    }
    let (mut low, mut high) = (0.0, largest);
    for _ in 0..STEPS {
        // The sum may overflow, and then VW's bound is not a number.
        #[expect(clippy::manual_midpoint, reason = "a midpoint does not overflow")]
        let weight = (high + low) / 2.0;
        let rest = gap - sensitivity * weight;
        let value = weight * (gap * gap - rest * rest) - delta;
        if value > 0.0 {
            high = weight;
        } else {
            low = weight;
        }
        if value.abs() <= TOLERANCE || high - low <= TOLERANCE {
            break;
        }
    }
    low
}
