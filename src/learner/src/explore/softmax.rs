//! Softmax exploration (`cb_explore_adf_softmax.cc`).

use serde::{Deserialize, Serialize};

use super::Stage;
use crate::distribution::{enforce_minimum, softmax};

/// By the exponential of minus lambda times the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Softmax {
    pub epsilon: f32,
    pub lambda: f32,
}

impl Softmax {
    pub fn fill(&self, stage: &Stage<'_>, pmf: &mut [f32]) {
        let scores: Vec<_> = stage.ranked.iter().map(|scored| scored.score).collect();
        let mut shares = softmax(-self.lambda, &scores);
        enforce_minimum(self.epsilon, true, &mut shares);
        stage.spread(&shares, pmf);
    }
}
