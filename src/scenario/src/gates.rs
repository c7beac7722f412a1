//! `gates:`, of a scenario with a matrix or of a file of their own.

use std::path::Path;

use super::document::{Entry, apply_overrides, interpolate, yaml};
use super::file::{self, LARGEST_SCENARIO};
use super::format::{Form, Owner, Placed, Reading};
use super::model::{GateFile, Require, gate_list};
use diagnostic::{Diagnostic, Report, nearest};
use metrics::{Direction, ExpectationError, Gate, PhaseScope, Requirement, Term};

/// What gates may speak of.
#[derive(Debug, Clone, Copy)]
pub struct GateScope<'a> {
    /// The phases.
    pub phases: &'a [PhaseScope<'a>],
    /// The policies.
    pub policies: &'a [String],
}

/// The key that holds gates, in a scenario and in a file of gates.
const GATES: &str = "gates";

/// Reads the `gates:` of the file at `path`; it may be a scenario.
///
/// # Errors
/// Everything that is wrong with them.
pub fn load_gates(path: &Path, scope: GateScope<'_>) -> Result<Vec<Gate>, Report> {
    let shown = path.display().to_string();
    let source = file::read(path, &shown, LARGEST_SCENARIO)?;
    let mut report = Report::new();
    let Some(root) = yaml::read(&source, &mut report) else { return Err(report) };
    let Some(entry) = root.entry(GATES) else {
        let message = format!("`{shown}` has no `gates`");
        let help = "write `gates:` and below it `- metric: validation.success_rate`";
        report.push(Diagnostic::error(message).help(help));
        return Err(report);
    };
    let gates = read(entry, scope, &mut report);
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
    let Some(mut entry) = root.entry(GATES).cloned() else { return Ok(Vec::new()) };
    interpolate(&mut entry.value, environment, &mut report);
    let gates = read(&entry, scope, &mut report);
    if report.has_errors() { Err(report) } else { Ok(gates) }
}

fn read(entry: &Entry, scope: GateScope<'_>, report: &mut Report) -> Vec<Gate> {
    let owner = Owner { name: "a gate", place: &entry.place, is_written: true };
    let files = gate_list().decode(&entry.value, owner, &mut Reading::new(report, None));
    gates(&files.unwrap_or_default(), scope, report)
}

/// The gates of a scenario.
pub(super) fn gates(files: &[GateFile], scope: GateScope<'_>, report: &mut Report) -> Vec<Gate> {
    files.iter().filter_map(|file| gate(file, scope, report)).collect()
}

fn gate(file: &GateFile, scope: GateScope<'_>, report: &mut Report) -> Option<Gate> {
    let policies = file.policies.iter().flatten();
    let policies = policies.filter_map(|name| policy(name, scope, report)).collect();
    let against = file.against.as_ref().and_then(|name| policy(name, scope, report));
    let term = term(&file.metric, scope, report)?;
    let margin = margin(&file.margin, &term, report);
    Some(Gate {
        requirement: match file.require {
            Require::Better => Requirement::Better(margin),
            Require::NotWorse => Requirement::NotWorse(margin),
        },
        term,
        policies,
        against,
        confidence: file.confidence,
        min_seeds: file.min_seeds,
        inconclusive_fails: file.inconclusive_fails,
    })
}

fn term(metric: &Placed<String>, scope: GateScope<'_>, report: &mut Report) -> Option<Term> {
    let term = match Term::parse(metric, scope.phases) {
        Ok(term) => term,
        Err(errors) => {
            errors.into_iter().for_each(|error| misread(metric, error, report));
            return None;
        }
    };
    if term.definition().metric.direction() == Direction::None {
        let message = format!("neither more nor less of `{}` is better", term.text());
        let help = "a gate needs a metric with a better side, such as `success_rate`";
        report.push(Diagnostic::error(message).at(&metric.place).help(help));
        return None;
    }
    Some(term)
}

/// In the unit of the metric.
fn margin(margin: &Placed<String>, term: &Term, report: &mut Report) -> f64 {
    match term.value(margin) {
        Ok(value) if value >= 0.0 => value,
        Ok(_) => {
            let message = format!("a margin is at least zero, found `{}`", margin.value);
            let help = "write how much a difference matters; `require` says on which side";
            report.push(Diagnostic::error(message).at(&margin.place).help(help));
            0.0
        }
        Err(error) => {
            misread(margin, error, report);
            0.0
        }
    }
}

fn policy(name: &Placed<String>, scope: GateScope<'_>, report: &mut Report) -> Option<String> {
    if scope.policies.contains(name) {
        return Some(name.value.clone());
    }
    let names = || scope.policies.iter().map(String::as_str);
    let help = match nearest(name, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there is `{}`", names().collect::<Vec<_>>().join("`, `")),
    };
    let message = format!("there is no policy `{}`", name.value);
    report.push(Diagnostic::error(message).at(&name.place).help(help));
    None
}

fn misread(text: &Placed<String>, error: ExpectationError, report: &mut Report) {
    let place = text.within(error.span);
    report.push(Diagnostic::error(error.message).at(&place).maybe_help(error.help));
}
