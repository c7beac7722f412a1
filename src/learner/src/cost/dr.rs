//! Doubly robust: a regression of costs, corrected by the inverse propensity score of
//! its error (Dudík, Langford, Li, ICML 2011; `gen_cs_example.cc`,
//! `gen_cs_example_dr`).

use super::{CostModel, Scored};
use crate::features::{EventTerms, Label, Terms};

/// The regression that estimates costs, and whether it learns the one that is known.
#[derive(Debug, Clone, Copy)]
pub struct Regressor {
    pub model: u32,
    pub learns: bool,
}

impl CostModel {
    /// Between the two regressions the actions are ranked, if that is asked for.
    pub(super) fn learn_dr(
        &mut self,
        event: &mut EventTerms,
        model: u32,
        label: &Label,
        ranked: Option<&mut Vec<Scored>>,
    ) {
        let regressor = Regressor { model: model + 1, learns: true };
        let costs = self.doubly_robust(event, regressor, label, self.clip_p);
        if let Some(ranked) = ranked {
            self.rank(event, model, ranked);
        }
        self.learn_each(event, model, |action| costs[action]);
    }

    /// The estimate of each action's cost.
    pub fn doubly_robust(
        &mut self,
        event: &mut EventTerms,
        regressor: Regressor,
        label: &Label,
        clip_p: f32,
    ) -> Vec<f32> {
        let mut costs = Vec::with_capacity(event.len());
        let weight = event.weight();
        for action in 0..event.len() {
            let terms = event.of(action);
            costs.push(if action == label.action {
                let expected = self.expected(terms, weight, regressor, label);
                expected + (label.cost - expected) / label.probability.max(clip_p)
            } else {
                self.regression.clipped_score(terms, regressor.model)
            });
        }
        costs
    }

    /// The expected cost of the action taken, from before it is learned.
    fn expected(
        &mut self,
        terms: &Terms,
        event_weight: f32,
        regressor: Regressor,
        label: &Label,
    ) -> f32 {
        if regressor.learns {
            let weight = event_weight / label.probability;
            self.regression.learn(terms, regressor.model, label.cost, weight)
        } else {
            self.regression.clipped_score(terms, regressor.model)
        }
    }
}
