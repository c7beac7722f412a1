use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::HashMap;

use super::interaction::{FilledSlot, Interaction};
use learner::{Event, EventSlot, Example, ExampleBuilder, Hashing, Label};
use protocol::{FeatureObject, FeatureValue, RankableAction};

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
                    shared: Arc::new(context_example(hashing, context)),
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
            ..event_slot(hashing, &slot.features)
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
        || CachedActions { examples: action_examples(hashing, actions), _alive: actions.clone() };
    known.entry((hashing, address(actions))).or_insert_with(make).examples.clone()
}

/// `"_slots": [{"sj": [{..}]}]`, one of them.
pub(crate) fn event_slot(hashing: Hashing, features: &[FeatureObject]) -> EventSlot {
    let mut example = ExampleBuilder::new(hashing);
    add_namespace(&mut example, "sj", features);
    EventSlot {
        features: Arc::new(example.finish()),
        included: Vec::new(),
        outcome: None,
        taken: None,
    }
}

/// `"FromUrl": [{..}, {..}]`
fn context_example(hashing: Hashing, context: &[FeatureObject]) -> Example {
    let mut example = ExampleBuilder::new(hashing);
    add_namespace(&mut example, "FromUrl", context);
    example.finish()
}

fn action_examples(hashing: Hashing, actions: &[RankableAction]) -> Arc<[Arc<Example>]> {
    actions.iter().map(|action| Arc::new(action_example(hashing, action))).collect()
}

/// `"i": {"constant": 1, "id": ".."}, "j": [{..}]`: the id of an action is a feature too.
fn action_example(hashing: Hashing, action: &RankableAction) -> Example {
    let mut example = ExampleBuilder::new(hashing);
    example.open("i");
    example.number("constant", 1.0);
    example.text("id", &*action.id);
    example.close();
    add_namespace(&mut example, "j", &action.features);
    example.finish()
}

/// A list of objects: as in VW, the namespace closes at each of them.
fn add_namespace(example: &mut ExampleBuilder, name: &str, objects: &[FeatureObject]) {
    objects.iter().for_each(|object| add_object(example, name, object));
}

fn add_object(example: &mut ExampleBuilder, name: &str, object: &FeatureObject) {
    example.open(name);
    add_entries(example, object);
    example.close();
}

fn add_entries(example: &mut ExampleBuilder, object: &FeatureObject) {
    for (key, value) in object.0.iter().filter(|(key, _)| is_feature(key)) {
        add(example, key, value);
    }
}

/// Whether a key names features: VW reads `_text`, `_tag` and the like as something else.
pub(crate) fn is_feature(key: &str) -> bool {
    !key.starts_with('_')
}

fn add(example: &mut ExampleBuilder, key: &str, value: &FeatureValue) {
    match value {
        FeatureValue::Null => {}
        FeatureValue::Bool(value) => example.flag(key, *value),
        FeatureValue::Number(value) => example.number(key, value.as_f64().unwrap_or(0.0)),
        FeatureValue::Text(value) => example.text(key, value),
        FeatureValue::List(values) => add_list(example, key, values),
        FeatureValue::Object(object) => add_object(example, key, object),
    }
}

fn add_list(example: &mut ExampleBuilder, key: &str, values: &[FeatureValue]) {
    example.open_array(key);
    for value in values {
        if let FeatureValue::Number(value) = value {
            example.element(value.as_f64().unwrap_or(0.0));
        }
    }
    example.close();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(json: &str) -> Arc<[FeatureObject]> {
        serde_json::from_str(json).unwrap()
    }

    fn context(json: &str) -> String {
        let example = context_example(Hashing::default(), &objects(json));
        format!("{example:?}")
    }

    #[test]
    fn several_objects_are_as_one() {
        let one = context(r#"[{"a":"x","b":"y","d":true}]"#);
        assert_eq!(context(r#"[{"a":"x"},{"b":"y"},{"d":true}]"#), one);
    }

    /// As when the logged event is read.
    #[test]
    fn a_namespace_within_a_later_object_comes_after_its_own() {
        let letters = |json| {
            context_example(Hashing::default(), &objects(json)).letters().collect::<Vec<_>>()
        };
        assert_eq!(letters(r#"[{"a":"x","b":{"c":2}}]"#), [b'b', b'F']);
        assert_eq!(letters(r#"[{"a":"x"},{"b":{"c":2}}]"#), [b'F', b'b']);
    }

    #[test]
    fn null_false_zero_and_keys_with_an_underscore_are_no_features() {
        let one = context(r#"[{"a":"x"}]"#);
        let more = r#"[{"n":null,"_text":"b c","f":false,"_o":{"d":1},"a":"x","z":0}]"#;
        assert_eq!(context(more), one);
    }

    #[test]
    fn an_array_keeps_positions() {
        assert_ne!(context(r#"[{"a":[0,1]}]"#), context(r#"[{"a":[1]}]"#));
        assert_eq!(context(r#"[{"a":[0,1]}]"#), context(r#"[{"a":[0.0,1.0,0]}]"#));
    }

    #[test]
    fn namespaces_are_those_of_the_service() {
        let letters = |example: Example| example.letters().collect::<Vec<_>>();
        let context = objects(r#"[{"a":"x","user":{"b":1}}]"#);
        assert_eq!(letters(context_example(Hashing::default(), &context)), b"uF");
        let action = RankableAction { id: "one".into(), features: objects(r#"[{"a":"x"}]"#) };
        assert_eq!(letters(action_example(Hashing::default(), &action)), b"ij");
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
            let alone = context_example(Hashing::default(), &context);
            assert_eq!(format!("{:?}", event.shared), format!("{alone:?}"));
        }
        assert!(cache.events.len() <= CAPACITY);
    }
}
