//! Multi-task regression: the action taken is regressed on its cost, weighted by the
//! inverse of its probability (Bietti, Agarwal, Langford, JMLR 22, 2021, §3.2;
//! `cb_adf.cc`, `learn_mtr`).

use super::CostModel;
use crate::features::{EventTerms, Label};
use crate::regression::Lesson;

impl CostModel {
    pub(super) fn learn_mtr(&mut self, event: &mut EventTerms, model: u32, label: &Label) {
        let counts = &mut self.counts[model as usize];
        counts.actions += event.len() as u64;
        counts.events += 1;
        #[expect(clippy::cast_precision_loss, reason = "VW divides them as f32")]
        let share = counts.events as f32 / counts.actions as f32;
        let weight = event.weight() * (1.0 / label.probability.max(self.clip_p) * share);
        let score = event.score(label.action, model, self.regression.version());
        let terms = event.of(label.action);
        self.regression.learn_lesson(terms, model, Lesson { label: label.cost, weight, score });
    }
}
