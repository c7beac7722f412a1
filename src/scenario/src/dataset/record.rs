//! Users as a list of records: `{context, preferred, weight}`, or `rewards` instead of
//! `preferred`, with features of any kind in the context.

use super::dimension::{Dimension, DimensionKind};
use super::preference::{check_own, of_record, own_actions};
use super::{Frame, Row, feature};
use crate::document::{Node, Value};
use diagnostic::{Diagnostic, Report, nearest};

const KEYS: [&str; 5] = ["context", "preferred", "rewards", "actions", "weight"];

/// The rows of a list of records.
pub(super) fn rows(list: &Node, frame: &Frame<'_>, report: &mut Report) -> Vec<Row> {
    if let Some(first) = list.items().first().filter(|first| is_action(first)) {
        let message = "a list of users holds records with `context`, found an action";
        let mistake = Diagnostic::error(message).at(&first.place);
        report.push(mistake.help("put a file of actions under `actions` of `datasets`"));
        return Vec::new();
    }
    list.items().iter().filter_map(|item| row(item, frame, report)).collect()
}

/// Whether it is `{id, features}`.
fn is_action(item: &Node) -> bool {
    item.get("id").is_some() && item.get("context").is_none()
}

fn row(item: &Node, frame: &Frame<'_>, report: &mut Report) -> Option<Row> {
    if !matches!(item.value, Value::Map(_)) {
        let message = format!("a record must be a map, found {}", item.kind());
        report.push(Diagnostic::error(message).at(&item.place));
        return None;
    }
    refuse_unknown(item, report);
    let context = item.get("context");
    if context.is_none() {
        report.push(Diagnostic::error("a record needs `context`").at(&item.place));
    }
    let preference = of_record(item, frame, report);
    let own = item.get("actions");
    let actions = own.and_then(|actions| own_actions(actions, frame, report));
    let weight = weight(item.get("weight"), report);
    let context = context?;
    let features = feature::object(context, report)?;
    let values: Vec<Option<String>> =
        frame.dimensions.iter().map(|dimension| value(context, dimension, report)).collect();
    let context = values.into_iter().collect::<Option<_>>()?;
    let preference = preference?;
    if own.is_some() && actions.is_none() {
        return None;
    }
    check_own(&preference, actions.as_deref(), &item.place, report)?;
    Some(Row { context, features, preference, actions, weight, place: item.place.clone() })
}

fn refuse_unknown(item: &Node, report: &mut Report) {
    for entry in item.entries().iter().filter(|entry| !KEYS.contains(&&*entry.key)) {
        let help = match nearest(&entry.key, KEYS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "features belong into `context`".to_owned(),
        };
        let message = format!(
            "a record has `context`, `preferred` or `rewards`, `actions` and `weight`, but no `{}`",
            entry.key
        );
        report.push(Diagnostic::error(message).at(&entry.place).help(help));
    }
}

/// How often a row turns up; 1 if it is not said.
pub(super) fn weight(node: Option<&Node>, report: &mut Report) -> f64 {
    let Some(node) = node else { return 1.0 };
    let weight = node.number().filter(|weight| *weight > 0.0);
    if weight.is_none() {
        let message =
            format!("a weight must be a number above zero, found `{}`", node.place.text());
        report.push(Diagnostic::error(message).at(&node.place));
    }
    weight.unwrap_or(1.0)
}

/// The value of a dimension as text, for results.
fn value(context: &Node, dimension: &Dimension, report: &mut Report) -> Option<String> {
    let mut node = context;
    for part in dimension.name.split('.') {
        let Some(inner) = node.get(part) else {
            let diagnostic = Diagnostic::error(format!("the context has no `{}`", dimension.name));
            let near = nearest(part, node.entries().iter().map(|entry| entry.key.as_str()));
            let help = near.map(|near| format!("it has `{near}`"));
            report.push(diagnostic.at(&node.place).maybe_help(help));
            return None;
        };
        node = inner;
    }
    let (text, kind) = match &node.value {
        Value::Text(text) => (Some(text.clone()), DimensionKind::Text),
        Value::Number(number) => (Some(number.to_string()), DimensionKind::Number),
        Value::Bool(value) => (Some(value.to_string()), DimensionKind::Boolean),
        _ => (None, DimensionKind::Text),
    };
    let fits = dimension.kind == DimensionKind::Text || dimension.kind == kind;
    if text.is_none() || !fits {
        let message = format!(
            "`{}` must be a single value of its type, found {}",
            dimension.name,
            node.kind()
        );
        report.push(Diagnostic::error(message).at(&node.place));
    }
    text
}
