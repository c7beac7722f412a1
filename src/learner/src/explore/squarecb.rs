//! SquareCB (`cb_explore_adf_squarecb.cc`; Foster, Rakhlin, ICML 2020): probabilities
//! inversely proportional to the gap to the best score.

use serde::{Deserialize, Serialize};

use super::Stage;
use super::bounds::{Bounds, CostRange};
use crate::distribution::{enforce_minimum, narrow};
use crate::features::Label;

/// Inverse-gap weighting, among all actions or among those that may still be best.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SquareCb {
    pub epsilon: f32,
    pub gamma_scale: f32,
    pub gamma_exponent: f32,
    /// `--elim`: actions beyond doubt worse get nothing.
    pub elimination: Option<CostRange>,
    pub learned: u64,
}

impl SquareCb {
    pub fn fill(&self, stage: &mut Stage<'_>, pmf: &mut [f32]) {
        if let Some(range) = &self.elimination {
            return self.fill_survivors(range, stage, pmf);
        }
        let gamma = self.gamma();
        let Some(mut best) = stage.ranked.first() else { return };
        // Where scores are not numbers, the first of the ranking is not the least.
        best = stage.ranked.iter().fold(best, |a, b| if b.score < a.score { b } else { a });
        let mut total = 0.0;
        for scored in stage.ranked.iter().filter(|scored| scored.action != best.action) {
            let probability = 1.0 / (narrow(pmf.len()) + gamma * (scored.score - best.score));
            pmf[scored.action] = probability;
            total += probability;
        }
        pmf[best.action] = 1.0 - total;
        enforce_minimum(self.epsilon, true, pmf);
    }

    fn fill_survivors(&self, range: &CostRange, stage: &mut Stage<'_>, pmf: &mut [f32]) {
        let bounds = Bounds::of(range, self.learned, stage);
        let least = bounds.least_upper();
        let Some(first) = stage.ranked.first() else { return };
        let (mut best, mut best_score, mut survivors) = (first.action, f32::MAX, 0);
        for scored in stage.ranked.iter() {
            if scored.score < best_score && bounds.lower[scored.action] <= least {
                (best, best_score) = (scored.action, scored.score);
                survivors += 1;
            }
        }
        let gamma = self.gamma();
        let mut total = 0.0;
        for scored in stage.ranked.iter().filter(|scored| scored.action != best) {
            if bounds.lower[scored.action] > least {
                pmf[scored.action] = 0.0;
                continue;
            }
            let probability = 1.0 / (narrow(survivors) + gamma * (scored.score - best_score));
            pmf[scored.action] = probability;
            total += probability;
        }
        pmf[best] = 1.0 - total;
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "VW raises in f64 and narrows"
    )]
    fn gamma(&self) -> f32 {
        self.gamma_scale * (self.learned as f64).powf(f64::from(self.gamma_exponent)) as f32
    }

    pub fn learn(&mut self, stage: &mut Stage<'_>, label: &Label) {
        stage.learn_without_weight(label);
        self.learned += 1;
    }
}

impl Stage<'_> {
    /// Learns with probability 1, as the strategies with confidence bounds do. VW's loop
    /// ends before the last action, whose probability therefore stays.
    pub fn learn_without_weight(&mut self, label: &Label) {
        let is_last = label.action + 1 == self.event.len();
        let probability = if is_last { label.probability } else { 1.0 };
        self.costs.learn(self.event, 0, &Label { probability, ..*label });
    }
}
