use std::path::Path;

use super::format::{count, decimal, micros, name, rate, share, span};
use super::paint::Paint;
use super::running::plural;
use super::table::{Cell, Side, Table};
use crate::cli::expectations::observed;
use metrics::{
    Estimate, EvaluationSummary, Holds, LatencySummary, PhaseSummary, PolicySummary, SummaryReport,
    Verdict,
};

/// What the summary of a run shows.
pub struct RunReport<'a> {
    pub scenario: &'a str,
    pub seed: u64,
    /// Whether time and latencies were simulated.
    pub simulated: bool,
    /// How the run ended, if not well.
    pub ending: Option<&'a str>,
    pub numbers: &'a SummaryReport,
    /// What is known of the models that the loop served.
    pub models: Models,
    pub verdicts: &'a [Verdict],
    pub folder: &'a Path,
}

/// What is known of the models that the loop served.
#[derive(Debug, Clone, Copy, Default)]
pub struct Models {
    /// How many were exported, if the target tells.
    pub exports: Option<u64>,
    /// How often the age of the model was checked.
    pub checks: u64,
    /// How many of the checks found another model than the one before.
    pub changes: u64,
}

/// The summary of a run, for people.
pub fn summary(report: &RunReport<'_>) -> String {
    let sections = [
        heading(report),
        phases(report.numbers),
        slots(report.numbers),
        errors(report.numbers),
        latencies(report),
        doubts(report.numbers),
        evaluations(report.numbers),
        model(report),
        notices(report.numbers),
        expectations(report.verdicts),
        format!("{}  {}\n", label("results"), report.folder.display()),
    ];
    let sections: Vec<_> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    sections.join("\n")
}

fn label(text: &str) -> String {
    Paint::Faint.over(text)
}

fn heading(report: &RunReport<'_>) -> String {
    let end = report.numbers.phases.iter().filter_map(|phase| phase.ended_us).max();
    let clock = if report.simulated { " simulated" } else { "" };
    let time = end.map_or_else(String::new, |end| format!(", {}{clock}", span(end)));
    let ending =
        report.ending.map_or_else(String::new, |ending| format!(", {}", Paint::Bad.over(ending)));
    let scenario = Paint::Strong.over(&name(report.scenario));
    format!("{scenario}, seed {}{time}{ending}\n", report.seed)
}

/// The phases that iterated.
fn iterated(numbers: &SummaryReport) -> impl Iterator<Item = &PhaseSummary> {
    numbers.phases.iter().filter(|phase| phase.iterations > 0)
}

fn phases(numbers: &SummaryReport) -> String {
    use Side::{Left, Right};
    let tagged = iterated(numbers).any(|phase| !phase.tags.is_empty());
    let tags = tagged.then_some(("tags", Left));
    let columns = [
        ("phase", Left),
        ("iterations", Right),
        ("first \u{2192} last tenth", Right),
        ("reward", Right),
        ("iter/s", Right),
        ("calls/s", Right),
        ("errors", Right),
    ];
    let columns: Vec<_> = columns.into_iter().chain(tags).collect();
    let mut table = Table::new(&columns);
    for phase in iterated(numbers) {
        let tags = tagged.then(|| Cell::from(tags_of(phase)));
        table.row(phase_row(phase).into_iter().chain(tags).collect::<Vec<_>>());
    }
    table.text()
}

/// The tags of a phase in one text.
fn tags_of(phase: &PhaseSummary) -> String {
    let tags = phase.tags.iter().map(|(tag, value)| format!("{tag}: {}", name(value)));
    tags.collect::<Vec<_>>().join(", ")
}

fn phase_row(phase: &PhaseSummary) -> [Cell; 7] {
    let (first, last) = (phase.first_tenth_success_rate, phase.last_tenth_success_rate);
    let errors: u64 = phase.errors.values().sum();
    let iterations = count(phase.iterations);
    let of_planned = phase.planned_iterations.filter(|planned| *planned != phase.iterations);
    [
        Cell::painted(name(&phase.name), Paint::Name),
        match of_planned {
            Some(planned) => {
                Cell::painted(format!("{iterations} of {}", count(planned)), Paint::Doubtful)
            }
            None => iterations.into(),
        },
        Cell::painted(format!("{} \u{2192} {:>6}", share(first), share(last)), Paint::Strong),
        decimal(phase.mean_reward).into(),
        iteration_rate(phase),
        rate(phase.calls_per_second).into(),
        Cell::painted(count(errors), if errors > 0 { Paint::Bad } else { Paint::Plain }),
    ]
}

/// The slots of each phase that has some.
fn slots(numbers: &SummaryReport) -> String {
    use Side::{Left, Right};
    let mut table = Table::new(&[
        ("slots", Left),
        ("", Right),
        ("first \u{2192} last tenth", Right),
        ("reward", Right),
        ("regret", Right),
    ]);
    for phase in iterated(numbers) {
        for (slot, number) in phase.slots.iter().zip(1_u64..) {
            let phase = if number == 1 { name(&phase.name) } else { String::new() };
            let (first, last) = (slot.first_tenth_success_rate, slot.last_tenth_success_rate);
            let success = format!("{} \u{2192} {:>6}", share(first), share(last));
            table.row([
                Cell::painted(phase, Paint::Name),
                count(number).into(),
                Cell::painted(success, Paint::Strong),
                decimal(slot.mean_reward).into(),
                decimal(slot.regret).into(),
            ]);
        }
    }
    table.text()
}

/// The rate reached, and the rate asked for if it was missed.
fn iteration_rate(phase: &PhaseSummary) -> Cell {
    let reached = rate(phase.iterations_per_second);
    match phase.asked_iterations_per_second.filter(|_| phase.missed_rate) {
        Some(asked) => {
            Cell::painted(format!("{reached} of {}", rate(Some(asked))), Paint::Doubtful)
        }
        None => reached.into(),
    }
}

/// The errors of each phase by their kinds.
fn errors(numbers: &SummaryReport) -> String {
    use Side::{Left, Right};
    let mut table = Table::new(&[("errors", Left), ("", Right), ("", Left)]);
    for phase in iterated(numbers) {
        for (index, (kind, number)) in phase.errors.iter().enumerate() {
            let phase = if index == 0 { name(&phase.name) } else { String::new() };
            let number = Cell::painted(count(*number), Paint::Bad);
            table.row([Cell::painted(phase, Paint::Name), number, kind.clone().into()]);
        }
    }
    table.text()
}

fn latencies(report: &RunReport<'_>) -> String {
    use Side::{Left, Right};
    let title = if report.simulated { "latency, simulated" } else { "latency" };
    let mut phases = iterated(report.numbers);
    let Some(any) = phases.find_map(|phase| phase.rank.as_ref().or(phase.reward.as_ref())) else {
        return String::new();
    };
    let shown = percentiles(any);
    let numbers = shown.iter().map(|(name, _)| (name.as_str(), Right));
    let columns: Vec<_> = [(title, Left), ("", Left)].into_iter().chain(numbers).collect();
    let mut table = Table::new(&columns);
    for phase in iterated(report.numbers) {
        // Rank counts from when it was due: the lag of the runner, and the service time.
        let parts = [("  lag", &phase.lag), ("  sent", &phase.rank_service)];
        let rank = [("rank", &phase.rank)].into_iter().chain(parts);
        let operations = rank.chain([("reward", &phase.reward)]);
        let answered =
            operations.filter_map(|(operation, latency)| Some((operation, latency.as_ref()?)));
        for (index, (operation, latency)) in answered.enumerate() {
            let phase = if index == 0 { name(&phase.name) } else { String::new() };
            table.row(latency_row(phase, operation, latency));
        }
    }
    table.text()
}

fn latency_row(phase: String, operation: &str, latency: &LatencySummary) -> Vec<Cell> {
    let number = |(_, us)| Cell::from(format!("{:>8}", micros(us)));
    let names = [Cell::painted(phase, Paint::Name), operation.to_owned().into()];
    names.into_iter().chain(percentiles(latency).into_iter().map(number)).collect()
}

/// The percentiles that are shown, and the maximum.
fn percentiles(latency: &LatencySummary) -> Vec<(String, u64)> {
    let usual = [("p50", latency.p50_us), ("p90", latency.p90_us), ("p99", latency.p99_us)];
    let mut shown = latency.shown(&usual);
    shown.push(("max".to_owned(), latency.max_us));
    shown
}

/// What makes latencies less than they seem.
fn doubts(numbers: &SummaryReport) -> String {
    let line = |phase: &PhaseSummary, text: &str| {
        format!("{}  {}: {text}\n", Paint::Bad.over("warning"), name(&phase.name))
    };
    let of = |phase: &PhaseSummary| {
        let dropped = match phase.dropped {
            0 => String::new(),
            dropped => line(phase, &format!("{} iterations dropped when due", count(dropped))),
        };
        let saturation = phase.saturation.as_ref().map(|why| line(phase, why));
        dropped + &saturation.unwrap_or_default()
    };
    iterated(numbers).map(of).collect()
}

fn evaluations(numbers: &SummaryReport) -> String {
    let texts = numbers.evaluations.iter().map(|evaluation| evaluated(numbers, evaluation));
    texts.collect::<Vec<_>>().join("\n")
}

fn evaluated(numbers: &SummaryReport, evaluation: &EvaluationSummary) -> String {
    use Side::Left;
    let applied = numbers.applied.iter().rfind(|applied| applied.phase == evaluation.phase);
    let mut table =
        Table::new(&[("", Left), ("policy", Left), ("estimate", Left), ("arguments", Left)]);
    for policy in &evaluation.policies {
        let is_applied =
            applied.is_some_and(|applied| applied.name.eq_ignore_ascii_case(&policy.name));
        table.row(policy_row(policy, is_applied));
    }
    let outcome = applied.map_or_else(
        || "nothing was applied\n".to_owned(),
        |applied| {
            let applied = name(&applied.name);
            let earned = earned_after(numbers, evaluation).unwrap_or_default();
            format!("applied {applied}, trained on the whole log{earned}\n")
        },
    );
    format!(
        "{}: what each policy would have earned on {}\n{}{outcome}",
        Paint::Name.over(&name(&evaluation.phase)),
        judged_on(evaluation),
        table.text(),
    )
}

/// What the first phase after an evaluation earned: `; validation then earned 0.842`
fn earned_after(numbers: &SummaryReport, evaluation: &EvaluationSummary) -> Option<String> {
    let is_later = |phase: &&PhaseSummary| phase.name != evaluation.phase;
    let mut later = numbers.phases.iter().skip_while(is_later).skip(1);
    let next = later.find(|phase| phase.mean_reward.is_some())?;
    Some(format!("; {} then earned {}", name(&next.name), decimal(next.mean_reward)))
}

/// `10,000 events`, `2,000 held-out events of 10,000`
fn judged_on(evaluation: &EvaluationSummary) -> String {
    let policies = || evaluation.policies.iter();
    let events = |estimate: Option<Estimate>| estimate.map(|estimate| estimate.events);
    let total = policies().find_map(|policy| events(policy.total)).unwrap_or(0.0);
    match policies().find_map(|policy| events(policy.held_out)) {
        None => format!("{} events", grouped(total)),
        Some(held_out) => format!("{} held-out events of {}", grouped(held_out), grouped(total)),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the contract has a count as a number with a fraction"
)]
fn grouped(events: f64) -> String {
    count(events as u64)
}

fn policy_row(policy: &PolicySummary, is_applied: bool) -> [Cell; 4] {
    let estimate = policy.estimate();
    let mean = estimate.map(|estimate| estimate.average_reward);
    let half = estimate.map(|estimate| estimate.confidence_interval).filter(|half| *half > 0.0);
    let half = half.map_or_else(String::new, |half| format!(" ± {}", decimal(Some(half))));
    let estimate = decimal(mean) + &half;
    let arguments = policy.arguments.as_deref().unwrap_or("");
    let arguments = arguments.strip_prefix("--cb_explore_adf ").unwrap_or(arguments);
    let (mark, paint) = if is_applied { ("▸", Paint::Good) } else { (" ", Paint::Plain) };
    [
        Cell::painted(mark, paint),
        Cell::painted(name(&policy.name), paint),
        estimate.into(),
        Cell::painted(name(arguments), Paint::Faint),
    ]
}

fn model(report: &RunReport<'_>) -> String {
    let text = match report.models {
        Models { exports: Some(exports), .. } => plural(exports, "export"),
        Models { checks: 0, .. } => return String::new(),
        Models { checks, changes, .. } => format!("{changes} of {checks} checks found a new one"),
    };
    format!("{}    {text}\n", label("model"))
}

/// What a person should know, said once more where it is not scrolled away.
fn notices(numbers: &SummaryReport) -> String {
    let line = |notice: &String| format!("{}  {}\n", Paint::Doubtful.over("notice"), name(notice));
    numbers.notices.iter().map(line).collect()
}

fn expectations(verdicts: &[Verdict]) -> String {
    use Side::Left;
    let mut table = Table::new(&[("", Left), ("expectation", Left), ("observed", Left)]);
    for verdict in verdicts {
        table.row(verdict_row(verdict));
    }
    table.text()
}

fn verdict_row(verdict: &Verdict) -> [Cell; 3] {
    let (mark, paint) = match verdict.holds {
        Holds::Held => ("✓", Paint::Good),
        Holds::Failed => ("✗", Paint::Bad),
        Holds::NoSamples => ("?", Paint::Bad),
    };
    let text = Cell::from(name(&verdict.text));
    [Cell::painted(mark, paint), text, Cell::painted(name(&observed(verdict)), paint)]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use anstream::adapter::strip_str;
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::cli::fold::fold;
    use metrics::{AppliedPolicy, Dimension, Quantity};

    fn latency(p50_us: u64) -> LatencySummary {
        LatencySummary {
            count: 1000,
            clamped: 0,
            min_us: 1,
            mean_us: 1.0,
            p50_us,
            p90_us: 2 * p50_us,
            p95_us: 3 * p50_us,
            p99_us: 5 * p50_us,
            p99_9_us: 8 * p50_us,
            max_us: 200 * p50_us,
            percentiles: Vec::new(),
        }
    }

    fn phase(name: &str, iterations: u64) -> PhaseSummary {
        PhaseSummary {
            name: name.to_owned(),
            tags: BTreeMap::new(),
            planned_iterations: Some(iterations),
            iterations,
            started_us: Some(0),
            ended_us: Some(735_000_000),
            successes: 5,
            success_rate: Some(0.481),
            first_tenth_success_rate: Some(0.25),
            last_tenth_success_rate: Some(0.5194),
            mean_reward: Some(0.4814),
            regret: None,
            exploration_cost: None,
            errors: BTreeMap::new(),
            calls: 2 * iterations,
            asked_iterations_per_second: Some(50.0),
            iterations_per_second: Some(50.0),
            missed_rate: false,
            calls_per_second: Some(100.0),
            model_exports: None,
            rank: Some(latency(8040)),
            reward: Some(latency(420)),
            dropped: 0,
            rejected: 0,
            off_policy: None,
            slots: Vec::new(),
            rank_service: None,
            lag: None,
            saturation: None,
        }
    }

    fn policy(name: &str, mean: f64, arguments: Option<&str>) -> PolicySummary {
        PolicySummary {
            name: name.to_owned(),
            source: None,
            arguments: arguments.map(ToOwned::to_owned),
            total: Some(estimate(10_000.0, mean + 0.03)),
            held_out: Some(estimate(2000.0, mean)),
        }
    }

    fn estimate(events: f64, average_reward: f64) -> Estimate {
        Estimate { events, average_reward, confidence_interval: 0.012 }
    }

    fn numbers() -> SummaryReport {
        let failing = PhaseSummary {
            iterations: 1400,
            first_tenth_success_rate: None,
            errors: BTreeMap::from([
                ("rank.timeout".to_owned(), 12),
                ("reward.status_503".to_owned(), 1),
            ]),
            ..phase("validation", 2000)
        };
        let long = "--cb_explore_adf --epsilon 0.2 --cb_type mtr -l 0.5 --power_t 0.5 -q Fj --interactions FFFj";
        let evaluation = EvaluationSummary {
            phase: "evaluate".to_owned(),
            name: "evaluate".to_owned(),
            optimal_policy: None,
            policies: vec![
                policy("Inter-len4", 0.801, Some(long)),
                policy("baselineRand", 0.25, None),
            ],
            feature_importance: Vec::new(),
        };
        let applied = AppliedPolicy {
            phase: "evaluate".to_owned(),
            name: "Inter-len4".to_owned(),
            arguments: long.to_owned(),
        };
        let waiting = PhaseSummary { planned_iterations: None, iterations: 0, ..phase("wait", 0) };
        SummaryReport {
            phases: vec![phase("baseline", 10_000), waiting, failing],
            evaluations: vec![evaluation],
            applied: vec![applied],
            notices: vec!["model check failed: timeout".to_owned()],
        }
    }

    fn verdicts() -> [Verdict; 2] {
        let observed = Quantity { value: 0.832, dimension: Dimension::Share };
        let held = Verdict {
            text: "validation.success_rate >= 0.80".to_owned(),
            observed: Some(observed),
            holds: Holds::Held,
            reason: None,
        };
        let reason = Some("phase `validation` made 1400 of 2000 iterations".to_owned());
        let unknown = Verdict { observed: None, holds: Holds::NoSamples, reason, ..held.clone() };
        [held, unknown]
    }

    fn shown(numbers: &SummaryReport, simulated: bool) -> String {
        let text = summary(&RunReport {
            scenario: "coffee",
            seed: 42,
            simulated,
            ending: Some("not completed"),
            numbers,
            models: Models { exports: Some(100), checks: 20, changes: 10 },
            verdicts: &verdicts(),
            folder: Path::new("results/coffee/seed-42"),
        });
        strip_str(&text).to_string()
    }

    #[test]
    fn a_summary_reads_well() {
        assert_eq!(
            shown(&numbers(), true),
            "\
coffee, seed 42, 12m 15s simulated, not completed

phase           iterations  first → last tenth  reward  iter/s  calls/s  errors
baseline            10,000     25.0 % → 51.9 %   0.481    50.0    100.0       0
validation  1,400 of 2,000          - → 51.9 %   0.481    50.0    100.0      13

errors
validation  12  rank.timeout
             1  reward.status_503

latency, simulated               p50       p90       p99       max
baseline            rank      8.0 ms   16.1 ms   40.2 ms    1.61 s
                    reward    420 µs    840 µs    2.1 ms   84.0 ms
validation          rank      8.0 ms   16.1 ms   40.2 ms    1.61 s
                    reward    420 µs    840 µs    2.1 ms   84.0 ms

evaluate: what each policy would have earned on 2,000 held-out events of 10,000
   policy        estimate       arguments
▸  Inter-len4    0.801 ± 0.012  --epsilon 0.2 --cb_type mtr -l 0.5 --power_t 0.5 -q Fj --interactions FFFj
   baselineRand  0.250 ± 0.012
applied Inter-len4, trained on the whole log

model    100 exports

notice  model check failed: timeout

   expectation                      observed
✓  validation.success_rate >= 0.80  0.8320
?  validation.success_rate >= 0.80  phase `validation` made 1400 of 2000 iterations

results  results/coffee/seed-42
"
        );
    }

    #[test]
    fn the_lag_stands_beside_the_latency_that_it_is_part_of() {
        let mut numbers = numbers();
        let mut lag = numbers.phases[0].reward.clone().unwrap();
        lag.p50_us = 12;
        numbers.phases[0].lag = Some(lag);
        let shown = shown(&numbers, false);
        let rows: Vec<_> = shown.lines().skip_while(|line| !line.starts_with("latency")).collect();
        let words =
            |row: &str| row.split_whitespace().take(3).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(rows[1]), ["baseline", "rank", "8.0"]);
        assert_eq!(words(rows[2]), ["lag", "12", "µs"]);
    }

    /// At the width of a terminal every line fits but a single word; what is piped is whole.
    #[test]
    fn a_summary_fits_a_narrow_terminal() {
        let text = shown(&numbers(), true);
        for width in [40, 60, 80] {
            let folded = fold(&text, width);
            let is_wide = |line: &&str| line.width() > width && line.trim().contains(' ');
            assert_eq!(folded.lines().filter(is_wide).collect::<Vec<_>>(), Vec::<&str>::new());
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(words(&folded), words(&text));
        }
        assert!(!text.contains('…'), "{text}");
    }

    #[test]
    fn only_what_was_simulated_is_called_so() {
        assert!(!shown(&numbers(), false).contains("simulated"));
    }

    #[test]
    fn names_from_outside_are_harmless() {
        let mut numbers = numbers();
        numbers.phases[0].name = "a\u{1b}]0;b\u{7}".to_owned();
        numbers.evaluations[0].policies[0].name = "c\nd".to_owned();
        let text = shown(&numbers, true);
        assert!(text.contains(r"a\u{1b}]0;b\u{7}") && text.contains(r"c\nd"), "{text}");
    }
}
