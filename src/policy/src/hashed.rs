//! What the learners of Vowpal Wabbit see of an event: the namespaces that the service gave to
//! context, actions and slots (`"c": {"FromUrl": [{..}], "_multi": [{"i": {..}, "j": [{..}]}]}`).

use std::sync::Arc;

use learner::{EventSlot, Example, ExampleBuilder, Hashing};
use protocol::{FeatureObject, FeatureValue, RankableAction};

/// `"_slots": [{"sj": [{..}]}]`, one of them.
#[must_use]
pub fn hashed_slot(hashing: Hashing, features: &[FeatureObject]) -> EventSlot {
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
#[must_use]
pub fn hashed_context(hashing: Hashing, context: &[FeatureObject]) -> Example {
    let mut example = ExampleBuilder::new(hashing);
    add_namespace(&mut example, "FromUrl", context);
    example.finish()
}

/// The examples of actions.
#[must_use]
pub fn hashed_actions(hashing: Hashing, actions: &[RankableAction]) -> Arc<[Arc<Example>]> {
    actions.iter().map(|action| Arc::new(hashed_action(hashing, action))).collect()
}

/// `"i": {"constant": 1, "id": ".."}, "j": [{..}]`: the id of an action is a feature too.
#[must_use]
pub fn hashed_action(hashing: Hashing, action: &RankableAction) -> Example {
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
#[must_use]
pub fn is_feature(key: &str) -> bool {
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
        let example = hashed_context(Hashing::default(), &objects(json));
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
        let letters =
            |json| hashed_context(Hashing::default(), &objects(json)).letters().collect::<Vec<_>>();
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
        assert_eq!(letters(hashed_context(Hashing::default(), &context)), b"uF");
        let action = RankableAction { id: "one".into(), features: objects(r#"[{"a":"x"}]"#) };
        assert_eq!(letters(hashed_action(Hashing::default(), &action)), b"ij");
    }
}
