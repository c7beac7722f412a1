//! Inverse propensity scores: the cost of the action taken is divided by its
//! probability, the others cost nothing (Horvitz, Thompson 1952; `cb_adf.cc`,
//! `learn_ips`, `cb_algs.h`).

use super::CostModel;
use crate::features::{EventTerms, Label};

impl CostModel {
    pub(super) fn learn_ips(&mut self, event: &mut EventTerms, model: u32, label: &Label) {
        let costs = Self::inverse_propensity(event.len(), label, self.clip_p);
        self.learn_each(event, model, |action| costs[action]);
    }

    /// The estimate of each action's cost.
    pub fn inverse_propensity(actions: usize, label: &Label, clip_p: f32) -> Vec<f32> {
        let probability = label.probability.max(clip_p);
        let probability = if probability > 0.0 { probability } else { 1e-3 };
        let mut costs = vec![0.0; actions];
        costs[label.action] = label.cost / probability;
        costs
    }
}
