//! What every Rank request shares.

use std::sync::Arc;

use super::{ActionIndex, feature, read, take_some};
use crate::document::{Entry, Node, Value};
use diagnostic::{Diagnostic, Report, Source, nearest};
use protocol::FeatureObject;

/// What every Rank request shares.
#[derive(Debug, Default)]
pub(crate) struct Template {
    /// Context features beside those of the visitor.
    pub context: Vec<FeatureObject>,
    /// Indices of actions that are not to be chosen.
    pub excluded: Vec<String>,
    /// Whether events are activated later.
    pub defer_activation: bool,
}

const KEYS: [&str; 5] =
    ["contextFeatures", "actions", "excludedActions", "eventId", "deferActivation"];

/// Reads the template of the Rank requests.
pub(crate) fn template(
    source: &Arc<Source>,
    actions: &ActionIndex,
    report: &mut Report,
) -> Template {
    let mut mistakes = Report::new();
    let node = read(source, &mut mistakes);
    let template = node.map(|node| from_tree(&node, actions, source, &mut mistakes));
    take_some(&mistakes, source, report);
    template.unwrap_or_default()
}

fn from_tree(node: &Node, actions: &ActionIndex, source: &Source, report: &mut Report) -> Template {
    if !matches!(node.value, Value::Map(_)) {
        let message = format!("a Rank request is a map, found {}", node.kind());
        report.push(Diagnostic::error(message).at(&node.place));
    }
    node.entries().iter().for_each(|entry| check_key(entry, report));
    let list = |key: &str| node.get(key).map_or(&[][..], Node::items);
    let context = list("contextFeatures").iter().filter_map(|item| feature::object(item, report));
    let context = context.collect();
    let excluded = excluded(list("excludedActions"), actions, source, report);
    let deferred = node.get("deferActivation").and_then(Node::boolean);
    Template { context, excluded, defer_activation: deferred.unwrap_or(false) }
}

fn check_key(Entry { key, place, value }: &Entry, report: &mut Report) {
    let fits = match key.as_str() {
        "contextFeatures" | "actions" | "excludedActions" => {
            matches!(value.value, Value::List(_) | Value::Null)
        }
        "eventId" => matches!(value.value, Value::Text(_) | Value::Null),
        "deferActivation" => matches!(value.value, Value::Bool(_)),
        _ => {
            let near = nearest(key, KEYS).map(|name| format!("did you mean `{name}`?"));
            let message = format!("a Rank request has no `{key}`");
            return report.push(Diagnostic::error(message).at(place).maybe_help(near));
        }
    };
    if !fits {
        let message = format!("`{key}` of a Rank request must not be {}", value.kind());
        report.push(Diagnostic::error(message).at(&value.place));
    }
    let given = !value.items().is_empty() || value.text().is_some_and(|text| !text.is_empty());
    if given && (key == "actions" || key == "eventId") {
        let message = format!("`{key}` of the template is not used: every iteration has its own");
        report.push(Diagnostic::warning(message).at(place));
    }
}

fn excluded(
    items: &[Node],
    actions: &ActionIndex,
    source: &Source,
    report: &mut Report,
) -> Vec<String> {
    let known = items.iter().filter_map(|item| {
        let id = item.text().unwrap_or_default();
        actions.find(id, &item.place, source.path(), report).map(|_| id.to_owned())
    });
    let excluded: Vec<String> = known.collect();
    if actions.len() > 0 && excluded.len() >= actions.len() {
        let place = &items[items.len() - 1].place;
        report.push(
            Diagnostic::error("every action is excluded: nothing is left to choose").at(place),
        );
    }
    excluded
}
