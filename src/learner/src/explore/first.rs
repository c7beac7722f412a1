//! Explore first (`cb_explore_adf_first.cc`): uniform for the first tau labelled events,
//! then the best action.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Stage;
use crate::distribution::{enforce_minimum, narrow};
use crate::features::Label;

/// How many labelled events are still to be explored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct First {
    pub epsilon: f32,
    pub remaining: u64,
}

impl First {
    pub fn fill(&self, stage: &Stage<'_>, pmf: &mut [f32]) {
        let mut shares = vec![0.0; stage.ranked.len()];
        if self.remaining > 0 {
            shares.fill(1.0 / narrow(stage.ranked.len()));
        } else if let Some(best) = shares.first_mut() {
            *best = 1.0;
        }
        enforce_minimum(self.epsilon, true, &mut shares);
        stage.spread(&shares, pmf);
    }

    pub fn learn(&mut self, stage: &mut Stage<'_>, label: &Label) {
        Arc::make_mut(stage.costs).learn(stage.event, 0, label);
        self.count();
    }

    /// Counts a labelled event.
    pub fn count(&mut self) {
        self.remaining = self.remaining.saturating_sub(1);
    }
}
