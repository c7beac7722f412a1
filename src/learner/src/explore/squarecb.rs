//! SquareCB (`cb_explore_adf_squarecb.cc`; Foster, Rakhlin, ICML 2020): probabilities
//! inversely proportional to the gap to the best score.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Stage;
use super::bounds::{Bounds, CostRange};
use crate::cost::Scored;
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
        let is_less = |a: usize, b: usize| stage.ranked[a].score < stage.ranked[b].score;
        // Where scores are not numbers, the first of the ranking is not the least.
        let best = (0..stage.ranked.len())
            .fold(0, |best, other| if is_less(other, best) { other } else { best });
        let Some(least) = stage.ranked.get(best).map(|scored| scored.score) else { return };
        let actions = narrow(stage.ranked.len());
        let share = |scored: &Scored| 1.0 / (actions + gamma * (scored.score - least));
        let mut shares: Vec<_> = stage.ranked.iter().map(share).collect();
        let others = shares.iter().enumerate().filter(|(position, _)| *position != best);
        shares[best] = 1.0 - others.fold(0.0, |sum, (_, share)| sum + share);
        enforce_minimum(self.epsilon, true, &mut shares);
        stage.spread(&shares, pmf);
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
    pub fn gamma(&self) -> f32 {
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
        Arc::make_mut(self.costs).learn(self.event, 0, &Label { probability, ..*label });
    }
}
