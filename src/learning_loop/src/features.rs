use std::borrow::Cow;
use std::sync::Arc;

use foldhash::HashMap;

use super::action_numbers::{ActionNumbers, NumberedList};
use super::interaction::{FilledSlot, Interaction};
use learner::{Event, EventSlot, Example, Hashing, Label};
use policy::{hashed_action, hashed_actions, hashed_context, hashed_slot};
use protocol::{FeatureObject, RankableAction};

/// The number of cached events and of cached action lists of a generation; a run shares far fewer.
const CAPACITY: usize = 4096;

/// The same for requests over the wire: each has a context of its own, and few lists of actions
/// are shared ([`FeatureCache::of_wire`]).
const WIRE_CAPACITY: usize = 64;

/// The number of actions in all cached lists of a generation, and of single ones: a catalogue is
/// kept whole.
const ACTION_CAPACITY: usize = 1 << 18;

/// Hashed events, computed once for all requests that share their parts.
///
/// Keys are the addresses of the parts. An entry owns its parts, so that no other allocation
/// can get these addresses.
#[derive(Debug, Clone)]
pub(crate) struct FeatureCache {
    recent: Generation,
    /// What was not used since it was the recent one is forgotten with it: an event is learned
    /// long after it is ranked, and many others are ranked between.
    previous: Generation,
    /// Single actions, which different lists share.
    actions: Vec<HashedActions>,
    /// The number of events and of lists that a generation keeps.
    capacity: usize,
    /// The number of single actions that are kept.
    action_capacity: usize,
}

/// Events and lists of actions.
#[derive(Debug, Clone, Default)]
struct Generation {
    events: HashMap<(Hashing, usize, usize), CachedEvent>,
    lists: HashMap<(Hashing, usize), CachedList>,
    /// How many actions the lists have together.
    listed: usize,
}

impl Default for FeatureCache {
    fn default() -> Self {
        Self {
            recent: Generation::default(),
            previous: Generation::default(),
            actions: Vec::new(),
            capacity: CAPACITY,
            action_capacity: ACTION_CAPACITY,
        }
    }
}

#[derive(Debug, Clone)]
struct CachedEvent {
    event: Event,
    _alive: (Arc<[FeatureObject]>, Arc<[RankableAction]>),
}

#[derive(Debug, Clone)]
struct CachedList {
    examples: Arc<[Arc<Example>]>,
    _alive: Arc<[RankableAction]>,
}

/// Single actions under one way of hashing.
#[derive(Debug, Clone)]
struct HashedActions {
    hashing: Hashing,
    /// The epoch of the numbers.
    epoch: u64,
    /// By the numbers of the actions.
    examples: Vec<Option<Arc<Example>>>,
}

impl HashedActions {
    fn of(hashing: Hashing) -> Self {
        Self { hashing, epoch: 0, examples: Vec::new() }
    }

    /// The examples of a list.
    fn list(
        &mut self,
        actions: &Arc<[RankableAction]>,
        numbers: &mut ActionNumbers,
    ) -> Arc<[Arc<Example>]> {
        let NumberedList { numbers, known, epoch } = numbers.of_list(actions);
        if epoch != self.epoch {
            *self = Self { epoch, ..Self::of(self.hashing) };
        }
        self.examples.resize(known, None);
        for (action, number) in actions.iter().zip(numbers) {
            let example = || Arc::new(hashed_action(self.hashing, action));
            self.examples[*number as usize].get_or_insert_with(example);
        }
        let examples = numbers.iter().flat_map(|number| &self.examples[*number as usize]);
        // Memory is read at many places at once, but counted up at one after the other: to read
        // first saves 7 to 13 % of an event of `tests/benches/candidates.yaml`.
        let letters = examples.clone().flat_map(|example| example.letters());
        std::hint::black_box(letters.map(usize::from).sum::<usize>());
        examples.cloned().collect()
    }
}

impl FeatureCache {
    /// A small cache, for requests over the wire.
    pub fn of_wire() -> Self {
        Self { capacity: WIRE_CAPACITY, action_capacity: 0, ..Self::default() }
    }

    /// Forgets everything. A large request must not outlive its answer.
    pub fn clear(&mut self) {
        self.recent = Generation::default();
        self.previous = Generation::default();
        self.actions.clear();
    }

    /// The event of a request: of a context and its actions.
    pub fn event(
        &mut self,
        hashing: Hashing,
        context: &Arc<[FeatureObject]>,
        actions: &Arc<[RankableAction]>,
        numbers: &mut ActionNumbers,
    ) -> &Event {
        let key = (hashing, address(context), address(actions));
        let is_known = self.recent.events.contains_key(&key);
        let is_known = is_known || self.previous.events.contains_key(&key);
        let event = self.known_or_made(hashing, context, actions, numbers);
        // What is ranked once and learned once does not recur.
        event.recurs |= is_known;
        event
    }

    fn known_or_made(
        &mut self,
        hashing: Hashing,
        context: &Arc<[FeatureObject]>,
        actions: &Arc<[RankableAction]>,
        numbers: &mut ActionNumbers,
    ) -> &mut Event {
        self.make_room();
        let key = (hashing, address(context), address(actions));
        if !self.recent.events.contains_key(&key) {
            let cached = self.previous.events.remove(&key).unwrap_or_else(|| CachedEvent {
                event: Event {
                    shared: Arc::new(hashed_context(hashing, context)),
                    actions: self.examples(hashing, actions, numbers),
                    recurs: false,
                    weight: 1.0,
                    slots: None,
                    listed: true,
                },
                _alive: (context.clone(), actions.clone()),
            });
            self.recent.events.insert(key, cached);
        }
        &mut self.recent.events.get_mut(&key).expect("it is known or was made").event
    }

    /// The event of an interaction, with the outcomes of its first slots.
    pub fn event_of(
        &mut self,
        hashing: Hashing,
        interaction: &Interaction,
        outcomes: &[Label],
        numbers: &mut ActionNumbers,
    ) -> Cow<'_, Event> {
        let Interaction { context, actions, .. } = interaction;
        let event = self.known_or_made(hashing, context, actions, numbers);
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

    /// Forgets what there is too much of: requests over the wire have new features each, for
    /// which a full cache is worth nothing.
    fn make_room(&mut self) {
        let Generation { events, lists, listed } = &self.recent;
        let most = events.len().max(lists.len());
        if most >= self.capacity || *listed > ACTION_CAPACITY {
            self.previous = std::mem::take(&mut self.recent);
        }
        let singles = self.actions.iter().map(|actions| actions.examples.len());
        if singles.sum::<usize>() > self.action_capacity {
            self.actions.clear();
        }
    }

    fn examples(
        &mut self,
        hashing: Hashing,
        actions: &Arc<[RankableAction]>,
        numbers: &mut ActionNumbers,
    ) -> Arc<[Arc<Example>]> {
        let Self { recent, previous, actions: single, action_capacity, .. } = self;
        let Generation { lists, listed, .. } = recent;
        let key = (hashing, address(actions));
        let mut hashed = || {
            if *action_capacity == 0 {
                return hashed_actions(hashing, actions);
            }
            let place = single.iter().position(|of| of.hashing == hashing).unwrap_or_else(|| {
                single.push(HashedActions::of(hashing));
                single.len() - 1
            });
            single[place].list(actions, numbers)
        };
        let known_or_hashed = || {
            *listed += actions.len();
            let made = || CachedList { examples: hashed(), _alive: actions.clone() };
            previous.lists.remove(&key).unwrap_or_else(made)
        };
        lists.entry(key).or_insert_with(known_or_hashed).examples.clone()
    }
}

fn address<T>(shared: &Arc<[T]>) -> usize {
    Arc::as_ptr(shared).cast::<T>().addr()
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
        let (mut cache, mut numbers) = (FeatureCache::default(), ActionNumbers::default());
        let first = cache.event(Hashing::default(), &context, &actions, &mut numbers).clone();
        let second =
            cache.event(Hashing::default(), &context.clone(), &actions.clone(), &mut numbers);
        assert!(Arc::ptr_eq(&first.shared, &second.shared));
        assert!(Arc::ptr_eq(&first.actions, &second.actions));
        assert_eq!((first.recurs, second.recurs), (false, true));
    }

    #[test]
    fn lists_share_the_actions_that_they_have_in_common() {
        let context = objects(r#"[{"a":1}]"#);
        let action = |id: &str| RankableAction { id: id.into(), features: objects(r#"[{"b":2}]"#) };
        let (one, two, three) = (action("one"), action("two"), action("three"));
        let lists: [Arc<[RankableAction]>; 2] =
            [[one.clone(), two.clone()].into(), [three, two].into()];
        let (mut cache, mut numbers) = (FeatureCache::default(), ActionNumbers::default());
        let [first, second] = lists
            .map(|list| cache.event(Hashing::default(), &context, &list, &mut numbers).clone());
        assert!(Arc::ptr_eq(&first.actions[1], &second.actions[1]));
        assert_eq!(*first.actions[0], hashed_action(Hashing::default(), &one));
        assert!(!first.recurs && !second.recurs);
    }

    #[test]
    fn what_is_used_within_a_generation_is_not_made_again() {
        let actions: Arc<[RankableAction]> = [].into();
        let contexts: Vec<_> = (0..2 * CAPACITY).map(|_| objects("[{}]")).collect();
        let (mut cache, mut numbers) = (FeatureCache::default(), ActionNumbers::default());
        let mut shared = |cache: &mut FeatureCache, context| {
            let event = cache.event(Hashing::default(), context, &actions, &mut numbers);
            event.shared.clone()
        };
        let first = shared(&mut cache, &contexts[0]);
        for context in &contexts[1..] {
            shared(&mut cache, context);
            assert!(Arc::ptr_eq(&first, &shared(&mut cache, &contexts[0])));
        }
        contexts[1..].iter().for_each(|context| drop(shared(&mut cache, context)));
        assert!(!Arc::ptr_eq(&first, &shared(&mut cache, &contexts[0])));
    }

    #[test]
    fn a_full_cache_begins_anew_and_answers_the_same() {
        let actions: Arc<[RankableAction]> = [].into();
        let (mut cache, mut numbers) = (FeatureCache::default(), ActionNumbers::default());
        for number in 0..=CAPACITY {
            let context = objects(&format!(r#"[{{"a":"{number}"}}]"#));
            let event = cache.event(Hashing::default(), &context, &actions, &mut numbers);
            let alone = hashed_context(Hashing::default(), &context);
            assert_eq!(format!("{:?}", event.shared), format!("{alone:?}"));
        }
        assert!(cache.recent.events.len() <= CAPACITY && cache.previous.events.len() <= CAPACITY);
    }
}
