//! `gates:`, of a scenario with a matrix or of a file of their own.

use std::path::Path;

use super::document::{Node, apply_overrides, interpolate, yaml};
use super::file::{self, LARGEST_SCENARIO};
use super::model::{as_count, check_gates};
use diagnostic::{Diagnostic, Report, nearest};
use metrics::{Direction, ExpectationError, Gate, PhaseScope, Requirement, Term};
use statistics::Confidence;

/// With fewer seeds nothing is decided, unless a gate says otherwise.
const MIN_SEEDS: u64 = 5;

/// What gates may speak of.
#[derive(Debug, Clone, Copy)]
pub struct GateScope<'a> {
    /// The phases.
    pub phases: &'a [PhaseScope<'a>],
    /// The policies.
    pub policies: &'a [String],
}

/// Reads the `gates:` of the file at `path`; it may be a scenario.
///
/// # Errors
/// Everything that is wrong with them.
pub fn load_gates(path: &Path, scope: GateScope<'_>) -> Result<Vec<Gate>, Report> {
    let shown = path.display().to_string();
    let source = file::read(path, &shown, LARGEST_SCENARIO)?;
    let mut report = Report::new();
    let Some(root) = yaml::read(&source, &mut report) else { return Err(report) };
    let Some(entry) = root.entry("gates") else {
        let message = format!("`{shown}` has no `gates`");
        let help = "write `gates:` and below it `- metric: validation.success_rate`";
        report.push(Diagnostic::error(message).help(help));
        return Err(report);
    };
    check_gates(&entry.value, &mut report);
    let gates = gates(&entry.value, scope, &mut report);
    report.sort();
    if report.has_errors() { Err(report) } else { Ok(gates) }
}

/// The `gates:` of the scenario at `path`, changed as it was when it was run; none, if it
/// has none.
///
/// # Errors
/// Everything that is wrong with them.
pub fn kept_gates(
    path: &Path,
    overrides: &[String],
    environment: &dyn Fn(&str) -> Option<String>,
    scope: GateScope<'_>,
) -> Result<Vec<Gate>, Report> {
    let source = file::read(path, &path.display().to_string(), LARGEST_SCENARIO)?;
    let mut report = Report::new();
    let Some(mut root) = yaml::read(&source, &mut report) else { return Err(report) };
    apply_overrides(&mut root, overrides, &mut report);
    let Some(mut list) = root.get("gates").cloned() else { return Ok(Vec::new()) };
    interpolate(&mut list, environment, &mut report);
    check_gates(&list, &mut report);
    let gates = gates(&list, scope, &mut report);
    if report.has_errors() { Err(report) } else { Ok(gates) }
}

/// The gates of a list that was checked.
pub(super) fn gates(list: &Node, scope: GateScope<'_>, report: &mut Report) -> Vec<Gate> {
    let items = list.items().iter();
    items.filter_map(|item| gate(item, scope, report)).collect()
}

fn gate(item: &Node, scope: GateScope<'_>, report: &mut Report) -> Option<Gate> {
    let policies = policies(item, scope, report);
    let against = item.get("against").and_then(|node| policy(node, scope, report));
    let term = term(item, scope, report)?;
    let margin = margin(item, &term, report);
    let word = |key: &str| item.get(key).and_then(Node::text);
    let confidence = item.get("confidence").and_then(Node::number).and_then(Confidence::new);
    Some(Gate {
        requirement: match word("require") {
            Some("better") => Requirement::Better(margin),
            _ => Requirement::NotWorse(margin),
        },
        term,
        policies,
        against,
        confidence: confidence.unwrap_or(Confidence::P95),
        min_seeds: item.get("min_seeds").and_then(as_count).unwrap_or(MIN_SEEDS),
        inconclusive_fails: word("inconclusive") == Some("fail"),
    })
}

fn term(item: &Node, scope: GateScope<'_>, report: &mut Report) -> Option<Term> {
    let node = item.get("metric")?;
    let term = match Term::parse(node.text()?, scope.phases) {
        Ok(term) => term,
        Err(errors) => {
            errors.into_iter().for_each(|error| misread(node, error, report));
            return None;
        }
    };
    if term.definition().metric.direction() == Direction::None {
        let message = format!("neither more nor less of `{}` is better", term.text());
        let help = "a gate needs a metric with a better side, such as `success_rate`";
        report.push(Diagnostic::error(message).at(&node.place).help(help));
        return None;
    }
    Some(term)
}

/// In the unit of the metric; nothing, if none is written.
fn margin(item: &Node, term: &Term, report: &mut Report) -> f64 {
    let Some(node) = item.get("margin") else { return 0.0 };
    let written = node.place.text();
    let text = node.text().unwrap_or(written);
    match term.value(text) {
        Ok(value) if value >= 0.0 => value,
        Ok(_) => {
            let message = format!("a margin is at least zero, found `{text}`");
            let help = "write how much a difference matters; `require` says on which side";
            report.push(Diagnostic::error(message).at(&node.place).help(help));
            0.0
        }
        Err(error) => {
            misread(node, error, report);
            0.0
        }
    }
}

fn policies(item: &Node, scope: GateScope<'_>, report: &mut Report) -> Vec<String> {
    let Some(node) = item.get("policies") else { return Vec::new() };
    let one = std::slice::from_ref(node);
    let named = if node.text().is_some() { one } else { node.items() };
    named.iter().filter_map(|node| policy(node, scope, report)).collect()
}

fn policy(node: &Node, scope: GateScope<'_>, report: &mut Report) -> Option<String> {
    let name = node.text()?;
    if scope.policies.iter().any(|policy| policy == name) {
        return Some(name.to_owned());
    }
    let names = || scope.policies.iter().map(String::as_str);
    let help = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there is `{}`", names().collect::<Vec<_>>().join("`, `")),
    };
    let message = format!("there is no policy `{name}`");
    report.push(Diagnostic::error(message).at(&node.place).help(help));
    None
}

fn misread(node: &Node, error: ExpectationError, report: &mut Report) {
    let place = node.place_within(error.span);
    report.push(Diagnostic::error(error.message).at(&place).maybe_help(error.help));
}
