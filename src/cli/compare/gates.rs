//! Gates, judged and told.

use super::text::{signed, within};
use crate::cli::console::{Cell, Paint, Side, Table, name};
use comparison::{GateVerdict, Group, Outcome, judge};
use metrics::Gate;

/// Judges the policies of one experiment against each other.
pub fn judge_inside(gates: &[Gate], groups: &[Group], base: Option<&str>) -> Vec<GateVerdict> {
    let judged = gates.iter().flat_map(|gate| {
        let base = gate.against.as_deref().or(base);
        let base = base.map_or(groups.first(), |name| groups.iter().find(|of| of.name == name));
        base.into_iter().flat_map(move |base| {
            let others = groups.iter().filter(|group| group.name != base.name);
            others.filter(|group| speaks_of(gate, group)).map(|group| judge(gate, base, group))
        })
    });
    judged.collect()
}

/// Judges a policy against the same policy of another folder. Gates that hold policies
/// against each other are for one experiment, and say nothing here.
pub fn judge_across(
    gates: &[Gate],
    policy: &str,
    base: &Group,
    candidates: &[Group],
) -> Vec<GateVerdict> {
    let named = |gate: &&Gate| {
        let all = gate.policies.is_empty();
        gate.against.is_none() && (all || gate.policies.iter().any(|name| name == policy))
    };
    let judged = gates.iter().filter(named);
    judged
        .flat_map(|gate| candidates.iter().map(move |candidate| judge(gate, base, candidate)))
        .collect()
}

fn speaks_of(gate: &Gate, group: &Group) -> bool {
    gate.policies.is_empty() || gate.policies.contains(&group.name)
}

/// The gates as a table; nothing, without any.
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
        Outcome::Pass => ("✓", Paint::Good),
        Outcome::Fail => ("✗", Paint::Bad),
        Outcome::Inconclusive(_) => ("~", Paint::Doubtful),
        Outcome::NotMeasured(_) => ("?", Paint::Bad),
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

/// What it came to, in words.
pub fn words(verdict: &GateVerdict) -> String {
    match &verdict.outcome {
        Outcome::Pass => "pass".to_owned(),
        Outcome::Fail => "fail".to_owned(),
        Outcome::Inconclusive(why) => format!("inconclusive: {why}"),
        Outcome::NotMeasured(why) => format!("not measured: {why}"),
    }
}

/// What it came to, in a word for programs.
pub fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Inconclusive(_) => "inconclusive",
        Outcome::NotMeasured(_) => "not_measured",
    }
}
