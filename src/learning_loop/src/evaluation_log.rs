use std::sync::{Arc, Mutex, PoisonError};

use foldhash::HashMap;

use super::features::FeatureCache;
use super::interaction::Interaction;
use super::joined::Joined;
use evaluation::{FeatureName, Log, PolicyTrace, SeenEvent, Shape, Unseen, View, Viewed};
use learner::{Event, Hashing, Label};
use policy::Seen;
use protocol::{Digits, EventId, FeatureObject, RankableAction};
use timestamp::Timestamp;

/// The events that an evaluation replays.
#[derive(Debug)]
pub(crate) struct EvaluationLog {
    events: Vec<Arc<Joined>>,
    /// The hashed events, for each form that was requested.
    hashed: Mutex<Vec<Hashed>>,
}

/// A context and its actions.
type Offer = (Arc<[FeatureObject]>, Arc<[RankableAction]>);

/// The events in one form.
#[derive(Debug)]
struct Hashed {
    hashing: Hashing,
    without: Option<FeatureName>,
    events: Arc<[Event]>,
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

    fn hashed(&self, index: usize, hashing: Hashing, without: Option<&FeatureName>) -> Event {
        let mut hashed = self.hashed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |of: &&Hashed| of.hashing == hashing && of.without.as_ref() == without;
        if let Some(of) = hashed.iter().find(is_known) {
            return of.events[index].clone();
        }
        let events = self.hash(hashing, without);
        let event = events[index].clone();
        hashed.push(Hashed { hashing, without: without.cloned(), events });
        event
    }

    /// The names of the features of the first events.
    pub fn feature_names(&self) -> Vec<FeatureName> {
        /// So many events are looked at.
        const SURVEYED: usize = 1000;
        let mut names = Vec::new();
        for joined in self.events.iter().take(SURVEYED) {
            let Interaction { context, actions, .. } = &joined.interaction;
            names.extend(FeatureName::all(context, actions));
            names.sort();
            names.dedup();
        }
        names
    }

    /// Forgets the hashed events without a feature.
    pub fn forget(&self, without: &FeatureName) {
        let mut hashed = self.hashed.lock().unwrap_or_else(PoisonError::into_inner);
        hashed.retain(|of| of.without.as_ref() != Some(without));
    }

    fn hash(&self, hashing: Hashing, without: Option<&FeatureName>) -> Arc<[Event]> {
        let mut cache = FeatureCache::default();
        let mut known: HashMap<(usize, usize), Offer> = HashMap::default();
        let mut hash = |joined: &Arc<Joined>| {
            let interaction = &joined.interaction;
            let Some(name) = without else {
                return cache.event_of(hashing, interaction, &joined.slot_labels()).into_owned();
            };
            // The events own what the addresses are of.
            let Interaction { context, actions, .. } = interaction;
            let key = (
                Arc::as_ptr(context).cast::<FeatureObject>().addr(),
                Arc::as_ptr(actions).cast::<RankableAction>().addr(),
            );
            let (context, actions) =
                known.entry(key).or_insert_with(|| name.left_out(context, actions));
            cache.event(hashing, context, actions).clone()
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
            Shape::Hashed(hashing) => {
                Viewed::Hashed(self.hashed(index, hashing, view.without.as_ref()))
            }
            Shape::AsTheyCame => {
                let interaction = &self.events[index].interaction;
                if !interaction.slots.is_empty() {
                    return Viewed::Unseen(Unseen::Slots);
                }
                let digits = &mut Digits::default();
                let Seen { id, context, actions } = interaction.seen(digits);
                let (context, actions) = match &view.without {
                    None => (context.clone(), actions.clone()),
                    Some(name) => name.left_out(context, actions),
                };
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
