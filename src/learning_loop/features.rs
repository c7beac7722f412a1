use std::sync::Arc;

use foldhash::HashMap;

use super::interaction::{FilledSlot, Interaction};
use crate::learner::{Event, EventSlot, Example, ExampleBuilder, Hashing, Label};
use crate::protocol::{FeatureObject, FeatureValue, RankableAction};

/// What is kept at most of each kind; a run shares far fewer.
const CAPACITY: usize = 4096;

/// Features as the learner sees them, hashed once for all requests that share them.
#[derive(Debug, Default)]
pub(super) struct FeatureCache {
    contexts: Cache<FeatureObject, Arc<Example>>,
    actions: Cache<RankableAction, Arc<[Arc<Example>]>>,
}

/// What was made of shared values.
///
/// The key is where they are in memory; the cache keeps them alive, so that no others can
/// come to be there.
#[derive(Debug)]
struct Cache<T, H>(HashMap<(Hashing, usize), Kept<T, H>>);

#[derive(Debug)]
struct Kept<T, H> {
    made: H,
    _alive: Arc<[T]>,
}

impl FeatureCache {
    /// The event of a context and its actions.
    pub fn event(
        &mut self,
        hashing: Hashing,
        context: &Arc<[FeatureObject]>,
        actions: &Arc<[RankableAction]>,
    ) -> Event {
        let shared = |context: &[_]| Arc::new(context_example(hashing, context));
        let all = |actions: &[_]| action_examples(hashing, actions);
        let recurs = self.contexts.knows(hashing, context);
        Event {
            shared: self.contexts.get(hashing, context, shared),
            actions: self.actions.get(hashing, actions, all),
            recurs,
            slots: None,
        }
    }
}

impl<T, H: Clone> Cache<T, H> {
    fn knows(&self, hashing: Hashing, shared: &Arc<[T]>) -> bool {
        self.0.contains_key(&Self::key(hashing, shared))
    }

    fn key(hashing: Hashing, shared: &Arc<[T]>) -> (Hashing, usize) {
        (hashing, Arc::as_ptr(shared).cast::<T>().addr())
    }

    fn get(&mut self, hashing: Hashing, shared: &Arc<[T]>, make: impl FnOnce(&[T]) -> H) -> H {
        // A service sees features of its own in every request; nothing is worth keeping.
        if self.0.len() >= CAPACITY {
            self.0.clear();
        }
        let kept = || Kept { made: make(shared), _alive: shared.clone() };
        self.0.entry(Self::key(hashing, shared)).or_insert_with(kept).made.clone()
    }
}

impl<T, H> Default for Cache<T, H> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl FeatureCache {
    /// The event that was, with what came of each of its slots as far as it is known.
    pub fn event_of(
        &mut self,
        hashing: Hashing,
        interaction: &Interaction,
        outcomes: &[Label],
    ) -> Event {
        let event = self.event(hashing, &interaction.context, &interaction.actions);
        if interaction.slots.is_empty() {
            return event;
        }
        let slot = |(number, slot): (usize, &FilledSlot)| EventSlot {
            included: slot.included.clone(),
            outcome: outcomes.get(number).copied(),
            ..event_slot(hashing, &slot.features)
        };
        let slots = interaction.slots.iter().enumerate().map(slot).collect();
        Event { slots: Some(slots), ..event }
    }
}

/// `"_slots": [{"sj": [{..}]}]`, one of them.
pub(super) fn event_slot(hashing: Hashing, features: &[FeatureObject]) -> EventSlot {
    let mut example = ExampleBuilder::new(hashing);
    add_namespace(&mut example, "sj", features);
    EventSlot { features: Arc::new(example.finish()), included: Vec::new(), outcome: None }
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

/// `"i": {"constant": 1, "id": ".."}, "j": [{..}]`: the model always knows which action
/// it is.
fn action_example(hashing: Hashing, action: &RankableAction) -> Example {
    let mut example = ExampleBuilder::new(hashing);
    example.open("i");
    example.number("constant", 1.0);
    example.text("id", &*action.id);
    example.close();
    add_namespace(&mut example, "j", &action.features);
    example.finish()
}

fn add_namespace(example: &mut ExampleBuilder, name: &str, objects: &[FeatureObject]) {
    example.open(name);
    objects.iter().for_each(|object| add_entries(example, object));
    example.close();
}

fn add_entries(example: &mut ExampleBuilder, object: &FeatureObject) {
    for (key, value) in object.0.iter().filter(|(key, _)| is_feature(key)) {
        add(example, key, value);
    }
}

/// Whether a key names features: `_text`, `_tag` and the like would mean something else
/// to VW.
pub(super) fn is_feature(key: &str) -> bool {
    !key.starts_with('_')
}

fn add(example: &mut ExampleBuilder, key: &str, value: &FeatureValue) {
    match value {
        FeatureValue::Null => {}
        FeatureValue::Bool(value) => example.flag(key, *value),
        FeatureValue::Number(value) => example.number(key, value.as_f64().unwrap_or(0.0)),
        FeatureValue::Text(value) => example.text(key, value),
        FeatureValue::List(values) => add_list(example, key, values),
        FeatureValue::Object(object) => {
            add_namespace(example, key, std::slice::from_ref(object));
        }
    }
}

fn add_list(example: &mut ExampleBuilder, key: &str, values: &[FeatureValue]) {
    example.open(key);
    for (position, value) in (0..).zip(values) {
        if let FeatureValue::Number(value) = value {
            example.element(position, value.as_f64().unwrap_or(0.0));
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
        let one = context(r#"[{"a":"x","b":{"c":2},"d":true}]"#);
        assert_eq!(context(r#"[{"a":"x"},{"b":{"c":2}},{"d":true}]"#), one);
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
        let first = cache.event(Hashing::default(), &context, &actions);
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
        assert!(cache.contexts.0.len() <= CAPACITY);
    }
}
