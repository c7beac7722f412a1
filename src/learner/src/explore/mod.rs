//! From scores to a distribution over actions. One strategy a file.

mod bag;
mod bounds;
mod cover;
mod epsilon_greedy;
mod first;
mod regcb;
mod rnd;
mod softmax;
mod spanner;
mod squarecb;

pub use bag::Bag;
pub use bounds::CostRange;
pub use cover::Cover;
pub use epsilon_greedy::EpsilonGreedy;
pub use first::First;
pub use regcb::RegCb;
pub use rnd::Rnd;
pub use softmax::Softmax;
pub use spanner::ActionFilter;
pub use squarecb::SquareCb;

use std::cmp::Ordering;
use std::mem::discriminant;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cost::{CostModel, Scored};
use crate::features::{EventTerms, Label};
use crate::prediction::Prediction;
use crate::sort::sort_by;

/// How a policy explores.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Exploration {
    /// The best action, or with probability epsilon any.
    EpsilonGreedy(EpsilonGreedy),
    /// By the exponential of the score.
    Softmax(Softmax),
    /// Uniform at first, then the best.
    First(First),
    /// The best of each of several models.
    Bag(Bag),
    /// The best of each of several policies that differ.
    Cover(Cover),
    /// By the inverse of the gap to the best.
    SquareCb(SquareCb),
    /// Those that may still be the best.
    RegCb(RegCb),
    /// Those that are not known well.
    Rnd(Rnd),
}

/// What exploring works with: the costs, the event's terms, and room for a ranking.
pub struct Stage<'a> {
    /// Learning copies them if others share them.
    pub costs: &'a mut Arc<CostModel>,
    pub event: &'a mut EventTerms,
    pub ranked: &'a mut Vec<Scored>,
    /// Which of many actions are ranked.
    pub filter: Option<&'a mut ActionFilter>,
    /// The greed of SquareCB, which the filter looks at.
    pub gamma: f32,
}

impl Stage<'_> {
    /// Ranks the actions by one model.
    pub fn rank(&mut self, model: u32) {
        self.costs.rank(self.event, model, self.ranked);
        if let Some(filter) = self.filter.take() {
            filter.apply(self, model);
            self.filter = Some(filter);
        }
    }
}

impl Exploration {
    /// Whether it can stand in the place of a blank one.
    pub fn is_compatible(&self, blank: &Self) -> bool {
        discriminant(self) == discriminant(blank) && self.members() == blank.members()
    }

    /// How many models or policies it holds together.
    fn members(&self) -> u32 {
        match self {
            Self::Bag(bag) => bag.members,
            Self::Cover(cover) => cover.policies,
            Self::Rnd(rnd) => rnd.predictors,
            _ => 1,
        }
    }

    /// The count of events that VW saves, if the strategy has one.
    pub fn counter(&mut self) -> Option<&mut u64> {
        match self {
            Self::First(first) => Some(&mut first.remaining),
            Self::Cover(cover) => Some(&mut cover.learned),
            Self::SquareCb(squarecb) => Some(&mut squarecb.learned),
            Self::RegCb(regcb) => Some(&mut regcb.learned),
            Self::EpsilonGreedy(_) | Self::Softmax(_) | Self::Bag(_) | Self::Rnd(_) => None,
        }
    }

    /// What the strategy draws from, if it draws.
    pub fn random_state(&mut self) -> Option<&mut u64> {
        match self {
            Self::Bag(bag) => Some(&mut bag.random_state),
            Self::Rnd(rnd) => Some(&mut rnd.random_state),
            _ => None,
        }
    }

    /// Predicts the distribution over the actions.
    pub fn predict(&self, stage: &mut Stage<'_>, prediction: &mut Prediction) {
        if let Self::SquareCb(squarecb) = self {
            stage.gamma = squarecb.gamma();
        }
        stage.rank(0);
        self.fill(stage, prediction);
    }

    /// The distribution over the actions, which are ranked by the first model.
    fn fill(&self, stage: &mut Stage<'_>, prediction: &mut Prediction) {
        stage.show_ranking(prediction);
        let Prediction { pmf, ranking, .. } = prediction;
        match self {
            Self::EpsilonGreedy(greedy) => greedy.fill(stage.ranked, pmf),
            Self::Softmax(softmax) => softmax.fill(stage, pmf),
            Self::First(first) => first.fill(stage, pmf),
            Self::Bag(bag) => bag.fill(stage, pmf, ranking),
            Self::Cover(cover) => cover.fill(stage, pmf, ranking),
            Self::SquareCb(squarecb) => squarecb.fill(stage, pmf),
            Self::RegCb(regcb) => regcb.fill(stage, pmf),
            Self::Rnd(rnd) => rnd.fill(stage, pmf),
        }
    }

    /// Learns a labelled event.
    pub fn learn(&mut self, stage: &mut Stage<'_>, label: &Label) {
        match self {
            Self::EpsilonGreedy(_) | Self::Softmax(_) => {
                Arc::make_mut(stage.costs).learn(stage.event, 0, label);
            }
            Self::First(first) => first.learn(stage, label),
            Self::Bag(bag) => bag.learn(stage, label),
            Self::Cover(cover) => cover.learn(stage, label, &mut Prediction::default()),
            Self::SquareCb(squarecb) => squarecb.learn(stage, label),
            Self::RegCb(regcb) => regcb.learn(stage, label),
            Self::Rnd(rnd) => rnd.learn(stage, label),
        }
    }

    /// Whether VW prints what is predicted while it learns a single choice
    /// (`learn_returns_prediction`), not what was predicted before. Of slots it always does.
    pub fn shows_learning(&self) -> bool {
        matches!(self, Self::EpsilonGreedy(_) | Self::Cover(_))
    }

    /// Learns a labelled event, and predicts it as VW does while it learns: with l1 or l2,
    /// what one model learns moves the scores of the next.
    pub fn learn_predicting(
        &mut self,
        stage: &mut Stage<'_>,
        label: &Label,
        prediction: &mut Prediction,
    ) {
        match self {
            Self::Bag(_) | Self::SquareCb(_) | Self::RegCb(_) => {
                self.predict(stage, prediction);
                self.learn(stage, label);
            }
            Self::EpsilonGreedy(_) | Self::Softmax(_) | Self::First(_) => {
                Arc::make_mut(stage.costs).learn_ranking(stage.event, 0, label, stage.ranked);
                self.fill(stage, prediction);
                if let Self::First(first) = self {
                    first.count();
                }
            }
            Self::Cover(cover) => cover.learn(stage, label, prediction),
            Self::Rnd(rnd) => rnd.learn_predicting(stage, label, prediction),
        }
    }
}

impl Stage<'_> {
    /// Gives each action the share of its position in the ranking.
    fn spread(&self, shares: &[f32], pmf: &mut [f32]) {
        for (scored, share) in self.ranked.iter().zip(shares) {
            pmf[scored.action] = *share;
        }
    }

    /// The ranking and the scores of the first model, and no probabilities.
    fn show_ranking(&self, prediction: &mut Prediction) {
        let Prediction { pmf, ranking, scores } = prediction;
        ranking.clear();
        ranking.extend(self.ranked.iter().map(|scored| scored.action));
        scores.clear();
        scores.resize(self.event.len(), 0.0);
        self.ranked.iter().for_each(|scored| scores[scored.action] = scored.score);
        pmf.clear();
        pmf.resize(self.event.len(), 0.0);
    }
}

/// How many of the ranked actions share the best score, within a relative 1e-4
/// (`cb_explore_adf_common.h`, `fill_tied`).
pub fn tied(ranked: &[Scored]) -> usize {
    let Some((best, others)) = ranked.split_first() else { return 0 };
    let is_tied = |scored: &&Scored| {
        (scored.score - best.score).abs() <= 1e-4 * (scored.score.abs() + best.score.abs())
    };
    // The best is tied with itself, even if it is not a number.
    1 + others.iter().take_while(is_tied).count()
}

/// Ranks by probability, equals by score (`cb_explore_adf_common.h`, `sort_action_probs`).
fn rank_by_probability(ranking: &mut Vec<usize>, pmf: &[f32], scores: &[f32]) {
    ranking.clear();
    ranking.extend(0..pmf.len());
    sort_by(ranking, |a, b| {
        let by_score = || scores[*a].partial_cmp(&scores[*b]).unwrap_or(Ordering::Equal);
        let by_probability = pmf[*b].partial_cmp(&pmf[*a]).unwrap_or(Ordering::Equal);
        by_probability.then_with(by_score).then(a.cmp(b)) == Ordering::Less
    });
}
