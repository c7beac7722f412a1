//! Features as the service takes them (personalizer-api.md §1.4, §2.7).

use crate::document::{Entry, Node, Value};
use diagnostic::{Diagnostic, Place, Report};
use protocol::{FeatureObject, FeatureValue};

/// An object of features.
pub(super) fn object(node: &Node, report: &mut Report) -> Option<FeatureObject> {
    let Value::Map(entries) = &node.value else {
        let message = format!("features must be a map, found {}", node.kind());
        report.push(Diagnostic::error(message).at(&node.place));
        return None;
    };
    let features = entries.iter().filter_map(|entry| {
        check_key(&entry.key, &entry.place, report);
        Some((entry.key.clone(), feature(entry, report)?))
    });
    Some(FeatureObject(features.collect()))
}

fn check_key(key: &str, place: &Place, report: &mut Report) {
    if key.is_empty() {
        report.push(Diagnostic::error("a feature needs a name").at(place));
    }
    if key.starts_with('_') {
        let message = format!("the learner does not see `{key}`: it begins with `_`");
        report.push(Diagnostic::warning(message).at(place));
    }
}

fn feature(entry: &Entry, report: &mut Report) -> Option<FeatureValue> {
    let node = &entry.value;
    match &node.value {
        Value::Null => Some(FeatureValue::Null),
        Value::Bool(value) => Some(FeatureValue::Bool(*value)),
        Value::Number(value) => Some(FeatureValue::Number(value.clone())),
        Value::Text(text) | Value::Interpolated(text) => Some(FeatureValue::Text(text.clone())),
        Value::List(items) => Some(FeatureValue::List(numbers(items, report))),
        Value::Map(_) => object(node, report).map(FeatureValue::Object),
        Value::NotFinite => {
            report.push(Diagnostic::error("a feature must be a finite number").at(&node.place));
            None
        }
    }
}

/// The service refuses lists of anything but numbers.
fn numbers(items: &[Node], report: &mut Report) -> Vec<FeatureValue> {
    let number = |item: &Node| {
        if let Value::Number(value) = &item.value {
            return Some(FeatureValue::Number(value.clone()));
        }
        let message = format!("a list of features holds numbers only, found {}", item.kind());
        let help = "make each a key of a map: `{\"sport\": true}`";
        report.push(Diagnostic::error(message).at(&item.place).help(help));
        None
    };
    items.iter().filter_map(number).collect()
}
