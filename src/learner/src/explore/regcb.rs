//! RegCB (`cb_explore_adf_regcb.cc`; Foster, Agarwal, Dudík, Luo, Schapire, ICML 2018):
//! only actions that may still be the best.

use serde::{Deserialize, Serialize};

use super::Stage;
use super::bounds::{Bounds, CostRange};
use crate::distribution::narrow;
use crate::features::Label;

/// RegCB (`--regcb`, `--regcbopt`).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RegCb {
    pub range: CostRange,
    /// `--regcbopt`: only the actions with the smallest lower bound.
    pub optimistic: bool,
    /// `--first_only`: of equal lower bounds the first alone.
    pub first_only: bool,
    pub learned: u64,
}

impl RegCb {
    pub fn fill(&self, stage: &mut Stage<'_>, pmf: &mut [f32]) {
        let bounds = Bounds::of(&self.range, self.learned, stage);
        if self.optimistic {
            let (least, least_lower) = bounds.least_lower();
            for (action, probability) in pmf.iter_mut().enumerate() {
                let is_tied = !self.first_only && bounds.lower[action] == least_lower;
                let is_least = action == least || is_tied;
                *probability = f32::from(u8::from(is_least));
            }
            return;
        }
        let least = bounds.least_upper();
        let survivors = bounds.lower.iter().filter(|lower| **lower <= least).count();
        for (probability, lower) in pmf.iter_mut().zip(&bounds.lower) {
            *probability = if *lower <= least { 1.0 / narrow(survivors) } else { 0.0 };
        }
    }

    pub fn learn(&mut self, stage: &mut Stage<'_>, label: &Label) {
        stage.learn_without_weight(label);
        self.learned += 1;
    }
}
