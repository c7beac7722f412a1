//! Online cover (`cb_explore_adf_cover.cc`; Agarwal et al., ICML 2014): policies that
//! learn to differ from those before them.

use serde::{Deserialize, Serialize};

use super::{Stage, enforce_minimum, narrow, rank_by_probability, tied};
use crate::cost::{CostModel, CostType, Regressor};
use crate::features::Label;

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
}

impl Cover {
    pub fn fill(&self, stage: &mut Stage<'_>, pmf: &mut [f32], ranking: &mut [usize]) {
        let floor = self.floor(pmf.len());
        // VW adds up the scores by place in the ranking, and takes them for those of actions.
        let mut scores = vec![0.0; pmf.len()];
        let mut add = |stage: &Stage<'_>| {
            scores.iter_mut().zip(&*stage.ranked).for_each(|(sum, scored)| *sum += scored.score);
        };
        let mut covering = Covering { pmf, floor, norm: 0.0 };
        stage.rank(0);
        add(stage);
        covering.begin(stage, self.share(), self.best(stage));
        for policy in 1..self.policies {
            stage.rank(policy + 1);
            add(stage);
            covering.add(stage, self.share(), self.best(stage));
        }
        enforce_minimum(floor * narrow(pmf.len()), !self.nounif, pmf);
        rank_by_probability(ranking, pmf, &scores);
    }

    pub fn learn(&mut self, stage: &mut Stage<'_>, label: &Label) {
        let actions = stage.event.len();
        let mut pmf = vec![0.0; actions];
        let mut covering = Covering { pmf: &mut pmf, floor: self.floor(actions), norm: 0.0 };
        stage.rank(0);
        covering.begin(stage, self.share(), self.best(stage));
        let costs = match stage.costs.kind {
            CostType::Ips => CostModel::inverse_propensity(actions, label, 0.0),
            kind => {
                let regressor = Regressor { model: 1, learns: kind != CostType::Dr };
                stage.costs.doubly_robust(stage.event, regressor, label, 0.0)
            }
        };
        stage.costs.learn(stage.event, 0, label);
        for policy in 1..self.policies {
            let pseudo_costs = covering.pseudo_costs(&costs, self.psi);
            stage.rank(policy + 1);
            covering.add(stage, self.share(), self.best(stage));
            let cost = |action: usize| pseudo_costs[action];
            stage.costs.learn_each(stage.event, policy + 1, label.weight, cost);
        }
        self.learned += 1;
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
    /// The first policy gives its share to its best actions.
    fn begin(&mut self, stage: &Stage<'_>, share: f32, best: usize) {
        for scored in &stage.ranked[..best] {
            self.pmf[scored.action] += share / narrow(best);
        }
        self.norm = self.floor * narrow(self.pmf.len()) + (share - self.floor);
    }

    /// So does every other; what fills up the floor does not add to the norm.
    fn add(&mut self, stage: &Stage<'_>, share: f32, best: usize) {
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
}
