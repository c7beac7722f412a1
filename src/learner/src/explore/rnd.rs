//! Random network distillation (`cb_explore_adf_rnd.cc`; Burda et al., ICLR 2019):
//! actions whose random targets are predicted badly are explored.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Stage;
use crate::cost::Scored;
use crate::distribution::{enforce_minimum, largest, softmax};
use crate::features::{Label, WholeIndices};
use crate::prediction::Prediction;
use crate::random::gauss;

/// Predictors of random functions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rnd {
    pub predictors: u32,
    pub epsilon: f32,
    pub alpha: f32,
    pub inverse_lambda: f32,
    pub whole: WholeIndices,
    /// Floats at one index.
    pub stride: u64,
    pub random_state: u64,
}

/// The Euler-Mascheroni constant, the mean of a Gumbel distribution.
const GUMBEL_MEAN: f32 = 0.577_215_7;

impl Rnd {
    pub fn fill(&self, stage: &mut Stage<'_>, pmf: &mut [f32]) {
        let bonuses = self.bonuses(stage);
        self.fill_with(&bonuses, stage, pmf);
    }

    fn fill_with(&self, bonuses: &[f32], stage: &Stage<'_>, pmf: &mut [f32]) {
        let largest = largest(bonuses);
        // `std::max` of what is not a number.
        let largest = if 1e-3 < largest { largest } else { 1e-3 };
        let adjusted =
            |scored: &Scored| scored.score - GUMBEL_MEAN * (bonuses[scored.action] - largest);
        let scores: Vec<_> = stage.ranked.iter().map(adjusted).collect();
        let mut shares = softmax(-1.0 / largest, &scores);
        enforce_minimum(self.epsilon, true, &mut shares);
        stage.spread(&shares, pmf);
    }

    /// How badly each action's random targets are predicted.
    fn bonuses(&self, stage: &mut Stage<'_>) -> Vec<f32> {
        let mut bonuses = vec![0.0; stage.event.len()];
        for predictor in 0..self.predictors {
            let model = stage.costs.base(predictor + 1);
            for (action, bonus) in bonuses.iter_mut().enumerate() {
                let initial = self.initial(stage, action, predictor);
                let gap = stage.costs.regression.score(stage.event.of(action), model) - initial;
                *bonus += gap * gap;
            }
        }
        self.averaged(bonuses)
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of predictors")]
    fn averaged(&self, mut bonuses: Vec<f32>) -> Vec<f32> {
        let predictors = self.predictors as f32;
        bonuses.iter_mut().for_each(|bonus| *bonus = (*bonus / predictors).sqrt());
        bonuses
    }

    /// The random function that a predictor learns.
    fn initial(&self, stage: &mut Stage<'_>, action: usize, predictor: u32) -> f32 {
        let offset = u64::from(stage.costs.base(predictor + 1)) * self.model_step();
        let (mut sum, mut norm) = (0.0, 0.0);
        for (index, value) in stage.event.whole_indices(action, self.whole) {
            let mut seed = index.wrapping_add(offset);
            sum += value * gauss(&mut seed);
            norm += value * value;
        }
        self.inverse_lambda.sqrt() * sum / (2.0 * norm.max(1e-12)).sqrt()
    }

    /// The random functions are told apart by more than the step between models.
    fn model_step(&self) -> u64 {
        u64::from(self.predictors + 1) * self.stride
    }

    pub fn learn(&mut self, stage: &mut Stage<'_>, label: &Label) {
        for predictor in 0..self.predictors {
            let random = self.random_label(stage, predictor, label);
            let model = stage.costs.base(predictor + 1);
            Arc::make_mut(stage.costs).learn(stage.event, model, &random);
        }
        Arc::make_mut(stage.costs).learn(stage.event, 0, label);
    }

    pub fn learn_predicting(
        &mut self,
        stage: &mut Stage<'_>,
        label: &Label,
        prediction: &mut Prediction,
    ) {
        let mut bonuses = vec![0.0; stage.event.len()];
        for predictor in 0..self.predictors {
            let random = self.random_label(stage, predictor, label);
            let model = stage.costs.base(predictor + 1);
            Arc::make_mut(stage.costs).learn_ranking(stage.event, model, &random, stage.ranked);
            for position in 0..stage.ranked.len() {
                let Scored { action, score } = stage.ranked[position];
                let gap = score - self.initial(stage, action, predictor);
                bonuses[action] += gap * gap;
            }
        }
        let bonuses = self.averaged(bonuses);
        Arc::make_mut(stage.costs).learn_ranking(stage.event, 0, label, stage.ranked);
        stage.show_ranking(prediction);
        self.fill_with(&bonuses, stage, &mut prediction.pmf);
    }

    /// What a predictor learns of the action taken: its random function, and noise.
    fn random_label(&mut self, stage: &mut Stage<'_>, predictor: u32, label: &Label) -> Label {
        let initial = self.initial(stage, label.action, predictor);
        let cost = self.alpha * gauss(&mut self.random_state) + initial;
        Label { cost, probability: 1.0, ..*label }
    }
}
