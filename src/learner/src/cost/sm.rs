//! Softmax: a policy-gradient step towards or away from the action taken (`cb_adf.cc`,
//! `learn_sm`).

use super::{CostModel, Scored};
use crate::distribution::softmax;
use crate::features::{EventTerms, Label};

/// Weights up to here count as none.
const SMALLEST_WEIGHT: f32 = 1e-15;

/// Labels are kept within plus and minus this.
const LARGEST_LABEL: f32 = 100.0;

impl CostModel {
    /// VW hands out the labels by position, the n-th of the ranking to the n-th action,
    /// and the weights by action; so does this.
    pub(super) fn learn_sm(&mut self, event: &mut EventTerms, model: u32, label: &Label) {
        let mut ranked = Vec::new();
        self.rank(event, model, &mut ranked);
        let scores: Vec<_> = ranked.iter().map(|scored| scored.score).collect();
        let shares = softmax(-1.0, &scores);
        let taken = ranked.iter().position(|scored| scored.action == label.action);
        let taken_share = taken.map_or(0.0, |position| shares[position]);
        let probability = if label.probability > 0.0 { label.probability } else { 1e-3 };
        let strength = label.cost.abs() / probability * taken_share;
        let sign = if label.cost < 0.0 { -1.0 } else { 1.0 };
        let target = |scored: &Scored| {
            let shift = if scored.action == label.action { sign } else { -sign };
            (scored.score + shift).clamp(-LARGEST_LABEL, LARGEST_LABEL)
        };
        let targets: Vec<_> = ranked.iter().map(target).collect();
        let mut weights = vec![0.0; event.len()];
        for (scored, share) in ranked.iter().zip(&shares) {
            let is_taken = scored.action == label.action;
            let share = if is_taken { 1.0 - taken_share } else { *share };
            let weight = event.weight() * (strength * share);
            weights[scored.action] = if weight <= SMALLEST_WEIGHT { 0.0 } else { weight };
        }
        for (action, target) in targets.into_iter().enumerate() {
            self.regression.learn(event.of(action), model, target, weights[action]);
        }
    }
}
