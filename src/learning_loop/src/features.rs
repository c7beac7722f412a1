use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::HashMap;

use super::interaction::{FilledSlot, Interaction};
use learner::{Event, EventSlot, Example, Hashing, Label};
use policy::{hashed_actions, hashed_context, hashed_slot};
use protocol::{FeatureObject, RankableAction};

/// The number of cached events and of cached action lists; a run shares far fewer.
const CAPACITY: usize = 4096;

/// The same for requests over the wire: each has a context of its own, and few lists of actions
/// are shared ([`FeatureCache::of_wire`]).
const WIRE_CAPACITY: usize = 64;

/// Hashed events, computed once for all requests that share their parts.
///
/// Keys are the addresses of the parts. An entry owns its parts, so that no other allocation
/// can get these addresses.
#[derive(Debug, Clone)]
pub(crate) struct FeatureCache {
    events: HashMap<(Hashing, usize, usize), CachedEvent>,
    actions: HashMap<(Hashing, usize), CachedActions>,
    /// The number of events and of lists that are kept.
    capacity: usize,
}

impl Default for FeatureCache {
    fn default() -> Self {
        Self { events: HashMap::default(), actions: HashMap::default(), capacity: CAPACITY }
    }
}

#[derive(Debug, Clone)]
struct CachedEvent {
    event: Event,
    _alive: (Arc<[FeatureObject]>, Arc<[RankableAction]>),
}

#[derive(Debug, Clone)]
struct CachedActions {
    examples: Arc<[Arc<Example>]>,
    _alive: Arc<[RankableAction]>,
}

impl FeatureCache {
    /// A small cache, for requests over the wire.
    pub fn of_wire() -> Self {
        Self { capacity: WIRE_CAPACITY, ..Self::default() }
    }

    /// Forgets everything. A large request must not outlive its answer.
    pub fn clear(&mut self) {
        self.events.clear();
        self.actions.clear();
    }

    /// The event of a context and its actions.
    pub fn event(
        &mut self,
        hashing: Hashing,
        context: &Arc<[FeatureObject]>,
        actions: &Arc<[RankableAction]>,
    ) -> &Event {
        let Self { events, actions: known, capacity } = self;
        make_room(events, *capacity);
        make_room(known, *capacity);
        match events.entry((hashing, address(context), address(actions))) {
            Entry::Occupied(entry) => {
                let event = &mut entry.into_mut().event;
                event.recurs = true;
                event
            }
            Entry::Vacant(entry) => {
                let event = Event {
                    shared: Arc::new(hashed_context(hashing, context)),
                    actions: examples(known, hashing, actions),
                    recurs: false,
                    weight: 1.0,
                    slots: None,
                    listed: true,
                };
                let alive = (context.clone(), actions.clone());
                &entry.insert(CachedEvent { event, _alive: alive }).event
            }
        }
    }

    /// The event of an interaction, with the outcomes of its first slots.
    pub fn event_of(
        &mut self,
        hashing: Hashing,
        interaction: &Interaction,
        outcomes: &[Label],
    ) -> Cow<'_, Event> {
        let event = self.event(hashing, &interaction.context, &interaction.actions);
        if interaction.slots.is_empty() {
            return Cow::Borrowed(event);
        }
        let slot = |(number, slot): (usize, &FilledSlot)| EventSlot {
            included: slot.included.clone(),
            outcome: outcomes.get(number).copied(),
            ..hashed_slot(hashing, &slot.features)
        };
        let slots = interaction.slots.iter().enumerate().map(slot).collect();
        Cow::Owned(Event { slots: Some(slots), ..event.clone() })
    }
}

fn address<T>(shared: &Arc<[T]>) -> usize {
    Arc::as_ptr(shared).cast::<T>().addr()
}

/// Requests over the wire have new features each: a full cache is worth nothing.
fn make_room<K, V>(known: &mut HashMap<K, V>, capacity: usize) {
    if known.len() >= capacity {
        known.clear();
    }
}

fn examples(
    known: &mut HashMap<(Hashing, usize), CachedActions>,
    hashing: Hashing,
    actions: &Arc<[RankableAction]>,
) -> Arc<[Arc<Example>]> {
    let make =
        || CachedActions { examples: hashed_actions(hashing, actions), _alive: actions.clone() };
    known.entry((hashing, address(actions))).or_insert_with(make).examples.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(json: &str) -> Arc<[FeatureObject]> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_is_shared_is_hashed_once() {
        let (context, actions): (_, Arc<[RankableAction]>) = (objects(r#"[{"a":1}]"#), [].into());
        let mut cache = FeatureCache::default();
        let first = cache.event(Hashing::default(), &context, &actions).clone();
        let second = cache.event(Hashing::default(), &context.clone(), &actions.clone());
        assert!(Arc::ptr_eq(&first.shared, &second.shared));
        assert!(Arc::ptr_eq(&first.actions, &second.actions));
        assert_eq!((first.recurs, second.recurs), (false, true));
    }

    #[test]
    fn a_full_cache_begins_anew_and_answers_the_same() {
        let actions: Arc<[RankableAction]> = [].into();
        let mut cache = FeatureCache::default();
        for number in 0..=CAPACITY {
            let context = objects(&format!(r#"[{{"a":"{number}"}}]"#));
            let event = cache.event(Hashing::default(), &context, &actions);
            let alone = hashed_context(Hashing::default(), &context);
            assert_eq!(format!("{:?}", event.shared), format!("{alone:?}"));
        }
        assert!(cache.events.len() <= CAPACITY);
    }
}
