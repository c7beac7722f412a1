//! What is offered.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::{feature, read, take_some};
use crate::document::{Entry, Node, Value};
use crate::format::{day, days};
use diagnostic::{Diagnostic, Place, Report, Source, nearest};
use protocol::{FeatureObject, FeatureValue, LONGEST_ID, MOST_ACTIONS, RankableAction};

/// The actions by their ids.
#[derive(Debug, Default)]
pub(crate) struct ActionIndex {
    ids: Vec<String>,
    by_id: HashMap<String, usize>,
    /// Whether ids are missing because of mistakes.
    incomplete: bool,
}

impl ActionIndex {
    /// Actions that are in no file.
    pub fn of(ids: impl Iterator<Item = String>) -> Self {
        let ids: Vec<String> = ids.collect();
        Self { by_id: ids.iter().cloned().zip(0..).collect(), ids, incomplete: false }
    }

    /// The index of the action that a text names. An unknown one is reported.
    pub fn find(&self, id: &str, place: &Place, file: &str, report: &mut Report) -> Option<usize> {
        let found = self.by_id.get(id).copied();
        if found.is_none() && !self.incomplete {
            let help = match nearest(id, self.ids.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the actions of `{file}` are {}", self.listed()),
            };
            report.push(
                Diagnostic::error(format!("no action is called `{id}`")).at(place).help(help),
            );
        }
        found
    }

    /// Whether every action of the file is known.
    pub fn is_complete(&self) -> bool {
        !self.incomplete
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    fn listed(&self) -> String {
        let shown: Vec<String> = self.ids.iter().take(8).map(|id| format!("`{id}`")).collect();
        let more = if self.ids.len() > shown.len() { ", …" } else { "" };
        shown.join(", ") + more
    }
}

/// What of an action depends on the day.
#[derive(Debug, Clone, Default)]
pub(crate) struct DatedAction {
    /// The days on which it is available, and where they are written; all, if none are.
    pub available: Option<(RangeInclusive<i64>, Place)>,
    /// Other features, from a day on.
    pub changes: Vec<DatedFeatures>,
}

/// The features of an action from a day on.
#[derive(Debug, Clone)]
pub(crate) struct DatedFeatures {
    pub day: i64,
    /// Where the day is written.
    pub place: Place,
    pub features: Arc<[FeatureObject]>,
}

/// The actions of a file.
#[derive(Debug)]
pub(crate) struct ActionsFile {
    pub actions: Arc<[RankableAction]>,
    pub index: ActionIndex,
    /// What of each action depends on the day, by its index.
    pub dated: Vec<DatedAction>,
    /// The first action that is too many for a service of fifty.
    pub beyond: Option<Place>,
}

/// So many actions a file may have.
const MOST: usize = 100_000;

/// Reads the actions.
pub(crate) fn actions(source: &Arc<Source>, report: &mut Report) -> ActionsFile {
    let mut mistakes = Report::new();
    let mut index = ActionIndex::default();
    let (mut actions, mut dated, mut beyond) = (Vec::new(), Vec::new(), None);
    if let Some(node) = read(source, &mut mistakes) {
        check_list(&node, source, &mut mistakes);
        beyond = node.items().get(MOST_ACTIONS).map(|item| item.place.clone());
        let mut places = HashMap::new();
        for item in node.items() {
            if let Some((action, of_days)) = action(item, &mut places, &mut mistakes) {
                dated.push(of_days);
                index.by_id.insert(action.id.to_string(), actions.len());
                index.ids.push(action.id.to_string());
                actions.push(action);
            }
        }
    }
    index.incomplete = mistakes.has_errors();
    take_some(&mistakes, source, report);
    ActionsFile { actions: actions.into(), index, dated, beyond }
}

fn check_list(node: &Node, source: &Arc<Source>, report: &mut Report) {
    let items = node.items();
    if !matches!(node.value, Value::List(_)) {
        let message =
            format!("actions must be a list of `{{id, features}}`, found {}", node.kind());
        report.push(Diagnostic::error(message).at(&node.place));
    } else if items.is_empty() {
        report.push(Diagnostic::error("the list of actions is empty").within(source, 0..0));
    }
    if let Some(item) = items.get(MOST) {
        let message = format!("there may be at most {MOST} actions, there are {}", items.len());
        report.push(Diagnostic::error(message).at(&item.place).label("one too many"));
    }
    if let [only] = items {
        let diagnostic = Diagnostic::warning("with a single action there is nothing to choose");
        report.push(diagnostic.at(&only.place));
    }
}

fn action(
    item: &Node,
    places: &mut HashMap<String, Place>,
    report: &mut Report,
) -> Option<(RankableAction, DatedAction)> {
    if !matches!(item.value, Value::Map(_)) {
        let message =
            format!("an action must be a map with `id` and `features`, found {}", item.kind());
        report.push(Diagnostic::error(message).at(&item.place));
        return None;
    }
    let id = id_of(item, places, report);
    refuse_unknown(item, report);
    let features = features_of(item, report);
    let dated = DatedAction { available: available(item, report), changes: changes(item, report) };
    Some((RankableAction { id: id?.into(), features: features?.into() }, dated))
}

/// `"available": "2026-01-03..2026-01-10"`
fn available(item: &Node, report: &mut Report) -> Option<(RangeInclusive<i64>, Place)> {
    let node = item.get("available")?;
    let found = node.text().and_then(days);
    if found.is_none() {
        let message = format!("`available` must be days, found `{}`", node.place.text());
        let help = "write the first day and the last: `\"2026-01-03..2026-01-10\"`";
        report.push(Diagnostic::error(message).at(&node.place).help(help));
    }
    found.map(|days| (days, node.place.clone()))
}

/// `"changes": [{"from": "2026-01-05", "features": [{"price": 3}]}]`
fn changes(item: &Node, report: &mut Report) -> Vec<DatedFeatures> {
    let Some(node) = item.get("changes") else { return Vec::new() };
    if node.items().is_empty() {
        let message = "`changes` must be a list of `{from, features}`";
        report.push(Diagnostic::error(message).at(&node.place));
    }
    node.items().iter().filter_map(|item| change(item, report)).collect()
}

fn change(item: &Node, report: &mut Report) -> Option<DatedFeatures> {
    let known = |entry: &Entry| ["from", "features"].contains(&entry.key.as_str());
    if let Some(entry) = item.entries().iter().find(|entry| !known(entry)) {
        let message = format!("a change has `from` and `features`, but no `{}`", entry.key);
        report.push(Diagnostic::error(message).at(&entry.place));
    }
    let from = item.get("from");
    let found = from.and_then(Node::text).and_then(day);
    if found.is_none() {
        let place = from.map_or(&item.place, |node| &node.place);
        let message = "a change needs `from`, a day such as `\"2026-01-05\"`";
        report.push(Diagnostic::error(message).at(place));
    }
    let features = features_of(item, report)?;
    Some(DatedFeatures { day: found?, place: from?.place.clone(), features: features.into() })
}

fn id_of(item: &Node, places: &mut HashMap<String, Place>, report: &mut Report) -> Option<String> {
    let Some(node) = item.get("id") else {
        report.push(Diagnostic::error("an action needs an `id`").at(&item.place));
        return None;
    };
    let id = node.text().unwrap_or_default().to_owned();
    if id.is_empty() || id.chars().count() > LONGEST_ID {
        let message = format!("an `id` must be a text of 1 to {LONGEST_ID} characters");
        report.push(Diagnostic::error(message).at(&node.place));
        return None;
    }
    if let Some(first) = places.insert(id.clone(), node.place.clone()) {
        let diagnostic =
            Diagnostic::error(format!("two actions are called `{id}`")).at(&node.place);
        report.push(diagnostic.label("again").context(&first, "first"));
        return None;
    }
    Some(id)
}

fn refuse_unknown(item: &Node, report: &mut Report) {
    let known = ["id", "features", "available", "changes"];
    for Entry { key, place, .. } in item.entries().iter().filter(|e| !known.contains(&&*e.key)) {
        let help = match nearest(key, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "features belong into `features`".to_owned(),
        };
        let message = format!("an action has `id` and `features`, but no `{key}`");
        report.push(Diagnostic::error(message).at(place).help(help));
    }
}

/// A list of objects; an object alone is a list of one.
fn features_of(item: &Node, report: &mut Report) -> Option<Vec<FeatureObject>> {
    let Some(node) = item.get("features") else {
        report.push(Diagnostic::error("an action needs `features`").at(&item.place));
        return None;
    };
    let objects = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let features: Vec<FeatureObject> =
        objects.iter().filter_map(|object| feature::object(object, report)).collect();
    let any = features.iter().flat_map(|object| &object.0).any(|(_, v)| *v != FeatureValue::Null);
    if !any && features.len() == objects.len() {
        let diagnostic = Diagnostic::error("an action needs at least one feature");
        report.push(diagnostic.at(&node.place));
    }
    Some(features)
}
