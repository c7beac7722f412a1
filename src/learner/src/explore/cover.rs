//! Online cover (`cb_explore_adf_cover.cc`; Agarwal et al., ICML 2014): policies that
//! learn to differ from those before them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Stage, rank_by_probability, tied};
use crate::cost::{CostModel, CostType, Regressor};
use crate::distribution::{enforce_minimum, narrow};
use crate::features::Label;
use crate::prediction::Prediction;

/// The policies of the cover.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Cover {
    pub policies: u32,
    /// Fixed, or decaying with the events learned.
    pub epsilon: Option<f32>,
    pub psi: f32,
    pub nounif: bool,
    pub first_only: bool,
    pub learned: u64,
}

/// The distribution while it is built, policy by policy.
struct Covering<'a> {
    pmf: &'a mut [f32],
    floor: f32,
    /// The mass that the policies and the floor will have together.
    norm: f32,
    /// The sums of scores by position in the ranking, which VW takes for those of actions.
    scores: Vec<f32>,
}

impl Cover {
    pub fn fill(&self, stage: &mut Stage<'_>, pmf: &mut [f32], ranking: &mut Vec<usize>) {
        let mut covering = self.begin(stage, pmf);
        for policy in 1..self.policies {
            stage.rank(policy + 1);
            covering.add(stage, self.share(), self.best(stage));
        }
        covering.finish(!self.nounif, ranking);
    }

    pub fn learn(&mut self, stage: &mut Stage<'_>, label: &Label, prediction: &mut Prediction) {
        let costs = match stage.costs.kind {
            CostType::Ips => CostModel::inverse_propensity(stage.event.len(), label, 0.0),
            kind => {
                let regressor = Regressor { model: 1, learns: kind != CostType::Dr };
                Arc::make_mut(stage.costs).doubly_robust(stage.event, regressor, label, 0.0)
            }
        };
        Arc::make_mut(stage.costs).learn_ranking(stage.event, 0, label, stage.ranked);
        stage.show_ranking(prediction);
        let Prediction { pmf, ranking, .. } = prediction;
        let mut covering = self.begin(stage, pmf);
        for policy in 1..self.policies {
            let pseudo_costs = covering.pseudo_costs(&costs, self.psi);
            stage.rank(policy + 1);
            covering.add(stage, self.share(), self.best(stage));
            let cost = |action: usize| pseudo_costs[action];
            Arc::make_mut(stage.costs).learn_each(stage.event, policy + 1, cost);
        }
        covering.finish(!self.nounif, ranking);
        self.learned += 1;
    }

    /// The first policy, which has ranked the actions, gives its share to its best ones.
    fn begin<'a>(&self, stage: &Stage<'_>, pmf: &'a mut [f32]) -> Covering<'a> {
        let (share, best) = (self.share(), self.best(stage));
        for scored in &stage.ranked[..best] {
            pmf[scored.action] += share / narrow(best);
        }
        let floor = self.floor(pmf.len());
        let norm = floor * narrow(pmf.len()) + (share - floor);
        let scores = stage.ranked.iter().map(|scored| scored.score).collect();
        Covering { pmf, floor, norm, scores }
    }

    fn share(&self) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "a count of policies")]
        let policies = self.policies as f32;
        1.0 / policies
    }

    fn best(&self, stage: &Stage<'_>) -> usize {
        if self.first_only { stage.ranked.len().min(1) } else { tied(stage.ranked) }
    }

    /// The smallest probability of an action.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "VW narrows it to f32"
    )]
    fn floor(&self, actions: usize) -> f32 {
        if let Some(epsilon) = self.epsilon {
            return epsilon / narrow(actions);
        }
        let decayed = 1.0 / (self.learned as f64 * actions as f64).sqrt() as f32;
        (1.0 / narrow(actions)).min(decayed)
    }
}

impl Covering<'_> {
    /// Another policy gives its share; what fills up the floor does not add to the norm.
    fn add(&mut self, stage: &Stage<'_>, share: f32, best: usize) {
        self.scores.iter_mut().zip(&*stage.ranked).for_each(|(sum, scored)| *sum += scored.score);
        let part = share / narrow(best);
        for scored in &stage.ranked[..best] {
            let probability = &mut self.pmf[scored.action];
            self.norm += if *probability < self.floor {
                (part - (self.floor - *probability)).max(0.0)
            } else {
                part
            };
            *probability += part;
        }
    }

    /// Actions that are covered already cost more.
    fn pseudo_costs(&self, costs: &[f32], psi: f32) -> Vec<f32> {
        let bonus = |p: &f32| psi * self.floor / (p.max(self.floor) / self.norm);
        costs.iter().zip(self.pmf.iter()).map(|(cost, p)| cost - bonus(p)).collect()
    }

    fn finish(self, zeros_too: bool, ranking: &mut Vec<usize>) {
        enforce_minimum(self.floor * narrow(self.pmf.len()), zeros_too, self.pmf);
        rank_by_probability(ranking, self.pmf, &self.scores);
    }
}
