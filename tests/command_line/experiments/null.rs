//! Is what is called different, different? Comparisons of policies with themselves.

use std::fmt::Write as _;
use std::ops::Range;

use comparison::{Finding, Group, compare, groups};
use metrics::{Metric, Term};
use results::experiment::read_experiment;
use statistics::Confidence;

use super::{completed, runner};

/// How often a policy is compared with itself, each time with fresh seeds: a few times, or as
/// often as the table of the guide says (`just study`).
fn comparisons() -> usize {
    if is_study() { 200 } else { 20 }
}

fn is_study() -> bool {
    std::env::var_os("RUNNER_STUDY").is_some()
}

/// On each side.
const SEEDS: usize = 5;

const ITERATIONS: u64 = 600;

/// What is asked: the success rate of some iterations.
struct Question {
    term: Term,
    window: Range<u64>,
}

/// How the runs of two groups are compared: whether they are called different.
type Method = fn(&Question, &Group, &Group) -> bool;

const METHODS: [(&str, Method); 4] = [
    ("z test of the events of one run each", |question, base, other| {
        by_events(question, &one_run(base), &one_run(other))
    }),
    ("z test of the events of five runs each", by_events),
    ("Welch's test of five runs each", by_runs),
    ("paired t test of five seeds", |question, base, other| {
        by_runs(question, base, &with_seeds_of(other, base))
    }),
];

/// Runs of two policies under `comparisons()` × 2 × `SEEDS` seeds, in groups of `SEEDS`.
fn runs() -> Vec<(String, Vec<Group>)> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let policies = [
        "ε-greedy: '--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.5 --cubic :::'",
        "explore-first: '--cb_explore_adf --first 150 --power_t 0 -l 0.5 --cubic :::'",
    ];
    let (seeds, policies) = (2 * comparisons() * SEEDS, policies.join(", "));
    let matrix =
        format!("matrix={{ seeds: 1..{seeds}, limit: 10000, policies: {{ {policies} }} }}");
    let phase = format!("name: play, iterations: {ITERATIONS}, concurrency: 8, rate: 20/s");
    let phases = format!("phases=[{{ iterate: {{ {phase} }} }}]");
    let mut command = runner();
    command.args(["scenarios/policies.yaml", "--quiet", "--out", &out, "--set", &matrix]);
    command.args(["--set", "gates=[]", "--set", "success_curve.batch=50", "--set", &phases]);
    command.args(["--set", "loop.reward_wait_time=1s", "--set", "loop.model_export_frequency=1s"]);
    completed(command);
    let policies = groups(&read_experiment(out.as_ref()).unwrap());
    let cut = |all: Group| {
        let chunks = all.samples.chunks(SEEDS);
        let chunks = chunks.map(|samples| Group { samples: samples.to_vec(), ..all.clone() });
        (all.name.clone(), chunks.collect())
    };
    policies.into_iter().map(cut).collect()
}

/// As if the runs of both had the same seeds: they are as independent as before, and
/// compared pair by pair.
fn with_seeds_of(group: &Group, other: &Group) -> Group {
    let mut group = group.clone();
    for (own, other) in group.samples.iter_mut().zip(&other.samples) {
        own.seed = other.seed;
    }
    group
}

fn one_run(group: &Group) -> Group {
    Group { samples: group.samples[..1].to_vec(), ..group.clone() }
}

fn by_runs(question: &Question, base: &Group, other: &Group) -> bool {
    let comparison = compare(&question.term, base, &[other], Confidence::P95);
    let finding = comparison.candidates[0].finding;
    matches!(finding, Finding::Better | Finding::Worse | Finding::Different)
}

/// What is often done: a z test of events, as if they were independent.
#[expect(clippy::cast_precision_loss, reason = "there are a few thousand")]
fn by_events(Question { window, .. }: &Question, base: &Group, other: &Group) -> bool {
    let rate = |group: &Group| {
        let one = |sample: &comparison::Sample| {
            sample.phases[0].measure(Metric::SuccessRate, Some(window.clone())).unwrap()
        };
        group.samples.iter().map(one).sum::<f64>() / group.samples.len() as f64
    };
    let events = (window.end - window.start) as f64 * base.samples.len() as f64;
    let (left, right) = (rate(base), rate(other));
    let both = f64::midpoint(left, right);
    let error = (both * (1.0 - both) * 2.0 / events).sqrt();
    ((left - right) / error).abs() > 1.959_963_984_540_054
}

#[expect(clippy::cast_precision_loss, reason = "there are two hundred")]
fn share(groups: &[Group], is_different: impl Fn(&Group, &Group) -> bool) -> f64 {
    let (pairs, _) = groups.as_chunks::<2>();
    let count = pairs.iter().filter(|[base, candidate]| is_different(base, candidate)).count();
    count as f64 / pairs.len() as f64
}

#[test]
fn a_policy_differs_from_itself_in_one_of_twenty_comparisons_by_runs_and_in_many_by_events() {
    let policies = runs();
    let scopes = policies[0].1[0].scopes();
    let whole = ("play.success_rate", 0..ITERATIONS);
    let last = ("play.success_rate[last 25%]", ITERATIONS * 3 / 4..ITERATIONS);
    let questions = [whole, last]
        .map(|(text, window)| Question { term: Term::parse(text, &scopes).unwrap(), window });
    let (mut table, mut shares) = (String::new(), Vec::new());
    for (name, is_different) in METHODS {
        let mut row = format!("| {name} |");
        for (_, groups) in &policies {
            assert_eq!(groups.len(), 2 * comparisons());
            for question in &questions {
                let share = share(groups, |base, other| is_different(question, base, other));
                _ = write!(row, " {:.1} % |", 100.0 * share);
                shares.push((name, share));
            }
        }
        _ = writeln!(table, "{row}");
    }
    println!("{table}");
    // Of twenty comparisons, four false findings are as likely as 1.6 %.
    let sound = if is_study() { 0.02..=0.08 } else { 0.0..=0.2 };
    for (name, share) in &shares {
        assert!(sound.contains(share) || name.contains("events"), "{name}: {share}");
    }
    let worst = shares.iter().map(|(_, share)| *share).fold(0.0, f64::max);
    assert!(worst >= 0.15, "events are not independent: {worst}");
    if is_study() {
        let guide = include_str!("../../../src/cli/guide/comparing.md");
        assert!(guide.contains(&table), "the guide has another table than\n{table}");
    }
}
