//! `--gates`: what must be shown of policies on a log before they pass.
//!
//! The file has the grammar of `runner compare … --gates`; the one metric of a log is
//! `log.mean_reward`.

use std::path::Path;

use super::judge::LogEvaluation;
use super::text::{number, signed, why_not};
use crate::cli::console::{Cell, Paint, Side, Table, name};
use crate::cli::exit::Exit;
use crate::cli::verdict_files::{RowResult, VerdictRow};
use diagnostic::{Diagnostic, Report};
use evaluation::analysis::{Analysis, Comparison, Findings, PolicyReport};
use evaluation::run::{Candidate, Origin, PolicyEvaluator, PolicyFailure};
use metrics::{Decision, Gate, NO_TAGS, PhaseScope};
use scenario::{GateScope, load_gates};
use statistics::Interval;
use statistics::off_policy::Estimate;

const METRIC: &str = "log.mean_reward";
const ONLINE: &str = "online";

/// The verdict of a gate on one policy.
pub struct GateVerdict {
    /// What the gate asks for.
    pub gate: String,
    /// `pairs against online`
    pub subject: String,
    pub outcome: GateOutcome,
    /// The difference that decided.
    pub observed: Option<Estimate>,
    /// Whether what is not decided is a failure.
    pub inconclusive_fails: bool,
}

/// Whether a policy passes a gate.
pub enum GateOutcome {
    Pass,
    Fail,
    Inconclusive,
    /// Nothing was judged, for this reason.
    NotJudged(String),
}

/// Reads the gates; what is wrong with them is reported.
pub fn load(
    path: &Path,
    candidates: &[Candidate],
    logged: &[String],
    report: &mut Report,
) -> Vec<Gate> {
    let fixed = PolicyEvaluator::fixed().into_iter().map(|policy| policy.name);
    let given = candidates.iter().map(|candidate| candidate.name.clone());
    let policies: Vec<String> = fixed.chain(given).chain(logged.iter().cloned()).collect();
    // A log is one phase, of which no part is measured: any length will do.
    let phases = [PhaseScope { name: "log", iterations: Some(u64::MAX), slots: 0, tags: &NO_TAGS }];
    let gates = match load_gates(path, GateScope { phases: &phases, policies: &policies }) {
        Ok(gates) => gates,
        Err(mistakes) => {
            report.append(mistakes);
            return Vec::new();
        }
    };
    if gates.is_empty() {
        let message = format!("`{}` has no gate", path.display());
        report.push(Diagnostic::error(message).help(example()));
    }
    for gate in gates.iter().filter(|gate| gate.term.text() != METRIC) {
        let message = format!("a log has no `{}`", gate.term.text());
        report.push(Diagnostic::error(message).help(example()));
    }
    gates
}

fn example() -> String {
    format!("write `- {{ metric: {METRIC}, require: better }}`")
}

/// The policy that gates hold others against, beside the online one; more than one is
/// reported.
pub fn baseline(gates: &[Gate], given: Option<&str>, report: &mut Report) -> Option<String> {
    let of_gates = gates.iter().filter_map(|gate| gate.against.as_deref());
    let mut baselines: Vec<&str> = given.into_iter().chain(of_gates).collect();
    baselines.retain(|name| *name != ONLINE);
    baselines.dedup();
    if let [first, second, ..] = baselines[..] {
        let message = format!("gates hold policies against `{first}` and `{second}`");
        let help = "one evaluation compares with the online policy and one other";
        report.push(Diagnostic::error(message).help(help));
    }
    baselines.first().map(|name| (*name).to_owned())
}

/// Judges every policy that a gate names, or every policy that learns.
pub fn judge(gates: &[Gate], evaluation: &LogEvaluation) -> Vec<GateVerdict> {
    gates.iter().flat_map(|gate| judge_one(gate, evaluation)).collect()
}

/// Whether a gate that names no policy judges one of this origin.
fn is_judged(origin: Origin) -> bool {
    match origin {
        Origin::Given | Origin::Discovered | Origin::Logged => true,
        Origin::Online | Origin::FirstAction | Origin::AnyAction => false,
    }
}

fn judge_one(gate: &Gate, evaluation: &LogEvaluation) -> Vec<GateVerdict> {
    let analysis = Analysis { confidence: gate.confidence, ..evaluation.analysis };
    let against = gate.against.as_deref().unwrap_or(ONLINE);
    let baseline = Some(against).filter(|name| *name != ONLINE);
    let is_asked = |report: &PolicyReport| match &gate.policies[..] {
        [] => is_judged(report.origin) && report.name != against,
        named => named.contains(&report.name),
    };
    let reports = analysis.reports(&evaluation.found.evaluators, baseline);
    let verdict = |report: &PolicyReport| {
        let found = deciding(report);
        let comparison = match baseline {
            None => found.and_then(|found| found.to_online),
            Some(_) => found.and_then(|found| found.to_baseline),
        };
        GateVerdict {
            gate: gate.to_string(),
            subject: format!("{} against {against}", report.name),
            outcome: match evaluation.failure(against) {
                Some(failure) => GateOutcome::NotJudged(format!("`{against}` failed: {failure}")),
                None => outcome(gate, comparison.as_ref()),
            },
            observed: comparison.and_then(|of| of.compared.ok()).map(|of| of.difference),
            inconclusive_fails: gate.inconclusive_fails,
        }
    };
    let judged = reports.iter().filter(|report| is_asked(report)).map(verdict);
    judged.chain(failed(gate, evaluation, against)).collect()
}

/// Policies that failed pass nothing.
fn failed<'a>(
    gate: &'a Gate,
    evaluation: &'a LogEvaluation,
    against: &'a str,
) -> impl Iterator<Item = GateVerdict> + 'a {
    let is_asked =
        |of: &&PolicyFailure| gate.policies.is_empty() || gate.policies.contains(&of.policy);
    let failures = evaluation.found.failures.iter().filter(is_asked);
    failures.map(move |failure| GateVerdict {
        gate: gate.to_string(),
        subject: format!("{} against {against}", failure.policy),
        outcome: GateOutcome::NotJudged(failure.to_string()),
        observed: None,
        inconclusive_fails: gate.inconclusive_fails,
    })
}

/// What a search found is judged on the events that it has not seen.
fn deciding(report: &PolicyReport) -> Option<&Findings> {
    match report.origin {
        Origin::Discovered => report.held_out.as_ref(),
        _ => Some(&report.whole),
    }
}

fn outcome(gate: &Gate, comparison: Option<&Comparison>) -> GateOutcome {
    let Some(comparison) = comparison else {
        return GateOutcome::NotJudged("a policy is not compared with itself".to_owned());
    };
    let difference = match comparison.compared {
        Ok(compared) if comparison.doubt.is_none() => compared.difference,
        _ => {
            let why = comparison.reason().unwrap_or_else(|| why_not(comparison).to_owned());
            return GateOutcome::NotJudged(why);
        }
    };
    match gate.decide(Interval { lower: difference.lower, upper: difference.upper }) {
        Decision::Pass => GateOutcome::Pass,
        Decision::Fail => GateOutcome::Fail,
        Decision::Inconclusive => GateOutcome::Inconclusive,
    }
}

/// How the program ends: what was not judged passes nothing.
pub fn exit(verdicts: &[GateVerdict]) -> Exit {
    let is_undecided = |verdict: &GateVerdict| match verdict.outcome {
        GateOutcome::NotJudged(_) => true,
        GateOutcome::Inconclusive => verdict.inconclusive_fails,
        GateOutcome::Pass | GateOutcome::Fail => false,
    };
    if verdicts.iter().any(|verdict| matches!(verdict.outcome, GateOutcome::Fail)) {
        Exit::Failed
    } else if verdicts.iter().any(is_undecided) {
        Exit::Inconclusive
    } else {
        Exit::Done
    }
}

impl GateVerdict {
    /// The difference and its interval.
    pub fn numbers(&self) -> String {
        let Some(Estimate { value, lower, upper }) = self.observed else { return String::new() };
        format!("{} [{}, {}]", signed(value), number(lower), number(upper))
    }

    /// The verdict and its reason.
    pub fn words(&self) -> String {
        match &self.outcome {
            GateOutcome::Pass => "pass".to_owned(),
            GateOutcome::Fail => "fail".to_owned(),
            GateOutcome::Inconclusive => "inconclusive: the interval holds the margin".to_owned(),
            GateOutcome::NotJudged(why) => format!("not judged: {why}"),
        }
    }

    /// The verdict as one word, for programs.
    pub fn word(&self) -> &'static str {
        match self.outcome {
            GateOutcome::Pass => "pass",
            GateOutcome::Fail => "fail",
            GateOutcome::Inconclusive => "inconclusive",
            GateOutcome::NotJudged(_) => "not_judged",
        }
    }

    fn mark(&self) -> (&'static str, Paint) {
        match self.outcome {
            GateOutcome::Pass => ("✓", Paint::Good),
            GateOutcome::Fail => ("✗", Paint::Bad),
            GateOutcome::Inconclusive => ("~", Paint::Doubtful),
            GateOutcome::NotJudged(_) => ("?", Paint::Doubtful),
        }
    }
}

/// The gates for a CI server.
pub fn rows(verdicts: &[GateVerdict]) -> Vec<VerdictRow> {
    let row = |verdict: &GateVerdict| VerdictRow {
        name: verdict.gate.clone(),
        subject: verdict.subject.clone(),
        observed: verdict.numbers(),
        words: verdict.words(),
        result: match verdict.outcome {
            GateOutcome::Pass => RowResult::Passed,
            GateOutcome::Inconclusive if !verdict.inconclusive_fails => RowResult::Skipped,
            GateOutcome::Fail | GateOutcome::Inconclusive => RowResult::Failed,
            GateOutcome::NotJudged(_) => RowResult::NotJudged,
        },
    };
    verdicts.iter().map(row).collect()
}

/// The gates as a table; nothing, without any.
pub fn table(verdicts: &[GateVerdict]) -> String {
    if verdicts.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        ("", Side::Left),
        ("gate", Side::Left),
        ("policy", Side::Left),
        ("observed", Side::Right),
        ("", Side::Left),
    ]);
    for verdict in verdicts {
        let (mark, paint) = verdict.mark();
        table.row([
            Cell::painted(mark, paint),
            Cell::from(name(&verdict.gate)),
            Cell::painted(name(&verdict.subject), Paint::Name),
            Cell::from(verdict.numbers()),
            Cell::painted(name(&verdict.words()), paint),
        ]);
    }
    table.text()
}
