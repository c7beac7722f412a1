//! Epsilon-greedy (`cb_explore_adf_greedy.cc`): every action gets an equal share of
//! epsilon, the best ones share the rest.

use serde::{Deserialize, Serialize};

use super::tied;
use crate::cost::Scored;
use crate::distribution::narrow;

/// The share that explores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpsilonGreedy {
    pub epsilon: f32,
    /// `--first_only`: the first of equals takes the rest alone.
    pub first_only: bool,
}

impl EpsilonGreedy {
    pub fn fill(&self, ranked: &[Scored], pmf: &mut [f32]) {
        let share = self.epsilon / narrow(ranked.len());
        ranked.iter().for_each(|scored| pmf[scored.action] = share);
        let best = if self.first_only { ranked.len().min(1) } else { tied(ranked) };
        for scored in &ranked[..best] {
            pmf[scored.action] += (1.0 - self.epsilon) / narrow(best);
        }
    }
}
