//! What the cells of a matrix differ in.

use std::collections::HashSet;
use std::time::Duration;

use crate::document::{Entry, Node, Value};
use crate::file::Files;
use crate::format::{Named, Placed, Share, duration, rate, share};
use crate::model::{MatrixFile, Policies};
use crate::policy_list;
use diagnostic::{Diagnostic, Place, Report, Source, nearest};
use plan::Rate;

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
    /// Whether the label is a name that the user chose, and not the value as it is written.
    pub is_named: bool,
}

/// Where the policy of a cell stands.
const POLICY: &str = "loop.learning_policy";

/// Where the target of a cell stands.
const TARGET: &str = "target";

/// The axes of a matrix, the seed left out.
pub(super) fn axes(
    root: &Node,
    matrix: &MatrixFile,
    files: &Files,
    report: &mut Report,
) -> Vec<Axis> {
    let targets = matrix.targets.as_ref().map(|of| target_axis(of, root.get(TARGET), report));
    let policies = matrix.policies.as_ref().map(|of| policy_axis(of, files, report));
    let others = matrix.axes.iter().flatten().map(|Named { name, place, value: values }| {
        refuse_own(name, place, report);
        let all = values.iter().map(AxisValue::of).collect();
        Axis { name: name.clone(), path: place.clone(), values: distinct(all, report) }
    });
    targets.into_iter().chain(policies).chain(others).collect()
}

/// Whether another key stands where what the targets have in common was meant to stand.
pub(super) fn target_is_misspelt(root: &Node) -> bool {
    let is_near = |entry: &Entry| nearest(&entry.key, [TARGET]).is_some();
    root.get(TARGET).is_none() && root.entries().iter().any(is_near)
}

/// Refuses a seed that appears twice.
pub(super) fn refuse_same_seed(seeds: &[u64], place: &Place, report: &mut Report) {
    let mut seen = HashSet::new();
    if let Some(seed) = seeds.iter().find(|seed| !seen.insert(**seed)) {
        report.push(Diagnostic::error(format!("seed {seed} appears twice")).at(place));
    }
}

fn target_axis(targets: &[Named<Node>], shared: Option<&Node>, report: &mut Report) -> Axis {
    let path = Source::new("matrix.targets", TARGET);
    let value = |Named { name, value, .. }: &Named<Node>| AxisValue {
        label: name.clone(),
        node: shared.map_or_else(|| value.clone(), |shared| value.completed(shared)),
        is_named: true,
    };
    let values = targets.iter().map(value).collect();
    let path = Place::new(&path, 0..TARGET.len());
    Axis { name: TARGET.to_owned(), path, values: distinct(values, report) }
}

fn policy_axis(policies: &Placed<Policies>, files: &Files, report: &mut Report) -> Axis {
    let path = Source::new("matrix.policies", POLICY);
    let values = match &policies.value {
        Policies::Named(policies) => policies
            .iter()
            .map(|of| AxisValue { label: of.name.clone(), node: of.value.clone(), is_named: true })
            .collect(),
        Policies::File(path) => of_file(path, files, report),
    };
    let path = Place::new(&path, 0..POLICY.len());
    Axis { name: "policy".to_owned(), path, values: distinct(values, report) }
}

fn of_file(path: &Placed<String>, files: &Files, report: &mut Report) -> Vec<AxisValue> {
    let Some(source) = files.read(path, &path.place, report) else { return Vec::new() };
    let value = |policy: policy_list::Written| AxisValue {
        label: policy.name,
        node: Node { value: Value::Text(policy.place.text().to_owned()), place: policy.place },
        is_named: true,
    };
    policy_list::written(&source, report).into_iter().map(value).collect()
}

/// What stands in a cell beside the value: these have keys of their own.
fn refuse_own(path: &str, place: &Place, report: &mut Report) {
    let instead = match path {
        "seed" => "matrix.seeds",
        POLICY => "matrix.policies",
        TARGET => "matrix.targets",
        _ if path == "matrix" || path.starts_with("matrix.") => "another value",
        _ => return,
    };
    let message = format!("`{path}` cannot be an axis");
    report.push(Diagnostic::error(message).at(place).help(format!("use `{instead}`")));
}

/// Refuses a value that appears twice.
fn distinct(values: Vec<AxisValue>, report: &mut Report) -> Vec<AxisValue> {
    for (index, value) in values.iter().enumerate() {
        let Some(first) = values[..index].iter().find(|other| other.is(value)) else { continue };
        let message = if first.label == value.label {
            format!("`{}` appears twice", value.label)
        } else {
            format!("`{}` and `{}` are the same value", first.label, value.label)
        };
        let mistake = Diagnostic::error(message).at(&value.node.place).label("again");
        report.push(mistake.context(&first.node.place, "first").help("leave one of them out"));
    }
    values
}

/// What a value means, however it is written.
#[derive(PartialEq)]
enum Meaning<'a> {
    Boolean(bool),
    Number(f64),
    Duration(Duration),
    Rate(Rate),
    Percent(f64),
    Text(&'a str),
}

impl<'a> Meaning<'a> {
    fn of(node: &'a Node) -> Self {
        let text = node.text().unwrap_or_default();
        if let Some(number) = node.number() {
            return Self::Number(number);
        }
        match share(text) {
            #[expect(clippy::cast_precision_loss, reason = "as JSON numbers are compared")]
            Some(Share::Count(number)) => return Self::Number(number as f64),
            Some(Share::Percent(percent)) => return Self::Percent(percent),
            None => {}
        }
        let notation = duration(text).map(Self::Duration).or_else(|| rate(text).map(Self::Rate));
        match node.boolean() {
            Some(value) => Self::Boolean(value),
            None => notation.unwrap_or(Self::Text(text)),
        }
    }
}

impl AxisValue {
    /// A value, called as it is written.
    pub fn of(node: &Node) -> Self {
        let label = node.text().map_or_else(|| node.place.text().to_owned(), str::to_owned);
        Self { label, node: node.clone(), is_named: false }
    }

    /// Whether two values of an axis are one: by their names, or by what they mean.
    pub fn is(&self, other: &Self) -> bool {
        if self.is_named || other.is_named {
            return self.label == other.label;
        }
        Meaning::of(&self.node) == Meaning::of(&other.node)
    }
}
