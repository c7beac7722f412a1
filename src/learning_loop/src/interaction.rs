use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

use learner::Prediction;
use protocol::{EventId, FeatureObject, LearningMode, RankableAction};
use timestamp::Timestamp;

/// What was known, what could be chosen and what was chosen: a Rank call as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Interaction {
    pub event_id: EventId,
    pub time: Timestamp,
    pub context: Arc<[FeatureObject]>,
    /// The actions that could be chosen, without the excluded ones.
    pub actions: Arc<[RankableAction]>,
    pub choice: Arc<Choice>,
    /// When the model that chose was exported.
    pub model: Option<Timestamp>,
    pub mode: LearningMode,
    pub activation: Activation,
    /// Rewards that came in time, in the order in which they came.
    pub rewards: SmallVec<[f64; 1]>,
    /// The slots that were filled, none where one action was chosen. The choice of the event
    /// is that of the first; rewards are given to slots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<FilledSlot>,
}

/// A slot, and what was chosen for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct FilledSlot {
    pub id: String,
    pub features: Arc<[FeatureObject]>,
    /// The actions that could be chosen, by index; empty if all could that were left.
    pub included: Vec<usize>,
    /// What would be shown without the service.
    pub baseline: usize,
    /// Over all actions of the event; those that could be chosen are ranked.
    pub choice: Choice,
    /// Rewards that came in time, in the order in which they came.
    pub rewards: Vec<f64>,
}

/// So many actions of a choice need no memory of their own.
const FEW: usize = 6;

/// A distribution over actions, and the order that was drawn from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Choice {
    /// The probability of each action, in the order of the actions.
    pub pmf: SmallVec<[f32; FEW]>,
    /// The indices of the actions, the chosen one first.
    pub ranking: SmallVec<[usize; FEW]>,
}

/// Whether an event counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Activation {
    /// It always did.
    Immediate,
    /// It does not yet.
    Awaited,
    /// It does since it was activated.
    Given,
}

impl Choice {
    /// What is chosen from before there is a model: anything.
    pub fn uniform(actions: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "there are at most fifty")]
        let share = 1.0 / actions as f32;
        Self { pmf: smallvec![share; actions], ranking: (0..actions).collect() }
    }

    /// Ranks an action first, in exchange for the one that was.
    pub fn put_first(&mut self, action: usize) {
        let place = self.ranking.iter().position(|ranked| *ranked == action);
        self.ranking.swap(0, place.expect("it could be chosen"));
    }

    /// What is chosen.
    pub fn chosen(&self) -> usize {
        self.ranking[0]
    }

    /// The same distribution, with the actions in their own order: the baseline first.
    pub fn baseline(&self) -> Self {
        Self { pmf: self.pmf.clone(), ranking: (0..self.pmf.len()).collect() }
    }
}

impl From<&Prediction> for Choice {
    fn from(prediction: &Prediction) -> Self {
        let Prediction { pmf, ranking, .. } = prediction;
        Self { pmf: SmallVec::from_slice(pmf), ranking: SmallVec::from_slice(ranking) }
    }
}

impl Interaction {
    /// The action that is the event's.
    pub fn chosen(&self) -> usize {
        self.choice.chosen()
    }

    /// Whether it is what would be shown without the service.
    pub fn imitates_baseline(&self) -> bool {
        self.chosen() == self.slots.first().map_or(0, |slot| slot.baseline)
    }

    /// The probability with which it was chosen.
    pub fn probability(&self) -> f32 {
        self.choice.pmf[self.chosen()]
    }
}
