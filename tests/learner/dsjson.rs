//! A labelled DSJSON line as an event of the learner.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Vowpal Wabbit narrows these numbers"
)]

use std::sync::Arc;

use runner::learner::{Event, Example, ExampleBuilder, Hashing, Label};
use runner::protocol::{FeatureObject, FeatureValue};

/// The event of a line and its label.
pub fn read(line: &str, hashing: Hashing) -> (Event, Label) {
    let object: FeatureObject = serde_json::from_str(line).unwrap();
    let get = |key: &str| object.0.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let number = |key: &str| match get(key) {
        Some(FeatureValue::Number(number)) => number.as_f64().unwrap(),
        other => panic!("{key}: {other:?}"),
    };
    let Some(FeatureValue::Object(context)) = get("c") else { panic!("no context in {line}") };
    let label = Label {
        action: number("_labelIndex") as usize,
        cost: number("_label_cost") as f32,
        probability: number("_label_probability") as f32,
    };
    (event(context, hashing), label)
}

fn event(context: &FeatureObject, hashing: Hashing) -> Event {
    let multi = context.0.iter().find(|(key, _)| key == "_multi").map(|(_, value)| value);
    let Some(FeatureValue::List(actions)) = multi else { panic!("no actions") };
    let action = |action: &FeatureValue| match action {
        FeatureValue::Object(object) => Arc::new(example(object, hashing)),
        other => panic!("an action that is {other:?}"),
    };
    Event {
        shared: Arc::new(example(context, hashing)),
        actions: actions.iter().map(action).collect(),
    }
}

fn example(object: &FeatureObject, hashing: Hashing) -> Example {
    let mut builder = ExampleBuilder::new(hashing);
    add_object(&mut builder, object);
    builder.finish()
}

fn add_object(builder: &mut ExampleBuilder, object: &FeatureObject) {
    for (key, value) in &object.0 {
        if !key.starts_with('_') {
            add(builder, key, value);
        }
    }
}

fn add(builder: &mut ExampleBuilder, key: &str, value: &FeatureValue) {
    match value {
        FeatureValue::Null => {}
        FeatureValue::Bool(flag) => builder.flag(key, *flag),
        FeatureValue::Number(number) => builder.number(key, number.as_f64().unwrap()),
        FeatureValue::Text(text) => builder.text(key, text),
        FeatureValue::Object(object) => {
            builder.open(key);
            add_object(builder, object);
            builder.close();
        }
        FeatureValue::List(values) => {
            builder.open(key);
            let mut position = 0;
            for value in values {
                match value {
                    FeatureValue::Number(number) => {
                        builder.element(position, number.as_f64().unwrap());
                        position += 1;
                    }
                    FeatureValue::Object(object) => add_object(builder, object),
                    FeatureValue::Null => {}
                    other => panic!("{other:?} in an array"),
                }
            }
            builder.close();
        }
    }
}
