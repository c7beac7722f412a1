//! From scores to a distribution over actions. One strategy a file.

mod bag;
mod bounds;
mod cover;
mod epsilon_greedy;
mod first;
mod regcb;
mod rnd;
mod softmax;
mod squarecb;

pub use bag::Bag;
pub use bounds::CostRange;
pub use cover::Cover;
pub use epsilon_greedy::EpsilonGreedy;
pub use first::First;
pub use regcb::RegCb;
pub use rnd::Rnd;
pub use softmax::{Softmax, softmax};
pub use squarecb::SquareCb;

use std::mem::discriminant;

use serde::{Deserialize, Serialize};

use super::cost::{CostModel, Scored};
use super::features::{EventTerms, Label};
use super::model::Prediction;

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
    pub costs: &'a mut CostModel,
    pub event: &'a mut EventTerms,
    pub ranked: &'a mut Vec<Scored>,
}

impl Stage<'_> {
    /// Ranks the actions by one model.
    pub fn rank(&mut self, model: u32) {
        self.costs.rank(self.event, model, self.ranked);
    }
}

impl Exploration {
    /// Whether it can stand in the place of a blank one.
    pub fn fits(&self, blank: &Self) -> bool {
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
        stage.rank(0);
        prediction.ranking.clear();
        prediction.ranking.extend(stage.ranked.iter().map(|scored| scored.action));
        let ranking = &mut prediction.ranking;
        prediction.scores.clear();
        prediction.scores.resize(stage.ranked.len(), 0.0);
        for scored in stage.ranked.iter() {
            prediction.scores[scored.action] = scored.score;
        }
        prediction.pmf.clear();
        prediction.pmf.resize(stage.ranked.len(), 0.0);
        let pmf = prediction.pmf.as_mut_slice();
        match self {
            Self::EpsilonGreedy(greedy) => greedy.fill(stage.ranked, pmf),
            Self::Softmax(softmax) => softmax.fill(stage.ranked, pmf),
            Self::First(first) => first.fill(stage.ranked, pmf),
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
            Self::EpsilonGreedy(_) | Self::Softmax(_) => stage.costs.learn(stage.event, 0, label),
            Self::First(first) => first.learn(stage, label),
            Self::Bag(bag) => bag.learn(stage, label),
            Self::Cover(cover) => cover.learn(stage, label),
            Self::SquareCb(squarecb) => squarecb.learn(stage, label),
            Self::RegCb(regcb) => regcb.learn(stage, label),
            Self::Rnd(rnd) => rnd.learn(stage, label),
        }
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
fn rank_by_probability(ranking: &mut [usize], pmf: &[f32], scores: &[f32]) {
    ranking.sort_by(|a, b| {
        let by_probability = pmf[*b].total_cmp(&pmf[*a]);
        by_probability.then(scores[*a].total_cmp(&scores[*b])).then(a.cmp(b))
    });
}

/// Raises every probability to at least `epsilon` over the size of the support: the
/// Euclidean projection onto that simplex, not a mixture (`explore_internal.h`,
/// `enforce_minimum_probability`; Duchi et al., ICML 2008).
pub fn enforce_minimum(epsilon: f32, zeros_too: bool, pmf: &mut [f32]) {
    if epsilon == 0.0 || pmf.is_empty() {
        return;
    }
    let supported = |p: f32| zeros_too || p != 0.0;
    let support = pmf.iter().filter(|p| supported(**p)).count();
    let size = narrow(support);
    if epsilon > 0.999 {
        pmf.iter_mut().filter(|p| supported(**p)).for_each(|p| *p = 1.0 / size);
        return;
    }
    let floor = epsilon / size;
    let excess = excess(floor, support, zeros_too, pmf);
    // What is not a number stays so, as with `std::max`.
    let lowered = |p: f32| if p - excess < floor { floor } else { p - excess };
    pmf.iter_mut().filter(|p| supported(**p)).for_each(|p| *p = lowered(*p));
}

/// What each probability above the floor gives up.
fn excess(floor: f32, support: usize, zeros_too: bool, pmf: &[f32]) -> f32 {
    let mut sorted = pmf.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (mut last, mut last_sum, mut sum) = (0, sorted[0], 0.0);
    for (index, p) in sorted.into_iter().enumerate() {
        if !zeros_too && p == 0.0 {
            break;
        }
        sum += p;
        let rest = narrow_signed(support, index) * floor;
        if p > (rest + sum - 1.0) / narrow(index + 1) + floor {
            (last, last_sum) = (index, sum);
        }
    }
    (narrow_signed(support, last) * floor + last_sum - 1.0) / narrow(last + 1)
}

/// `support - index - 1`
fn narrow_signed(support: usize, index: usize) -> f32 {
    narrow(support.saturating_sub(index + 1))
}

#[expect(clippy::cast_precision_loss, reason = "counts of actions")]
pub fn narrow(count: usize) -> f32 {
    count as f32
}
