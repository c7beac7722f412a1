use std::fmt::Write;
use std::path::Path;

use super::format::{count, micros, share, span};
use super::table::Table;
use crate::metrics::{
    EvaluationSummary, Holds, LatencySummary, PhaseSummary, PolicySummary, SummaryReport, Verdict,
};

/// Everything the summary speaks of.
pub struct Account<'a> {
    pub scenario: &'a str,
    pub seed: u64,
    /// Whether time and latencies were simulated.
    pub simulated: bool,
    /// How the run ended, if not well.
    pub ending: Option<&'a str>,
    pub numbers: &'a SummaryReport,
    /// How often the model was checked, and how often it had changed.
    pub model_checks: (u64, u64),
    pub verdicts: &'a [Verdict],
    pub folder: &'a Path,
}

/// The summary of a run, for people.
pub fn summary(account: &Account<'_>) -> String {
    let sections = [
        heading(account),
        phases(account.numbers),
        latencies(account),
        evaluations(account.numbers),
        model(account),
        expectations(account.verdicts),
        format!("results   {}\n", account.folder.display()),
    ];
    let sections: Vec<_> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    sections.join("\n")
}

fn heading(account: &Account<'_>) -> String {
    let end = account.numbers.phases.iter().filter_map(|phase| phase.ended_us).max();
    let clock = if account.simulated { " simulated" } else { "" };
    let time = end.map_or_else(String::new, |end| format!(", {}{clock}", span(end)));
    let ending = account.ending.map_or_else(String::new, |ending| format!(" - {ending}"));
    format!("{}, seed {}{time}{ending}\n", account.scenario, account.seed)
}

/// The phases that iterated.
fn iterated(numbers: &SummaryReport) -> impl Iterator<Item = &PhaseSummary> {
    numbers.phases.iter().filter(|phase| phase.iterations > 0)
}

fn phases(numbers: &SummaryReport) -> String {
    let header = [
        "phase",
        "iterations",
        "success",
        "first tenth",
        "last tenth",
        "mean reward",
        "calls/s",
        "errors",
    ];
    let mut table = Table::new(&header, 1);
    for phase in iterated(numbers) {
        let rate = phase.calls_per_second;
        table.row(vec![
            phase.name.clone(),
            count(phase.iterations),
            share(phase.success_rate),
            share(phase.first_tenth_success_rate),
            share(phase.last_tenth_success_rate),
            share(phase.mean_reward),
            rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1}")),
            errors(phase),
        ]);
    }
    block(&table)
}

fn errors(phase: &PhaseSummary) -> String {
    let kinds: Vec<_> =
        phase.errors.iter().map(|(kind, n)| format!("{} {kind}", count(*n))).collect();
    if kinds.is_empty() { "0".to_owned() } else { kinds.join(", ") }
}

fn latencies(account: &Account<'_>) -> String {
    let name = if account.simulated { "latency (simulated)" } else { "latency" };
    let mut table = Table::new(&[name, "", "p50", "p90", "p99", "max"], 2);
    for phase in iterated(account.numbers) {
        for (operation, latency) in [("rank", &phase.rank), ("reward", &phase.reward)] {
            let Some(latency) = latency else { continue };
            table.row(latency_row(&phase.name, operation, latency));
        }
    }
    block(&table)
}

fn latency_row(phase: &str, operation: &str, latency: &LatencySummary) -> Vec<String> {
    let quantiles = [latency.p50_us, latency.p90_us, latency.p99_us, latency.max_us].map(micros);
    [phase.to_owned(), operation.to_owned()].into_iter().chain(quantiles).collect()
}

fn evaluations(numbers: &SummaryReport) -> String {
    let text = |evaluation| evaluation_table(numbers, evaluation);
    let tables: Vec<_> = numbers.evaluations.iter().map(text).collect();
    tables.join("\n")
}

fn evaluation_table(numbers: &SummaryReport, evaluation: &EvaluationSummary) -> String {
    let applied: Vec<_> = numbers
        .applied
        .iter()
        .filter(|applied| applied.phase == evaluation.phase)
        .map(|applied| applied.name.as_str())
        .collect();
    let events = evaluation.policies.iter().find_map(|policy| policy.events).unwrap_or(0.0);
    let mut text =
        format!("{}: what policies would have earned on {events} events\n", evaluation.phase);
    let mut table = Table::new(&["  policy", "estimate", "arguments"], 3);
    for policy in &evaluation.policies {
        let is_applied = applied.iter().any(|name| name.eq_ignore_ascii_case(&policy.name));
        table.row(policy_row(policy, is_applied));
    }
    text += &block(&table);
    if let Some(name) = applied.last() {
        let _ = writeln!(text, "applied: {name}, with a model retrained on the log");
    }
    text
}

fn policy_row(policy: &PolicySummary, is_applied: bool) -> Vec<String> {
    let mark = if is_applied { "▸" } else { " " };
    let estimate = match (policy.average_reward, policy.confidence_interval) {
        (Some(mean), Some(half)) if half > 0.0 => format!("{mean:.3} ± {half:.3}"),
        (Some(mean), _) => format!("{mean:.3}"),
        (None, _) => "-".to_owned(),
    };
    let arguments = policy.arguments.as_deref().unwrap_or("");
    let arguments = arguments.strip_prefix("--cb_explore_adf ").unwrap_or(arguments);
    vec![format!("{mark} {}", policy.name), estimate, arguments.to_owned()]
}

fn model(account: &Account<'_>) -> String {
    let (checks, changes) = account.model_checks;
    if checks == 0 {
        return String::new();
    }
    format!("model     changed between {changes} of {checks} checks\n")
}

fn expectations(verdicts: &[Verdict]) -> String {
    if verdicts.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["  expectation", "observed"], 2);
    for verdict in verdicts {
        let mark = if verdict.holds == Holds::Held { "✓" } else { "✗" };
        table.row(vec![format!("{mark} {}", verdict.text), observed(verdict)]);
    }
    block(&table)
}

fn observed(verdict: &Verdict) -> String {
    let nothing = || verdict.reason.clone().unwrap_or_else(|| "nothing".to_owned());
    verdict.observed.map_or_else(nothing, |quantity| quantity.to_string())
}

fn block(table: &Table) -> String {
    let mut lines: Vec<_> = table.lines().collect();
    if lines.len() == 1 {
        return String::new();
    }
    lines.push(String::new());
    lines.join("\n")
}
