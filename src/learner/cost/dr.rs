//! Doubly robust: a regression of costs, corrected by the inverse propensity score of
//! its error (Dudík, Langford, Li, ICML 2011; `gen_cs_example.cc`,
//! `gen_cs_example_dr`).

use super::CostModel;
use crate::learner::features::{EventTerms, Label};

impl CostModel {
    pub(super) fn learn_dr(&mut self, event: &mut EventTerms, model: u32, label: &Label) {
        let estimates = self.doubly_robust(event, model + 1, label);
        self.learn_each(event, model, |action| estimates[action]);
    }

    /// The estimate of each action's cost; the regressor learns the one that is known.
    fn doubly_robust(&mut self, event: &mut EventTerms, regressor: u32, label: &Label) -> Vec<f32> {
        let mut estimates = Vec::with_capacity(event.len());
        for action in 0..event.len() {
            estimates.push(if action == label.action {
                let weight = 1.0 / label.probability;
                let expected =
                    self.regression.learn(event.of(action), regressor, label.cost, weight);
                expected + (label.cost - expected) / label.probability.max(self.clip_p)
            } else {
                self.regression.clipped_score(event.of(action), regressor)
            });
        }
        estimates
    }
}
