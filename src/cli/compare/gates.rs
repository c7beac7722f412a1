//! Gate verdicts as text.

use super::text::{signed, within};
use crate::cli::console::{Cell, Paint, Side, Table, name};
use crate::cli::verdict_files::{RowResult, VerdictRow};
use comparison::{GateOutcome, GateVerdict};

/// The gates as a table; empty without gates.
pub fn table(verdicts: &[GateVerdict]) -> String {
    if verdicts.is_empty() {
        return String::new();
    }
    let columns = [("", Side::Left), ("gate", Side::Left), ("policy", Side::Left)];
    let last = [("observed", Side::Right), ("", Side::Left)];
    let columns: Vec<_> = columns.into_iter().chain(last).collect();
    let mut table = Table::new(&columns);
    for verdict in verdicts {
        let (mark, paint) = mark(verdict);
        table.row([
            Cell::painted(mark, paint),
            Cell::from(name(&verdict.gate.to_string())),
            Cell::painted(name(&who(verdict)), Paint::Name),
            Cell::from(observed(verdict)),
            Cell::painted(name(&words(verdict)), paint),
        ]);
    }
    format!("\n{}", table.text())
}

fn mark(verdict: &GateVerdict) -> (&'static str, Paint) {
    match verdict.outcome {
        GateOutcome::Pass => ("✓", Paint::Good),
        GateOutcome::Fail => ("✗", Paint::Bad),
        GateOutcome::Inconclusive(_) => ("~", Paint::Doubtful),
        GateOutcome::NotMeasured(_) => ("?", Paint::Bad),
    }
}

/// `cubic against default`
pub fn who(verdict: &GateVerdict) -> String {
    format!("{} against {}", verdict.candidate, verdict.base)
}

/// The difference and its interval.
pub fn observed(verdict: &GateVerdict) -> String {
    let dimension = verdict.gate.term.definition().dimension;
    let test = verdict.difference.as_ref().and_then(|difference| difference.test.as_ref());
    let Some(test) = test else { return String::new() };
    let interval = test.interval.map(|interval| format!(" {}", within(interval, dimension)));
    format!("{}{}", signed(test.difference, dimension), interval.unwrap_or_default())
}

/// The outcome and its reason.
pub fn words(verdict: &GateVerdict) -> String {
    match &verdict.outcome {
        GateOutcome::Pass => "pass".to_owned(),
        GateOutcome::Fail => "fail".to_owned(),
        GateOutcome::Inconclusive(why) => format!("inconclusive: {why}"),
        GateOutcome::NotMeasured(why) => format!("not measured: {why}"),
    }
}

/// The gates for a CI server.
pub fn rows(verdicts: &[GateVerdict]) -> Vec<VerdictRow> {
    let row = |verdict: &GateVerdict| VerdictRow {
        name: verdict.gate.to_string(),
        subject: who(verdict),
        observed: observed(verdict),
        words: words(verdict),
        result: match verdict.outcome {
            GateOutcome::Pass => RowResult::Passed,
            GateOutcome::Inconclusive(_) if !verdict.gate.inconclusive_fails => RowResult::Skipped,
            GateOutcome::Fail | GateOutcome::Inconclusive(_) => RowResult::Failed,
            GateOutcome::NotMeasured(_) => RowResult::NotJudged,
        },
    };
    verdicts.iter().map(row).collect()
}

/// The outcome as one word, for programs.
pub fn word(outcome: &GateOutcome) -> &'static str {
    match outcome {
        GateOutcome::Pass => "pass",
        GateOutcome::Fail => "fail",
        GateOutcome::Inconclusive(_) => "inconclusive",
        GateOutcome::NotMeasured(_) => "not_measured",
    }
}
