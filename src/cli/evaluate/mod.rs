//! `runner evaluate`: policies judged on logs.

mod arguments;
mod contract;
mod csv;
mod discovery;
mod failures;
mod gates;
mod importance;
mod json;
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

use super::console::{Screen, count, name};
use super::error::Error;
use super::exit::Exit;
use super::streams;
use arguments::Format;
use diagnostic::{Diagnostic, Report};
use evaluation::analysis::{Analysis, FeatureReport, PolicyReport, SegmentReport};
use evaluation::run::{
    Breakdown, Candidate, DroppedLines, Evaluated, EvaluationRun, LogSummary, PolicyEvaluator,
    PolicyFailure, Rejection, RunSettings,
};
use gates::GateVerdict;
pub use logs::Logs;
use predictions::Watcher;
use statistics::off_policy::Weights;
use tables::TableLogs;

/// What an evaluation found, and how it is read.
struct LogEvaluation {
    found: Evaluated,
    analysis: Analysis,
    reports: Vec<PolicyReport>,
    segments: Vec<Vec<SegmentReport>>,
    baseline: Option<String>,
    held_out_from: Option<u64>,
    gates: Vec<GateVerdict>,
    /// The policy whose features were left out in turn, and what that changes.
    importance: Option<(String, Vec<FeatureReport>)>,
}

impl LogEvaluation {
    /// Each breakdown by its name.
    fn breakdowns(&self) -> impl Iterator<Item = (String, &[SegmentReport])> {
        let names = self.found.segments.iter().map(|(breakdown, _)| match breakdown {
            Breakdown::Feature(feature) => feature.clone(),
            Breakdown::Window(_) => "window".to_owned(),
        });
        names.zip(self.segments.iter().map(Vec::as_slice))
    }

    /// Why a policy failed, if it did.
    fn failure(&self, policy: &str) -> Option<&PolicyFailure> {
        self.found.failures.iter().find(|failure| failure.policy == policy)
    }
}

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
    let (mut evaluation, incomplete) = judge(arguments, baseline, candidates, input)?;
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

/// The logs, and what is known of them if they are tables.
struct LogInput<'a> {
    logs: &'a Logs,
    tables: Option<TableLogs>,
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

/// Reads the logs; the second value says why the reading ended early.
fn judge(
    arguments: &EvaluateArguments,
    baseline: Option<String>,
    mut candidates: Vec<Candidate>,
    LogInput { logs, mut tables }: LogInput<'_>,
) -> Result<(LogEvaluation, Option<String>), Error> {
    let mut screen = Screen::of_stderr(arguments.quiet);
    let threads = arguments.threads();
    let mut held_out_from = None;
    if arguments.discover {
        let prefix = discovery::prefix(logs, tables.as_mut()).map_err(failed)?;
        let found = discovery::search(prefix, &candidates, threads, &mut screen);
        held_out_from = Some(found.held_out_from);
        candidates.extend(found.policies);
    }
    let importance = importance::survey(arguments, logs, tables.as_mut()).map_err(failed)?;
    let asked = importance.as_ref().map(|asked| asked.policy.clone());
    let settings = RunSettings {
        importance,
        threads,
        baseline: baseline.clone(),
        held_out_from,
        windows: arguments.format == Format::Contract,
        predictions: arguments.predictions.is_some(),
        breakdowns: breakdowns(arguments),
        logged: tables.as_ref().map(TableLogs::candidates).unwrap_or_default(),
        probabilities_are_estimated: tables
            .as_ref()
            .is_some_and(|tables| tables.table.estimates_probabilities()),
    };
    let mut run = EvaluationRun::new(candidates, settings);
    let mut watcher =
        Watcher::new(arguments.predictions.as_deref(), logs, screen).map_err(failed)?;
    let mut report = Report::new();
    let incomplete = match &mut tables {
        Some(tables) => tables.evaluate(logs, &mut run, &mut watcher, &mut report),
        None => logs.each(|name, mut input| {
            let (shape, before) = (logs::shape(&mut input)?, run.summary().clone());
            run.read(name, input, &mut watcher)?;
            logs::check(name, shape, &before, run.summary(), &mut report);
            Ok(())
        }),
    };
    if report.has_errors() || run.summary().labelled == 0 && incomplete.is_ok() {
        logs::check_labelled(run.summary(), tables.is_some(), &mut report);
        watcher.abandon();
        return Err(report.into());
    }
    watcher.finish().map_err(failed)?;
    let mut found = run.finish();
    models::write(&mut found.evaluators).map_err(failed)?;
    let analysis = analysis(arguments, &found.summary);
    // A baseline that failed is compared with nothing.
    let is_failed = |name: &String| found.failures.iter().any(|failure| failure.policy == *name);
    let baseline = baseline.filter(|name| !is_failed(name));
    let reports = analysis.reports(&found.evaluators, baseline.as_deref());
    let segments = analysis.segments(&found);
    let importance = asked.map(|policy| {
        let features = analysis.importance(&found, &policy);
        (policy, features)
    });
    let gates = Vec::new();
    let evaluation = LogEvaluation {
        found,
        analysis,
        reports,
        segments,
        baseline,
        held_out_from,
        gates,
        importance,
    };
    Ok((evaluation, incomplete.err().map(|error| error.to_string())))
}

fn breakdowns(arguments: &EvaluateArguments) -> Vec<Breakdown> {
    let features = arguments.by.iter().cloned().map(Breakdown::Feature);
    features.chain(arguments.window.map(Breakdown::Window)).collect()
}

fn analysis(arguments: &EvaluateArguments, summary: &LogSummary) -> Analysis {
    let mut analysis = Analysis::of(summary);
    if let Some(confidence) = arguments.confidence {
        analysis.confidence = confidence;
    }
    if let Some(rewards) = arguments.rewards {
        analysis.bounds.rewards = rewards;
    }
    if let Some(highest) = arguments.max_weight {
        analysis.bounds.weights = Weights { highest, ..analysis.bounds.weights };
    }
    analysis
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
        format!("{lines} dropped: it {}; first at {first}{found}", reason.words())
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
