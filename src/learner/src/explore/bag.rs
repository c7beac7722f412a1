//! Bootstrap exploration (`cb_explore_adf_bag.cc`; online bagging: Oza, Russell,
//! AISTATS 2001): several models, each of which learns an event a Poisson-distributed
//! number of times.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Stage, rank_by_probability, tied};
use crate::distribution::{enforce_minimum, narrow};
use crate::features::Label;
use crate::random::poisson1;

/// The members of the bag, and what they draw from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bag {
    pub members: u32,
    pub epsilon: f32,
    /// `--first_only`: a member votes for the first of equals alone.
    pub first_only: bool,
    /// `--greedify`: the first member learns every event once.
    pub greedify: bool,
    pub random_state: u64,
}

impl Bag {
    pub fn fill(&self, stage: &mut Stage<'_>, pmf: &mut [f32], ranking: &mut Vec<usize>) {
        let mut scores = vec![0.0; pmf.len()];
        for member in 0..self.members {
            stage.rank(stage.costs.base(member));
            stage.ranked.iter().for_each(|scored| scores[scored.action] += scored.score);
            let best = if self.first_only { 1 } else { tied(stage.ranked) };
            for scored in &stage.ranked[..best.min(stage.ranked.len())] {
                pmf[scored.action] += 1.0 / narrow(best);
            }
        }
        let total: f64 = pmf.iter().map(|votes| f64::from(*votes)).sum();
        #[expect(clippy::cast_possible_truncation, reason = "VW narrows it to f32")]
        let scale = 1.0 / total as f32;
        pmf.iter_mut().for_each(|votes| *votes *= scale);
        enforce_minimum(self.epsilon, true, pmf);
        rank_by_probability(ranking, pmf, &scores);
    }

    pub fn learn(&mut self, stage: &mut Stage<'_>, label: &Label) {
        for member in 0..self.members {
            let certain = self.greedify && member == 0;
            let times = if certain { 1 } else { poisson1(&mut self.random_state) };
            for _ in 0..times {
                let model = stage.costs.base(member);
                Arc::make_mut(stage.costs).learn(stage.event, model, label);
            }
        }
    }
}
