//! Users as a tree: a level for each context dimension, the preferred action inside.

use std::collections::HashSet;

use super::dimension::features;
use super::{Frame, Row};
use crate::diagnostic::{Diagnostic, Place, Report};
use crate::protocol::FeatureValue;
use crate::scenario::document::{Entry, Node, Value};

/// The rows of a tree, in the order of the file.
pub(super) fn rows(root: &Node, frame: &Frame<'_>, report: &mut Report) -> Vec<Row> {
    let mut walk = Walk { frame, report, rows: Vec::new(), path: Vec::new() };
    walk.level(&[(None, root)]);
    walk.inside(root);
    walk.rows
}

struct Walk<'a, 'r> {
    frame: &'a Frame<'a>,
    report: &'r mut Report,
    rows: Vec<Row>,
    path: Vec<&'a Entry>,
}

impl<'a> Walk<'a, '_> {
    /// Says which branches of a level lack what others have: every combination of the
    /// dimensions must have a preference.
    fn level(&mut self, branches: &[(Option<&'a Entry>, &'a Node)]) {
        let mut all: Vec<&str> = Vec::new();
        let mut known = HashSet::new();
        for entry in branches.iter().flat_map(|(_, node)| node.entries()) {
            if known.insert(entry.key.as_str()) {
                all.push(&entry.key);
            }
        }
        for (owner, node) in branches.iter().filter(|(_, node)| is_map(node)) {
            let own: HashSet<&str> = node.entries().iter().map(|e| e.key.as_str()).collect();
            let missing: Vec<String> = all
                .iter()
                .filter(|key| !own.contains(**key))
                .map(|key| format!("`{key}`"))
                .collect();
            if let (Some(owner), false) = (owner, missing.is_empty()) {
                let message =
                    format!("`{}` has no {}, which others have", owner.key, missing.join(", "));
                let help = "a tree holds every combination; write a population with gaps as CSV or as a list of records";
                self.report.push(Diagnostic::error(message).at(&owner.place).help(help));
            }
        }
    }

    fn inside(&mut self, root: &'a Node) {
        let mut branches: Vec<(Option<&'a Entry>, &'a Node)> = vec![(None, root)];
        for _ in 1..self.frame.dimensions.len() {
            let next = branches.iter().flat_map(|(_, node)| node.entries());
            branches = next.map(|entry| (Some(entry), &entry.value)).collect();
            self.level(&branches);
        }
        self.descend(root, &root.place);
    }

    fn descend(&mut self, node: &'a Node, place: &'a Place) {
        let depth = self.path.len();
        let Some(dimension) = self.frame.dimensions.get(depth) else {
            return self.leaf(node);
        };
        if !is_map(node) {
            let message = format!("`{}` is missing: the tree ends before it", dimension.name);
            let levels = self.frame.dimensions.len();
            let diagnostic = Diagnostic::error(message).at(if node.place.span.is_empty() {
                place
            } else {
                &node.place
            });
            return self.report.push(diagnostic.help(format!(
                "`context` names {levels} dimensions, so the tree has {levels} levels"
            )));
        }
        for entry in node.entries() {
            self.path.push(entry);
            self.descend(&entry.value, &entry.place);
            self.path.pop();
        }
    }

    fn leaf(&mut self, node: &'a Node) {
        let Some((preferred, weight)) = self.preference(node) else { return };
        let frame = self.frame;
        let index = frame.actions.find(preferred.0, preferred.1, frame.actions_file, self.report);
        let (Some(index), Some(values)) = (index, self.values()) else { return };
        self.rows.push(Row {
            context: self.path.iter().map(|entry| entry.key.clone()).collect(),
            features: features(frame.dimensions, values),
            preferred: index,
            weight,
            place: node.place.clone(),
        });
    }

    /// The preferred action and the weight.
    fn preference(&mut self, node: &'a Node) -> Option<((&'a str, &'a Place), f64)> {
        if let Some(text) = node.text() {
            return Some(((text, &node.place), 1.0));
        }
        let preferred = node.get("preferred").and_then(|inner| Some((inner.text()?, &inner.place)));
        let known = node.entries().iter().all(|e| e.key == "preferred" || e.key == "weight");
        let (Some(preferred), true) = (preferred, known) else {
            let levels = self.frame.dimensions.len();
            let message = format!("expected the preferred action, found {}", node.kind());
            let help = format!(
                "`context` names {levels} dimensions; inside them stands an action, or `{{\"preferred\": …, \"weight\": …}}`"
            );
            self.report.push(Diagnostic::error(message).at(&node.place).help(help));
            return None;
        };
        Some((preferred, super::record::weight(node.get("weight"), self.report)))
    }

    fn values(&mut self) -> Option<Vec<FeatureValue>> {
        let pairs = self.path.iter().zip(self.frame.dimensions);
        let mut values = Vec::new();
        for (entry, dimension) in pairs {
            match dimension.feature(&entry.key) {
                Ok(value) => values.push(value),
                Err(message) => self.report.push(Diagnostic::error(message).at(&entry.place)),
            }
        }
        (values.len() == self.path.len()).then_some(values)
    }
}

fn is_map(node: &Node) -> bool {
    matches!(node.value, Value::Map(_))
}
