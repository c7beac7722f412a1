use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};

use learner::Prediction;
use policy::Seen;
use protocol::{Digits, EventId, FeatureObject, LearningMode, RankableAction};
use timestamp::Timestamp;

/// A Rank call: the context, the actions and the choice; and the rewards so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Interaction {
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
    /// The slots of a multi-slot call, otherwise empty. `choice` is that of the first slot;
    /// rewards belong to slots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<FilledSlot>,
}

/// A slot and its choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FilledSlot {
    pub id: String,
    pub features: Arc<[FeatureObject]>,
    /// The actions that could be chosen, by index; empty if all could that were left.
    pub included: Vec<usize>,
    /// The action that would be shown without the service.
    pub baseline: usize,
    /// Over all actions of the event; those that could be chosen are ranked.
    pub choice: Choice,
    /// Rewards that came in time, in the order in which they came.
    pub rewards: Vec<f64>,
}

/// The number of actions of a choice that are stored inline.
const FEW: usize = 6;

/// A distribution over actions, and the ranking drawn from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Choice {
    /// The probability of each action, in the order of the actions.
    pub pmf: SmallVec<[f32; FEW]>,
    /// The indices of the actions, the chosen one first.
    pub ranking: SmallVec<[usize; FEW]>,
}

/// Whether an event counts. The names in JSON are those of format 1 of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Activation {
    /// From its Rank call on.
    Immediate,
    /// Not before it is activated.
    #[serde(rename = "Awaited")]
    Deferred,
    /// Since it was activated.
    #[serde(rename = "Given")]
    Activated,
}

impl Choice {
    /// The choice without a model: every action has the same probability.
    pub fn uniform(actions: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "there are at most fifty")]
        let share = 1.0 / actions as f32;
        Self { pmf: smallvec![share; actions], ranking: (0..actions).collect() }
    }

    /// Swaps an action with the first of the ranking.
    pub fn put_first(&mut self, action: usize) {
        let place = self.ranking.iter().position(|ranked| *ranked == action);
        self.ranking.swap(0, place.expect("it could be chosen"));
    }

    /// The chosen action.
    pub fn chosen(&self) -> usize {
        self.ranking[0]
    }

    /// The same distribution, ranked in the order of the request: the baseline first.
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
    /// The chosen action.
    pub fn chosen(&self) -> usize {
        self.choice.chosen()
    }

    /// The event as it came; `digits` holds its id.
    pub fn seen<'a>(&'a self, digits: &'a mut Digits) -> Seen<'a> {
        Seen { id: self.event_id.text(digits), context: &self.context, actions: &self.actions }
    }

    /// Whether the choice is the baseline's.
    pub fn imitates_baseline(&self) -> bool {
        self.chosen() == self.slots.first().map_or(0, |slot| slot.baseline)
    }

    /// The probability of the chosen action.
    pub fn probability(&self) -> f32 {
        self.choice.pmf[self.chosen()]
    }
}
