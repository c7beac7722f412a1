//! From contextual bandits to regression (`cb_adf.cc`): what is learned from the cost
//! of one action out of many. One reduction a file.

mod dm;
mod dr;
mod ips;
mod mtr;
mod sm;

pub use dr::Regressor;

use serde::{Deserialize, Serialize};

use crate::features::{EventTerms, Label};
use crate::regression::Regression;
use crate::sort::sort_by;

/// `--cb_type`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CostType {
    /// Multi-task regression.
    Mtr,
    /// Inverse propensity scores.
    Ips,
    /// Doubly robust.
    Dr,
    /// Direct method.
    Dm,
    /// Softmax.
    Sm,
}

/// Costs of actions, by regression.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CostModel {
    pub kind: CostType,
    pub regression: Regression,
    clip_p: f32,
    counts: Vec<Counts>,
}

/// What multi-task regression counts, a model.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Counts {
    actions: u64,
    events: u64,
}

/// An action with its score; lower is better.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    pub action: usize,
    pub score: f32,
}

impl Scored {
    /// `VW::operator<` of `action_score.h`
    fn is_below(&self, other: &Self) -> bool {
        if self.score == other.score {
            self.action < other.action
        } else {
            self.score < other.score
        }
    }
}

impl CostType {
    /// How many models of the regression one model of costs takes.
    pub fn models(self) -> u32 {
        if self == Self::Dr { 2 } else { 1 }
    }
}

impl CostModel {
    pub fn new(kind: CostType, clip_p: f32, regression: Regression, models: usize) -> Self {
        Self { kind, regression, clip_p, counts: vec![Counts::default(); models] }
    }

    /// Whether it can stand in the place of a blank one.
    pub fn is_compatible(&self, blank: &Self) -> bool {
        self.kind == blank.kind
            && self.counts.len() == blank.counts.len()
            && self.regression.is_compatible(&blank.regression)
    }

    /// The events and the actions that multi-task regression counted for the first model.
    pub fn first_counts(&self) -> (u64, u64) {
        (self.counts[0].events, self.counts[0].actions)
    }

    /// Goes on from these counts.
    pub fn set_first_counts(&mut self, (events, actions): (u64, u64)) {
        self.counts[0] = Counts { actions, events };
    }

    /// A copy, which can catch up.
    pub fn fork(&mut self) -> Self {
        let regression = self.regression.fork();
        Self { regression, kind: self.kind, clip_p: self.clip_p, counts: self.counts.clone() }
    }

    /// Becomes as `ahead` is, from which it was forked.
    pub fn catch_up(&mut self, ahead: &mut Self) {
        self.regression.catch_up(&mut ahead.regression);
        self.counts.clone_from(&ahead.counts);
    }

    /// The actions by score, the best first (`ldf` ranks by score, then by index).
    pub fn rank(&self, event: &mut EventTerms, model: u32, ranked: &mut Vec<Scored>) {
        ranked.clear();
        let version = self.regression.version();
        if let Some(scores) = event.scores(model, version) {
            let scored = |(action, score): (usize, &f32)| Scored { action, score: *score };
            ranked.extend(scores.iter().enumerate().map(scored));
        } else {
            self.regression.scores(event.all(), model, |score| {
                ranked.push(Scored { action: ranked.len(), score });
            });
            event.keep_scores(model, version, ranked.iter().map(|scored| scored.score));
        }
        sort_by(ranked, Scored::is_below);
    }

    /// Learns the cost of the action that was taken.
    pub fn learn(&mut self, event: &mut EventTerms, model: u32, label: &Label) {
        match self.kind {
            CostType::Mtr => self.learn_mtr(event, model, label),
            CostType::Ips => self.learn_ips(event, model, label),
            CostType::Dr => self.learn_dr(event, model, label, None),
            CostType::Dm => self.learn_dm(event, model, label),
            CostType::Sm => self.learn_sm(event, model, label),
        }
    }

    /// The same, and ranks the actions as VW does meanwhile.
    pub fn learn_ranking(
        &mut self,
        event: &mut EventTerms,
        model: u32,
        label: &Label,
        ranked: &mut Vec<Scored>,
    ) {
        if self.kind == CostType::Dr {
            return self.learn_dr(event, model, label, Some(ranked));
        }
        self.rank(event, model, ranked);
        self.learn(event, model, label);
    }

    /// The model of costs number `index`: each takes as many models of the regression as
    /// its type needs.
    pub fn base(&self, index: u32) -> u32 {
        index * self.kind.models()
    }

    /// Learns a cost for every action, in their order.
    pub fn learn_each(&mut self, event: &mut EventTerms, model: u32, costs: impl Fn(usize) -> f32) {
        let weight = event.weight();
        for action in 0..event.len() {
            self.regression.learn(event.of(action), model, costs(action), weight);
        }
    }
}
