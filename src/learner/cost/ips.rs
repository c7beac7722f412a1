//! Inverse propensity scores: the cost of the action taken is divided by its
//! probability, the others cost nothing (Horvitz, Thompson 1952; `cb_adf.cc`,
//! `learn_ips`, `cb_algs.h`).

use super::CostModel;
use crate::learner::features::{EventTerms, Label};

impl CostModel {
    pub(super) fn learn_ips(&mut self, event: &mut EventTerms, model: u32, label: &Label) {
        let probability = label.probability.max(self.clip_p);
        let probability = if probability > 0.0 { probability } else { 1e-3 };
        let estimate = label.cost / probability;
        let cost = |action| if action == label.action { estimate } else { 0.0 };
        self.learn_each(event, model, cost);
    }
}
