//! The calibrated twin of a log: a world in which any policy can play.
//!
//! One half of the events fits a reward model ([`Twin::of`]): ridge regression on tokens of the
//! context and of the action and on their products, then doubly robust corrections (Dudík,
//! Langford, Li, "Doubly Robust Policy Evaluation and Learning", ICML 2011) of each action. The
//! other half, which the model has not seen, must be
//! given back: its reward, its reward in the course of time, by action, by context and by both.
//! What is not given back refuses the log, and says by how much.
//!
//! From the ground: `tokens` (features as words), `regression`, `thinning` (events that stand for
//! several), `model`, `dependence` (whether
//! rewards follow actions), `proof`, `coverage` (what the log says nothing about), `visitors`.
//!
//! Must not know: files, policies, who plays.

mod coverage;
mod dependence;
mod model;
mod proof;
mod regression;
mod thinning;
mod tokens;
mod visitors;

use std::sync::Arc;

use protocol::{FeatureObject, RankableAction};

pub use dependence::Indifference;
pub use model::Shape;
pub use proof::{Deviation, Proof};
pub use visitors::{LoggedChoices, TwinVisitor};

use coverage::Coverage;
use model::{Examples, Model};
use visitors::visitors;

/// A logged choice.
#[derive(Debug, Clone)]
pub struct LoggedEvent {
    /// The context.
    pub context: Arc<[FeatureObject]>,
    /// The actions that could be chosen.
    pub actions: Arc<[RankableAction]>,
    /// The position of the action that was chosen.
    pub chosen: usize,
    /// The probability with which it was chosen, in `(0, 1]`.
    pub probability: f64,
    /// The distribution that it was drawn from, if the log has it.
    pub distribution: Option<Vec<f32>>,
    /// Its reward.
    pub reward: f64,
    /// How many events it stands for: 1/(1 - `pdrop`) where a log was thinned, otherwise 1.
    pub count: f64,
}

/// What rewards of a log are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RewardKind {
    /// One of two values: a click, or none.
    Click {
        /// The higher value.
        hit: f64,
        /// The lower value.
        miss: f64,
    },
    /// Any value: this is the standard deviation about the expected one.
    Varying(f64),
}

/// A world made of a log, and proved on it.
#[derive(Debug, Clone)]
pub struct Twin {
    /// Those who turn up: the contexts of the held-out half.
    pub visitors: Vec<TwinVisitor>,
    /// Every action of the log, in the order in which they first could be chosen.
    pub actions: Vec<RankableAction>,
    /// What rewards are.
    pub kind: RewardKind,
    /// The proof.
    pub proof: Proof,
    /// What the reward model is made of.
    pub shape: Shape,
}

/// Why a log is no world.
#[derive(Debug, Clone, PartialEq)]
pub enum Refusal {
    /// It has too few events; this many.
    TooFew(usize),
    /// The event with this number, from zero, cannot be used: its probability is no probability,
    /// its choice was not offered, or it stands for less than itself.
    Unusable(usize),
    /// There are more visitors times actions than memory is set aside for; this many.
    TooLarge(usize),
    /// The twin does not give back the held-out half.
    Deviates(Proof),
    /// Rewards follow the action in some contexts, and in others not at all.
    Indifferent(Indifference),
}

/// Fewer events prove nothing.
pub const FEWEST_EVENTS: usize = 200;

/// The most expected rewards that are kept: visitors times actions.
pub const MOST_REWARDS: usize = 10_000_000;

impl Twin {
    /// The twin of a log, whose events are in the order of time.
    ///
    /// # Errors
    /// Why the log is no world.
    pub fn of(events: &[LoggedEvent]) -> Result<Self, Refusal> {
        let is_usable = |event: &LoggedEvent| {
            event.probability > 0.0
                && event.probability <= 1.0 + 1e-6
                && event.chosen < event.actions.len()
                && event.reward.is_finite()
                && event.count >= 1.0
                && event.count.is_finite()
        };
        if let Some(number) = events.iter().position(|event| !is_usable(event)) {
            return Err(Refusal::Unusable(number));
        }
        if events.len() < FEWEST_EVENTS {
            return Err(Refusal::TooFew(events.len()));
        }
        let mut examples = Examples::of(events);
        let (fitted, held_out): (Vec<usize>, Vec<usize>) =
            (0..events.len()).partition(|event| is_fitted(*event));
        let model = Model::fit(&examples, &fitted);
        let proof = proof::prove(&examples, &model, &fitted, &held_out);
        if !proof.deviations.is_empty() {
            return Err(Refusal::Deviates(proof));
        }
        if let Some(indifference) = dependence::indifference(&examples) {
            return Err(Refusal::Indifferent(indifference));
        }
        let kind = match examples.kind {
            RewardKind::Varying(_) => RewardKind::Varying(libm::sqrt(model.residual_variance)),
            kind @ RewardKind::Click { .. } => kind,
        };
        let coverage = Coverage::of(&examples);
        let visitors = visitors(events, &mut examples, &model, &coverage, &held_out)?;
        Ok(Self { visitors, actions: examples.actions, kind, proof, shape: model.shape })
    }
}

/// Whether an event, by its number, is of the half that fits the model. Halves are drawn, not cut:
/// both have events of all times.
fn is_fitted(event: usize) -> bool {
    // The finalizer of SplitMix64.
    let mut hash = (event as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (hash ^ (hash >> 31)) & 1 == 0
}

/// A number of things as a float.
#[expect(clippy::cast_precision_loss, reason = "2^53 things are out of reach")]
pub(crate) fn real(count: usize) -> f64 {
    count as f64
}
