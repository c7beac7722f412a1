//! What the cells of a matrix differ in.

use crate::document::{Entry, Node, Value};
use crate::file::Files;
use crate::load::SEED;
use crate::model::{as_count, seed_range};
use crate::policy_list;
use diagnostic::{Diagnostic, Place, Report, Source};

/// A value of the scenario that is different in different cells.
pub(super) struct Axis {
    /// What it is called in results.
    pub name: String,
    /// Where its values belong in the scenario.
    pub path: Place,
    pub values: Vec<AxisValue>,
}

/// One of the values of an axis.
#[derive(Clone)]
pub(super) struct AxisValue {
    /// What it is called in results.
    pub label: String,
    pub node: Node,
}

/// Where the policy of a cell stands.
const POLICY: &str = "loop.learning_policy";

/// The axes of a matrix, the seed left out.
pub(super) fn axes(matrix: &Node, files: &Files, report: &mut Report) -> Vec<Axis> {
    let policies = matrix.get("policies").map(|policies| policy_axis(policies, files, report));
    let others = matrix.get("axes").map_or(&[][..], Node::entries);
    let others = others.iter().map(|entry| {
        refuse_own(&entry.key, &entry.place, report);
        let values = entry.value.items().iter();
        Axis {
            name: entry.key.clone(),
            path: entry.place.clone(),
            values: distinct(values.map(AxisValue::of).collect(), &entry.value.place, report),
        }
    });
    policies.into_iter().chain(others).collect()
}

/// The seeds of a matrix; that of the scenario, if it names none.
pub(super) fn seeds(root: &Node, matrix: &Node, report: &mut Report) -> Vec<u64> {
    let Some(node) = matrix.get("seeds") else {
        return vec![root.get("seed").and_then(as_count).unwrap_or(SEED)];
    };
    if let Some(range) = node.text().and_then(seed_range) {
        return range.collect();
    }
    let seeds: Vec<u64> = node.items().iter().filter_map(as_count).collect();
    let again = seeds.iter().enumerate().find(|(index, seed)| seeds[..*index].contains(seed));
    if let Some((_, seed)) = again {
        report.push(Diagnostic::error(format!("seed {seed} is there twice")).at(&node.place));
    }
    seeds
}

fn policy_axis(node: &Node, files: &Files, report: &mut Report) -> Axis {
    let path = Source::new("matrix.policies", POLICY);
    let values = match &node.value {
        Value::Map(entries) => {
            let value =
                |entry: &Entry| AxisValue { label: entry.key.clone(), node: entry.value.clone() };
            entries.iter().map(value).collect()
        }
        _ => of_file(node, files, report),
    };
    let path = Place::new(&path, 0..POLICY.len());
    Axis { name: "policy".to_owned(), path, values: distinct(values, &node.place, report) }
}

fn of_file(node: &Node, files: &Files, report: &mut Report) -> Vec<AxisValue> {
    let Some(source) = files.read(node, report) else { return Vec::new() };
    let value = |policy: policy_list::Written| AxisValue {
        label: policy.name,
        node: Node { value: Value::Text(policy.place.text().to_owned()), place: policy.place },
    };
    policy_list::written(&source, report).into_iter().map(value).collect()
}

/// What stands in a cell beside the value: these have keys of their own.
fn refuse_own(path: &str, place: &Place, report: &mut Report) {
    let instead = match path {
        "seed" => "matrix.seeds",
        POLICY => "matrix.policies",
        _ if path == "matrix" || path.starts_with("matrix.") => "another value",
        _ => return,
    };
    let message = format!("`{path}` cannot be an axis");
    report.push(Diagnostic::error(message).at(place).help(format!("use `{instead}`")));
}

/// Refuses a value that is there twice.
fn distinct(values: Vec<AxisValue>, place: &Place, report: &mut Report) -> Vec<AxisValue> {
    for (index, value) in values.iter().enumerate() {
        if values[..index].iter().any(|other| other.label == value.label) {
            let message = format!("`{}` is there twice", value.label);
            report.push(Diagnostic::error(message).at(place).help("leave one of them out"));
        }
    }
    values
}

impl AxisValue {
    /// A value, called as it is written.
    pub fn of(node: &Node) -> Self {
        let label = node.text().map_or_else(|| node.place.text().to_owned(), str::to_owned);
        Self { label, node: node.clone() }
    }
}
