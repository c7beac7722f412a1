use std::sync::{Arc, Mutex, PoisonError};

use super::features::FeatureCache;
use super::joined::Joined;
use evaluation::{Log, PolicyTrace, SeenEvent, Shape, Unseen, View, Viewed};
use learner::{Event, Hashing, Label};
use policy::Seen;
use protocol::{Digits, EventId};
use timestamp::Timestamp;

/// The events that an evaluation replays.
#[derive(Debug)]
pub(crate) struct EvaluationLog {
    events: Vec<Arc<Joined>>,
    /// The hashed events, for each hashing that was requested.
    hashed: Mutex<Vec<(Hashing, Arc<[Event]>)>>,
}

impl EvaluationLog {
    pub fn new(events: Vec<Arc<Joined>>) -> Self {
        Self { events, hashed: Mutex::default() }
    }

    /// When an event was ranked.
    pub fn time(&self, index: usize) -> Timestamp {
        self.events[index].interaction.time
    }

    /// The served policy.
    pub fn online(&self) -> PolicyTrace {
        self.trace(|joined| joined.label().probability)
    }

    /// The policy that always takes the baseline: the first action, or that of the slot.
    pub fn first_action(&self) -> PolicyTrace {
        self.trace(|joined| if joined.interaction.imitates_baseline() { 1.0 } else { 0.0 })
    }

    /// The policy that takes every action with the same probability.
    pub fn any_action(&self) -> PolicyTrace {
        #[expect(clippy::cast_precision_loss, reason = "there are at most fifty")]
        self.trace(|joined| 1.0 / joined.interaction.choice.ranking.len() as f32)
    }

    /// The id of an event.
    pub fn event_id(&self, index: usize) -> Option<&EventId> {
        self.events.get(index).map(|joined| &joined.interaction.event_id)
    }

    fn trace(&self, probability: impl Fn(&Joined) -> f32) -> PolicyTrace {
        PolicyTrace {
            probabilities: self.events.iter().map(|joined| probability(joined)).collect(),
        }
    }

    fn hashed(&self, index: usize, hashing: Hashing) -> Event {
        let mut hashed = self.hashed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, events)) = hashed.iter().find(|(known, _)| *known == hashing) {
            return events[index].clone();
        }
        let events = self.hash(hashing);
        let event = events[index].clone();
        hashed.push((hashing, events));
        event
    }

    fn hash(&self, hashing: Hashing) -> Arc<[Event]> {
        let mut cache = FeatureCache::default();
        let mut hash = |joined: &Arc<Joined>| {
            let interaction = &joined.interaction;
            cache.event_of(hashing, interaction, &joined.slot_labels()).into_owned()
        };
        self.events.iter().map(&mut hash).collect()
    }
}

impl Log for EvaluationLog {
    fn len(&self) -> usize {
        self.events.len()
    }

    fn event(&self, index: usize, view: &View) -> Viewed {
        match view.shape {
            Shape::Hashed(hashing) => Viewed::Hashed(self.hashed(index, hashing)),
            Shape::AsTheyCame => {
                let interaction = &self.events[index].interaction;
                if !interaction.slots.is_empty() {
                    return Viewed::Unseen(Unseen::Slots);
                }
                let digits = &mut Digits::default();
                let Seen { id, context, actions } = interaction.seen(digits);
                let (context, actions) = (context.clone(), actions.clone());
                Viewed::AsItCame(SeenEvent { id: id.to_owned(), context, actions })
            }
        }
    }

    fn reward(&self, index: usize) -> f64 {
        self.events[index].reward.learned
    }

    fn label(&self, index: usize) -> Label {
        self.events[index].label()
    }
}
