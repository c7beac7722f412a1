//! Users as a tree: a level for each context dimension, the preferred action inside.

use std::collections::HashSet;

use super::dimension::features;
use super::preference::{of_action, of_record};
use super::{Frame, Row, record};
use crate::document::{Entry, Node, Value};
use diagnostic::{Diagnostic, Place, Report};
use protocol::FeatureValue;

/// The rows of a tree, in the order of the file.
pub(super) fn rows(root: &Node, frame: &Frame<'_>, report: &mut Report) -> Vec<Row> {
    let mut level = vec![Branch { path: Vec::new(), values: Some(Vec::new()), node: root }];
    for depth in 0..frame.dimensions.len() {
        if !check_level(&level, depth, frame, report) {
            return Vec::new();
        }
        level = level.iter().flat_map(|branch| inside(branch, depth, frame, report)).collect();
    }
    let maps = level.iter().all(|branch| is_map(branch.node) && !has_preference(branch.node));
    match level.first() {
        // The same mistake everywhere is said once.
        Some(first) if maps && level.len() > 1 => report.push(too_deep(first, frame)),
        _ => return level.iter().filter_map(|branch| row(branch, frame, report)).collect(),
    }
    Vec::new()
}

/// A part of the tree, the keys on the way to it, and the features they stand for.
struct Branch<'a> {
    path: Vec<&'a Entry>,
    values: Option<Vec<FeatureValue>>,
    node: &'a Node,
}

impl Branch<'_> {
    fn place(&self) -> &Place {
        &self.path.last().map_or(self.node, |entry| &entry.value).place
    }
}

/// Whether the branches of a level have a level inside. A level that is missing
/// everywhere is said once.
fn check_level(level: &[Branch<'_>], depth: usize, frame: &Frame<'_>, report: &mut Report) -> bool {
    let maps = level.iter().filter(|branch| is_map(branch.node)).count();
    let flat = level.iter().filter(|branch| !is_map(branch.node));
    for branch in flat.take(if maps == 0 { 1 } else { usize::MAX }) {
        report.push(too_flat(branch, depth, frame));
    }
    refuse_gaps(level, report);
    maps > 0
}

fn too_flat(branch: &Branch<'_>, depth: usize, frame: &Frame<'_>) -> Diagnostic {
    let levels = frame.dimensions.len();
    let message = format!("`{}` is missing: the tree ends before it", frame.dimensions[depth].name);
    let help = format!("`context` names {}, so the tree has as many levels", named(levels));
    Diagnostic::error(message).at(branch.place()).help(help)
}

fn too_deep(branch: &Branch<'_>, frame: &Frame<'_>) -> Diagnostic {
    let message = format!("expected the preferred action, found {}", branch.node.kind());
    let help = format!(
        "`context` names {}; inside them stands an action, or `{{\"preferred\": …, \"weight\": …}}`, \
         or `rewards` instead of `preferred`",
        named(frame.dimensions.len())
    );
    Diagnostic::error(message).at(&branch.node.place).help(help)
}

fn named(levels: usize) -> String {
    if levels == 1 { "1 dimension".to_owned() } else { format!("{levels} dimensions") }
}

/// Says which branches lack what others have: every combination of the dimensions must
/// have a preference.
fn refuse_gaps(level: &[Branch<'_>], report: &mut Report) {
    let maps = || level.iter().filter(|branch| is_map(branch.node));
    let mut known = HashSet::new();
    let entries = maps().flat_map(|branch| branch.node.entries());
    let all: Vec<&str> =
        entries.map(|entry| entry.key.as_str()).filter(|key| known.insert(*key)).collect();
    for branch in maps() {
        let own: HashSet<&str> = branch.node.entries().iter().map(|e| e.key.as_str()).collect();
        let missing = all.iter().filter(|key| !own.contains(**key)).map(|key| format!("`{key}`"));
        let missing: Vec<String> = missing.collect();
        if let (Some(owner), false) = (branch.path.last(), missing.is_empty()) {
            report.push(gap(owner, &missing));
        }
    }
}

fn gap(owner: &Entry, missing: &[String]) -> Diagnostic {
    let message = format!("`{}` has no {}, which others have", owner.key, missing.join(", "));
    Diagnostic::error(message).at(&owner.place).help(
        "a tree holds every combination; write a population with gaps as CSV or as a list of records",
    )
}

/// The branches inside a branch. A key that is no value of the dimension is reported.
fn inside<'a>(
    branch: &Branch<'a>,
    depth: usize,
    frame: &Frame<'_>,
    report: &mut Report,
) -> Vec<Branch<'a>> {
    let dimension = &frame.dimensions[depth];
    let entries = branch.node.entries().iter();
    let mut grown = |entry: &'a Entry| {
        let mut path = branch.path.clone();
        path.push(entry);
        let mut values = branch.values.clone();
        match dimension.feature(&entry.key) {
            Ok(value) => values.iter_mut().for_each(|values| values.push(value.clone())),
            Err(message) => {
                report.push(Diagnostic::error(message).at(&entry.place));
                values = None;
            }
        }
        Branch { path, values, node: &entry.value }
    };
    entries.map(&mut grown).collect()
}

fn row(branch: &Branch<'_>, frame: &Frame<'_>, report: &mut Report) -> Option<Row> {
    let node = branch.node;
    let (preference, weight) = if node.text().is_some() {
        (of_action(node, frame, report), 1.0)
    } else if is_leaf(node) {
        (of_record(node, frame, report), record::weight(node.get("weight"), report))
    } else {
        report.push(too_deep(branch, frame));
        return None;
    };
    Some(Row {
        context: branch.path.iter().map(|entry| entry.key.clone()).collect(),
        features: features(frame.dimensions, branch.values.clone()?),
        preference: preference?,
        actions: None,
        weight,
        place: node.place.clone(),
    })
}

fn has_preference(node: &Node) -> bool {
    node.get("preferred").is_some() || node.get("rewards").is_some()
}

/// Whether a map is a preference with its weight, and no level of the tree.
fn is_leaf(node: &Node) -> bool {
    let known = ["preferred", "rewards", "weight"];
    let is_known = node.entries().iter().all(|entry| known.contains(&entry.key.as_str()));
    let preferred = node.get("preferred");
    is_known && has_preference(node) && preferred.is_none_or(|node| node.text().is_some())
}

fn is_map(node: &Node) -> bool {
    matches!(node.value, Value::Map(_))
}
