//! The direct method as VW does it: every action is regressed, the action taken on its
//! cost and the others on nothing (`cb_adf.cc`, `learn_dm`).

use super::CostModel;
use crate::features::{EventTerms, Label};

impl CostModel {
    pub(super) fn learn_dm(&mut self, event: &mut EventTerms, model: u32, label: &Label) {
        let cost = |action| if action == label.action { label.cost } else { 0.0 };
        self.learn_each(event, model, cost);
    }
}
