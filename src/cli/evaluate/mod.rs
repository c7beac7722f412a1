//! `runner evaluate`: policies judged on logs.

mod arguments;
mod contract;
mod csv;
mod discovery;
mod failures;
mod gates;
mod importance;
mod json;
mod judge;
mod logs;
mod models;
mod outputs;
mod policies;
mod predictions;
mod tables;
mod text;

use std::io;
use std::path::PathBuf;

pub use arguments::EvaluateArguments;

use super::console::{count, name};
use super::error::Error;
use super::exit::Exit;
use super::streams;
use arguments::Format;
use diagnostic::{Diagnostic, Report};
use evaluation::run::{Candidate, DroppedLines, LogSummary, PolicyEvaluator, Rejection};
use judge::{LogEvaluation, LogInput};
pub use logs::Logs;
use tables::TableLogs;

/// Evaluates policies on logs, and prints the result.
pub fn evaluate(arguments: &EvaluateArguments) -> Result<Exit, Error> {
    let mut report = Report::new();
    let candidates = policies::collect(arguments, &mut report);
    let logs = Logs::find(&arguments.logs, &mut report);
    let mut tables = TableLogs::load(arguments, &logs, &mut report);
    let logged = tables.as_ref().map(TableLogs::candidates).unwrap_or_default();
    policies::check_names(&candidates, &logged, &mut report);
    let load = |path: &PathBuf| gates::load(path, &candidates, &logged, &mut report);
    let gates = arguments.gates.as_ref().map(load).unwrap_or_default();
    let baseline = gates::baseline(&gates, arguments.baseline.as_deref(), &mut report);
    check(arguments, &candidates, &logged, &mut report);
    importance::check(arguments, &candidates, &logs, &mut report);
    if arguments.files.needs_verdicts() && arguments.gates.is_none() {
        let message = "nothing is judged, so there are no verdicts for `--junit`";
        report.push(Diagnostic::error(message).help("add `--gates FILE`"));
    }
    let has_policies = !candidates.is_empty() || !logged.is_empty() || arguments.discover;
    if !gates.is_empty() && !has_policies {
        let message = "there is no policy for the gates to judge";
        report.push(Diagnostic::error(message).help("name some: `--policy NAME=ARGS`"));
    }
    if let Some(tables) = tables.as_mut().filter(|_| !report.has_errors()) {
        tables.scan(&logs, &mut report).map_err(unreadable)?;
    }
    if report.has_errors() {
        return Err(report.into());
    }
    streams::explain(&report);
    let input = LogInput { logs: &logs, tables };
    let (mut evaluation, incomplete) = judge::judge(arguments, baseline, candidates, input)?;
    evaluation.gates = gates::judge(&gates, &evaluation);
    let text = shown(arguments.format, &evaluation);
    match arguments.format {
        Format::Text => streams::tell(&text)?,
        _ => streams::print(&text)?,
    }
    outputs::write(&arguments.files, &evaluation)?;
    if let Some(error) = failures::error(&evaluation.found.failures) {
        return Err(error);
    }
    match incomplete {
        None => Ok(gates::exit(&evaluation.gates)),
        Some(error) => Err(Error::new(
            Exit::Incomplete,
            format!("{error}; what was read up to there is shown"),
        )),
    }
}

fn failed(error: io::Error) -> Error {
    Error::new(Exit::Results, error)
}

/// A log that breaks off in the first pass shows nothing.
fn unreadable(error: io::Error) -> Error {
    Error::new(Exit::Incomplete, error)
}

/// What can be wrong with the arguments together.
fn check(
    arguments: &EvaluateArguments,
    candidates: &[Candidate],
    logged: &[String],
    report: &mut Report,
) {
    if let Some(baseline) = &arguments.baseline {
        let fixed = PolicyEvaluator::fixed();
        let names = candidates.iter().map(|candidate| &*candidate.name);
        let names = names.chain(logged.iter().map(String::as_str));
        let known: Vec<&str> = names.chain(fixed.iter().map(|policy| &*policy.name)).collect();
        if !known.contains(&&**baseline) && !arguments.discover {
            let help = format!("name one of: {}", known.join(", "));
            let message = format!("`--baseline {baseline}` is none of the policies");
            report.push(Diagnostic::error(message).help(help));
        }
    }
    if arguments.discover && arguments.logs.iter().any(|log| log.as_os_str() == "-") {
        let message = "`--discover` reads the logs twice, which stdin cannot do";
        report.push(Diagnostic::error(message).help("write the log to a file first"));
    }
}

/// A line for each reason for which lines were dropped.
fn dropped(summary: &LogSummary) -> Vec<String> {
    let lines = |lines: u64| match lines {
        1 => "1 line".to_owned(),
        lines => format!("{} lines", count(lines)),
    };
    let remark = |(reason, drops): (&Rejection, &DroppedLines)| {
        let place = &drops.first;
        let first = format!("{}:{}:{}", name(&place.log), place.line, place.column);
        let (lines, found) = (lines(drops.count), found(drops));
        let remedy = drops.remedy(*reason).map_or_else(String::new, |what| format!("; {what}"));
        format!("{lines} dropped: it {}; first at {first}{found}{remedy}", reason.words())
    };
    summary.dropped.iter().map(remark).collect()
}

/// What was found in the first of some lines, if that helps.
fn found(lines: &DroppedLines) -> String {
    lines.found.as_ref().map_or_else(String::new, |found| format!(": found `{}`", name(found)))
}

fn shown(format: Format, evaluation: &LogEvaluation) -> String {
    match format {
        Format::Text => text::show(evaluation),
        Format::Json => json::show(evaluation),
        Format::Csv => csv::show(evaluation),
        Format::Contract => contract::show(evaluation),
    }
}
