//! Replays logs under the policies, and computes the estimates and comparisons of each.

use std::io;

use super::arguments::{EvaluateArguments, Format};
use super::gates::GateVerdict;
use super::importance;
use super::logs::{self, Logs};
use super::predictions::Watcher;
use super::tables::TableLogs;
use super::{discovery, failed, models};
use crate::cli::console::Screen;
use crate::cli::error::Error;
use diagnostic::Report;
use evaluation::analysis::{Analysis, FeatureReport, PolicyReport, SegmentReport};
use evaluation::run::{
    Breakdown, Candidate, Evaluated, EvaluationRun, Importance, LogSummary, PolicyFailure,
    RunSettings,
};
use statistics::off_policy::Weights;

/// The logs, and what is known of them if they are tables.
pub(super) struct LogInput<'a> {
    pub logs: &'a Logs,
    pub tables: Option<TableLogs>,
}

/// What an evaluation found, and how it is read.
pub(super) struct LogEvaluation {
    pub found: Evaluated,
    pub analysis: Analysis,
    pub reports: Vec<PolicyReport>,
    pub segments: Vec<Vec<SegmentReport>>,
    pub baseline: Option<String>,
    pub held_out_from: Option<u64>,
    pub gates: Vec<GateVerdict>,
    /// The policy whose features were left out in turn, and what that changes.
    pub importance: Option<(String, Vec<FeatureReport>)>,
}

impl LogEvaluation {
    /// Each breakdown by its name.
    pub fn breakdowns(&self) -> impl Iterator<Item = (String, &[SegmentReport])> {
        let names = self.found.segments.iter().map(|(breakdown, _)| match breakdown {
            Breakdown::Feature(feature) => feature.clone(),
            Breakdown::Window(_) => "window".to_owned(),
        });
        names.zip(self.segments.iter().map(Vec::as_slice))
    }

    /// Why a policy failed, if it did.
    pub fn failure(&self, policy: &str) -> Option<&PolicyFailure> {
        self.found.failures.iter().find(|failure| failure.policy == policy)
    }

    fn of(found: Evaluated, question: Question, arguments: &EvaluateArguments) -> Self {
        let Question { baseline, held_out_from, importance } = question;
        let analysis = analysis(arguments, &found.summary);
        // A baseline that failed is compared with nothing.
        let is_failed = |name: &String| found.failures.iter().any(|of| of.policy == *name);
        let baseline = baseline.filter(|name| !is_failed(name));
        let reports = analysis.reports(&found.evaluators, baseline.as_deref());
        let segments = analysis.segments(&found);
        let importance = importance.map(|Importance { policy, .. }| {
            let features = analysis.importance(&found, &policy);
            (policy, features)
        });
        let gates = Vec::new();
        Self { found, analysis, reports, segments, baseline, held_out_from, gates, importance }
    }
}

/// What is asked beside what each policy is worth.
struct Question {
    baseline: Option<String>,
    held_out_from: Option<u64>,
    importance: Option<Importance>,
}

/// Evaluates the policies on the logs. If a log could not be read to its end, the second value says
/// why.
pub(super) fn judge(
    arguments: &EvaluateArguments,
    baseline: Option<String>,
    mut candidates: Vec<Candidate>,
    mut input: LogInput<'_>,
) -> Result<(LogEvaluation, Option<String>), Error> {
    let mut screen = Screen::of_stderr(arguments.quiet);
    let held_out_from = if arguments.discover {
        Some(discover(arguments, &mut input, &mut candidates, &mut screen)?)
    } else {
        None
    };
    let importance = importance::survey(arguments, input.logs, input.tables.as_mut());
    let importance = importance.map_err(failed)?;
    let question = Question { baseline, held_out_from, importance };
    let run = EvaluationRun::new(candidates, settings(arguments, &input, &question));
    let watcher = Watcher::new(arguments.predictions.as_deref(), input.logs, screen);
    let (mut found, incomplete) = replay(run, watcher.map_err(failed)?, &mut input)?;
    models::write(&mut found.evaluators).map_err(failed)?;
    let evaluation = LogEvaluation::of(found, question, arguments);
    Ok((evaluation, incomplete.map(|error| error.to_string())))
}

/// Adds the policies that a search on the first part of the logs found to the candidates, and
/// returns from which event on events are held out.
fn discover(
    arguments: &EvaluateArguments,
    LogInput { logs, tables }: &mut LogInput<'_>,
    candidates: &mut Vec<Candidate>,
    screen: &mut Screen,
) -> Result<u64, Error> {
    let prefix = discovery::prefix(logs, tables.as_mut()).map_err(failed)?;
    let found = discovery::search(prefix, candidates, arguments.threads(), screen);
    candidates.extend(found.policies);
    Ok(found.held_out_from)
}

fn settings(
    arguments: &EvaluateArguments,
    LogInput { tables, .. }: &LogInput<'_>,
    question: &Question,
) -> RunSettings {
    let features = arguments.by.iter().cloned().map(Breakdown::Feature);
    let estimates = |tables: &TableLogs| tables.table.estimates_probabilities();
    RunSettings {
        importance: question.importance.clone(),
        threads: arguments.threads(),
        baseline: question.baseline.clone(),
        held_out_from: question.held_out_from,
        windows: arguments.format == Format::Contract,
        predictions: arguments.predictions.is_some(),
        breakdowns: features.chain(arguments.window.map(Breakdown::Window)).collect(),
        logged: tables.as_ref().map(TableLogs::candidates).unwrap_or_default(),
        probabilities_are_estimated: tables.as_ref().is_some_and(estimates),
    }
}

/// Replays the logs to their end, or to where one cannot be read any further.
fn replay(
    mut run: EvaluationRun,
    mut watcher: Watcher,
    LogInput { logs, tables }: &mut LogInput<'_>,
) -> Result<(Evaluated, Option<io::Error>), Error> {
    let mut report = Report::new();
    let incomplete = match tables {
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
    Ok((run.finish(), incomplete.err()))
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
