//! The description as a JSON Schema (draft-07), for editors.

use serde_json::{Map, Value, json};

use super::description::SCENARIO;
use super::scalar;
use super::shape::{Field, Object, Presence, Shape, Variant};

/// A reference to the environment may stand for any scalar.
const REFERENCE: &str = r"\$\{";

/// The JSON Schema (draft-07) of a scenario file. It accepts what the program accepts,
/// as far as a schema can see it: it knows no files, no policies and no expectations.
#[must_use]
pub fn schema() -> Value {
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "runner scenario",
    });
    merge(&mut schema, object(&SCENARIO));
    schema
}

fn merge(into: &mut Value, from: Value) {
    if let (Value::Object(into), Value::Object(from)) = (into, from) {
        into.extend(from);
    }
}

fn of(shape: &Shape) -> Value {
    match shape {
        Shape::Nothing => json!({ "type": "null" }),
        Shape::Boolean => or_reference(&json!({ "type": "boolean" })),
        Shape::Count { least, most } => json!({ "anyOf": [
            { "type": "integer", "minimum": least, "maximum": most },
            text_with(if *least > 0 { scalar::POSITIVE_COUNT_PATTERN } else { scalar::COUNT_PATTERN }),
        ]}),
        Shape::Integer { least, most } => {
            or_reference(&json!({ "type": "integer", "minimum": least, "maximum": most }))
        }
        Shape::Number { least, most } => {
            or_reference(&json!({ "type": "number", "minimum": least, "maximum": most }))
        }
        Shape::Text => json!({ "type": "string", "pattern": r"\S" }),
        Shape::Notation(notation) => text_with(notation.pattern),
        Shape::Word(words) => or_reference(&json!({ "oneOf": words.iter().map(|word| {
            json!({ "const": word.word, "description": word.about })
        }).collect::<Vec<_>>() })),
        Shape::List { of: item, least } => {
            json!({ "type": "array", "items": of(item), "minItems": least })
        }
        Shape::Table { of: value, least } => {
            json!({ "type": "object", "additionalProperties": of(value), "minProperties": least })
        }
        Shape::Object(description) => object(description),
        Shape::Tagged(variants) => tagged(variants),
        Shape::Either(shapes) => {
            json!({ "anyOf": shapes.iter().map(|shape| of(shape)).collect::<Vec<_>>() })
        }
    }
}

fn or_reference(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "string", "pattern": REFERENCE }] })
}

fn text_with(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": format!("{pattern}|{REFERENCE}") })
}

fn object(object: &Object) -> Value {
    let properties: Map<String, Value> =
        object.fields.iter().map(|field| (field.name.to_owned(), property(field))).collect();
    let required: Vec<&str> =
        object.fields.iter().filter(|field| field.is_required()).map(|field| field.name).collect();
    let mut schema = json!({
        "type": "object",
        "description": object.about,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        merge(&mut schema, json!({ "required": required }));
    }
    for alternatives in object.fields.iter().filter_map(one_of) {
        merge(&mut schema, alternatives);
    }
    schema
}

/// The keys of which one has to be there.
fn one_of(field: &Field) -> Option<Value> {
    let Presence::Unless(others) = field.presence else { return None };
    let keys = std::iter::once(&field.name).chain(others);
    Some(json!({ "anyOf": keys.map(|key| json!({ "required": [key] })).collect::<Vec<_>>() }))
}

fn property(field: &Field) -> Value {
    let mut schema = of(field.shape);
    merge(&mut schema, json!({ "description": field.about }));
    if let Presence::Default(default) = field.presence {
        let default: Value = serde_json::from_str(default).unwrap_or_default();
        merge(&mut schema, json!({ "default": default }));
    }
    schema
}

fn tagged(variants: &[Variant]) -> Value {
    let alone = variants.iter().filter(|variant| variant.alone);
    let words = alone.map(|variant| json!({ "const": variant.key, "description": variant.about }));
    let maps = variants.iter().map(|variant| {
        let mut value = of(variant.shape);
        merge(&mut value, json!({ "description": variant.about }));
        json!({
            "type": "object",
            "properties": { variant.key: value },
            "required": [variant.key],
            "additionalProperties": false,
        })
    });
    json!({ "anyOf": words.chain(maps).collect::<Vec<_>>() })
}
