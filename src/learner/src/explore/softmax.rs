//! Softmax exploration (`cb_explore_adf_softmax.cc`).

use serde::{Deserialize, Serialize};

use super::enforce_minimum;
use crate::cost::Scored;

/// By the exponential of minus lambda times the score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Softmax {
    pub epsilon: f32,
    pub lambda: f32,
}

impl Softmax {
    pub fn fill(&self, ranked: &[Scored], pmf: &mut [f32]) {
        let scores: Vec<_> = ranked.iter().map(|scored| scored.score).collect();
        let mut shares = softmax(-self.lambda, &scores);
        enforce_minimum(self.epsilon, true, &mut shares);
        for (scored, share) in ranked.iter().zip(shares) {
            pmf[scored.action] = share;
        }
    }
}

/// The softmax of `lambda · scores` (`explore_internal.h`, `generate_softmax`).
pub fn softmax(lambda: f32, scores: &[f32]) -> Vec<f32> {
    let furthest = if lambda > 0.0 {
        scores.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    } else {
        scores.iter().copied().fold(f32::INFINITY, f32::min)
    };
    let mut sum = 0.0;
    let mut shares: Vec<f32> = scores.iter().map(|s| (lambda * (s - furthest)).exp()).collect();
    for share in &shares {
        sum += share;
    }
    shares.iter_mut().for_each(|share| *share /= sum);
    shares
}
