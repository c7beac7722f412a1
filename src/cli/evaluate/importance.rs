//! `--importance`: what leaving out each feature of a policy changes.

use std::io;

use serde_json::{Value, json};

use super::arguments::EvaluateArguments;
use super::json::comparison;
use super::judge::LogEvaluation;
use super::logs::Logs;
use super::tables::TableLogs;
use super::text::{difference_cells, title};
use crate::cli::console::{Paint, Side, Table, name};
use crate::cli::streams;
use diagnostic::{Diagnostic, Report};
use evaluation::analysis::{FeatureReport, ImportanceLevel};
use evaluation::run::{Candidate, FeatureSurvey, Importance};

/// The features are those of so many events at the beginning of the logs.
const SURVEYED: usize = 1000;

/// A pass for each of more features would take too long.
const MOST_FEATURES: usize = 100;

/// Refuses a policy that has no features to leave out.
pub fn check(
    arguments: &EvaluateArguments,
    candidates: &[Candidate],
    logs: &Logs,
    report: &mut Report,
) {
    let Some(policy) = &arguments.importance else { return };
    if candidates.iter().all(|candidate| candidate.name != *policy) {
        let names: Vec<_> = candidates.iter().map(|candidate| &*candidate.name).collect();
        let message = format!("`--importance {policy}` is none of the learning policies");
        let help = if names.is_empty() {
            "name one: `--policy NAME=ARGS`".to_owned()
        } else {
            format!("name one of: {}", names.join(", "))
        };
        report.push(Diagnostic::error(message).help(help));
    }
    if logs.has_stdin() {
        let message = "`--importance` reads the logs twice, which stdin cannot do";
        report.push(Diagnostic::error(message).help("write the log to a file first"));
    }
}

/// The features of the logs, if their importance is asked.
pub fn survey(
    arguments: &EvaluateArguments,
    logs: &Logs,
    tables: Option<&mut TableLogs>,
) -> io::Result<Option<Importance>> {
    let Some(policy) = arguments.importance.clone() else { return Ok(None) };
    let mut survey = FeatureSurvey::new(SURVEYED);
    match tables {
        Some(tables) => tables.survey(logs, &mut survey)?,
        None => logs.each(|_, input| survey.read(input))?,
    }
    let mut features = survey.into_names();
    if features.len() > MOST_FEATURES {
        let found = features.len();
        let message = format!("the first {MOST_FEATURES} of {found} features are left out in turn");
        streams::explain(&Report::from(Diagnostic::warning(message)));
        features.truncate(MOST_FEATURES);
    }
    Ok(Some(Importance { policy, features }))
}

/// As a table.
pub fn table(evaluation: &LogEvaluation) -> String {
    let Some((policy, features)) = &evaluation.importance else { return String::new() };
    let mut table = Table::new(&[
        ("feature", Side::Left),
        ("without it", Side::Right),
        ("interval", Side::Left),
        ("p", Side::Right),
        ("", Side::Left),
    ]);
    for report in features {
        let mut cells = vec![title(&report.feature)];
        cells.extend(difference_cells(Some(&report.change), evaluation.analysis.confidence));
        table.row(cells);
    }
    let policy = Paint::Name.over(&name(policy));
    format!("the reward of {policy} without a feature, less that with all\n{}", table.text())
}

/// As JSON.
pub fn json(evaluation: &LogEvaluation) -> Value {
    let Some((policy, features)) = &evaluation.importance else { return Value::Null };
    let confidence = evaluation.analysis.confidence;
    let feature = |report: &FeatureReport| {
        json!({
            "feature": report.feature,
            "importance": word(report.level(confidence)),
            "change": comparison(&report.change, confidence),
        })
    };
    json!({ "policy": policy, "features": features.iter().map(feature).collect::<Vec<_>>() })
}

/// As the contract has it: features of high, medium and low importance.
pub fn lists(evaluation: &LogEvaluation) -> Vec<Vec<String>> {
    let Some((_, features)) = &evaluation.importance else { return Vec::new() };
    let confidence = evaluation.analysis.confidence;
    let of = |level: ImportanceLevel| {
        let features = features.iter().filter(|report| report.level(confidence) == level);
        features.map(|report| report.feature.clone()).collect()
    };
    [ImportanceLevel::High, ImportanceLevel::Medium, ImportanceLevel::Low].map(of).into()
}

fn word(level: ImportanceLevel) -> &'static str {
    match level {
        ImportanceLevel::High => "high",
        ImportanceLevel::Medium => "medium",
        ImportanceLevel::Low => "low",
    }
}
