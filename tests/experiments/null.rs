//! Is what is called different, different? Comparisons of a policy with itself.

use runner::comparison::{Finding, Group, compare, groups};
use runner::metrics::{Metric, Term};
use runner::results::experiment::read_experiment;
use runner::statistics::Confidence;

use super::{completed, runner};

/// How often the policy is compared with itself, each time with fresh seeds.
const COMPARISONS: usize = 200;

/// On each side.
const SEEDS: usize = 5;

/// Runs of one policy under `COMPARISONS` × 2 × `SEEDS` seeds, in groups of `SEEDS`.
fn runs() -> Vec<Group> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let seeds = format!("matrix={{ seeds: 1..{}, limit: 10000 }}", 2 * COMPARISONS * SEEDS);
    let mut command = runner();
    command.args(["scenarios/policies.yaml", "--quiet", "--out", &out, "--set", &seeds]);
    command.args(["--set", "gates=[]", "--set", "success_curve.batch=100"]);
    command.args([
        "--set",
        "phases=[{ iterate: { name: play, iterations: 600, concurrency: 8, rate: 20/s } }]",
    ]);
    command.args([
        "--set",
        "loop.learning_policy='--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.5 --cubic :::'",
    ]);
    command.args(["--set", "loop.reward_wait_time=1s", "--set", "loop.model_export_frequency=1s"]);
    completed(command);
    let all = groups(&read_experiment(out.as_ref()).unwrap()).remove(0);
    let chunks = all.samples.chunks(SEEDS);
    chunks.map(|samples| Group { samples: samples.to_vec(), ..all.clone() }).collect()
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

fn is_different(finding: Finding) -> bool {
    matches!(finding, Finding::Better | Finding::Worse | Finding::Different)
}

fn share(groups: &[Group], is_different: impl Fn(&Group, &Group) -> bool) -> f64 {
    let (pairs, _) = groups.as_chunks::<2>();
    let count = pairs.iter().filter(|[base, candidate]| is_different(base, candidate)).count();
    #[expect(clippy::cast_precision_loss, reason = "there are two hundred")]
    let share = count as f64 / pairs.len() as f64;
    share
}

/// What is often done: a z test of the events of one run each, as if they were
/// independent.
fn differ_by_events(base: &Group, candidate: &Group) -> bool {
    let rate =
        |group: &Group| group.samples[0].phases[0].measure(Metric::SuccessRate, None).unwrap();
    let (left, right) = (rate(base), rate(candidate));
    let both = f64::midpoint(left, right);
    let error = (both * (1.0 - both) * 2.0 / 600.0).sqrt();
    ((left - right) / error).abs() > 1.959_963_984_540_054
}

#[test]
fn a_policy_differs_from_itself_in_one_of_twenty_comparisons_by_runs_and_in_many_by_events() {
    let groups = runs();
    assert_eq!(groups.len(), 2 * COMPARISONS);
    let term = Term::parse("play.success_rate", &groups[0].scopes()).unwrap();
    let by_runs = |base: &Group, candidate: &Group| {
        let comparison = compare(&term, base, &[candidate], Confidence::P95);
        is_different(comparison.candidates[0].finding)
    };
    let unpaired = share(&groups, by_runs);
    let paired = share(&groups, |base, other| by_runs(base, &with_seeds_of(other, base)));
    let by_events = share(&groups, differ_by_events);
    println!("different: unpaired {unpaired}, paired {paired}, by events {by_events}");
    assert!((0.02..=0.08).contains(&unpaired), "{unpaired}");
    assert!((0.02..=0.08).contains(&paired), "{paired}");
    assert!(by_events > 0.2, "{by_events}");
}
