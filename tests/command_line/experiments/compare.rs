//! `runner compare`, as its users run it.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::{completed, experiment, json, runner};

fn compare(arguments: &[&str]) -> Output {
    runner().arg("compare").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A short run of the tutorial, in a folder.
fn run(folder: &Path, changes: &[&str]) -> String {
    let shown = folder.display().to_string();
    let mut command = runner();
    command.args(["scenarios/baseline.yaml", "--quiet", "--out", &shown]);
    command.args(["--set", "phases.baseline.iterations=300"]);
    command.args(["--set", "phases.validation.iterations=200", "--set", "expect=[]"]);
    completed({
        command.args(changes);
        command
    });
    shown
}

/// The difference that a comparison as JSON states for a metric and a candidate.
fn difference(comparison: &Value, metric: &str, candidate: &str) -> f64 {
    let metrics = comparison["metrics"].as_array().unwrap();
    let found = metrics.iter().find(|found| found["metric"] == metric).unwrap();
    let rows = found["candidates"].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == candidate).unwrap();
    row["difference"].as_f64().unwrap()
}

#[test]
fn the_policies_of_an_experiment_are_compared_as_the_experiment_did() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    completed(experiment(["--out", &out], &[]));
    let output = compare(&[&out, "--format", "json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found, json(&folder.path().join("out/comparison.json")));
}

#[test]
fn the_other_way_round_is_the_negative() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    completed(experiment(["--out", &out], &[]));
    let metric = "validation.success_rate";
    let against = |base: &str| -> Value {
        let arguments = [&out, "--base-policy", base, "--format", "json", "--metric", metric];
        serde_json::from_slice(&compare(&arguments).stdout).unwrap()
    };
    let there = difference(&against("default"), metric, "cubic");
    let back = difference(&against("cubic"), metric, "default");
    assert!(there != 0.0 && (there + back).abs() < 1e-12, "{there} {back}");
}

#[test]
fn experiments_are_compared_policy_by_policy_and_seed_by_seed() {
    let folder = tempfile::tempdir().unwrap();
    let [base, same, other] =
        ["base", "same", "other"].map(|name| folder.path().join(name).display().to_string());
    completed(experiment(["--out", &base], &[]));
    completed(experiment(["--out", &same], &[]));
    completed(experiment(["--out", &other], &["--set", "loop.reward_wait_time=60s"]));
    let shown = text(&compare(&[&base, &same]).stdout);
    assert!(shown.contains("every context and every choice of 6 seeds is the same"), "{shown}");
    // Where nothing differs, one table has what was measured by each metric.
    let policies = shown.matches("/same against ").count();
    assert!(policies >= 2, "{shown}");
    assert_eq!(shown.matches("identical in every run").count(), policies, "{shown}");
    assert!(shown.contains("validation.success_rate") && !shown.contains("interval"), "{shown}");
    let shown = text(&compare(&[&base, &other]).stdout);
    assert!(shown.contains("their plans differ in the target"), "{shown}");
    assert!(shown.contains("0 of 6 seeds are the same; seed 1 differs at iteration"), "{shown}");
}

#[test]
fn two_runs_are_described_and_nothing_is_inferred_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let base = run(&folder.path().join("base"), &[]);
    let other = run(&folder.path().join("other"), &["--seed", "2"]);
    let output = compare(&[&base, &other]);
    let shown = text(&output.stdout);
    assert!(output.status.success());
    assert!(shown.contains("they have no seed in common"), "{shown}");
    assert!(shown.contains("one run each: no inference"), "{shown}");
    let shown = text(&compare(&[&base, &base]).stdout);
    assert!(shown.contains("every context and every choice is the same"), "{shown}");
}

#[test]
fn mistakes_are_shown_all_at_once_and_nothing_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let base = run(&folder.path().join("base"), &[]);
    let missing = folder.path().join("missing").display().to_string();
    let wrong: [(&[&str], &[&str]); 4] = [
        (&[&base], &["is alone: there is nothing to compare it with", "name a second folder"]),
        (&[&base, &missing, "/etc"], &["missing` is not a results folder", "`/etc` is not"]),
        (
            &[&base, &base, "-m", "validaton.success_rate", "-m", "baseline.succes_rate"],
            &["there is no phase `validaton`", "did you mean `validation`", "succes_rate"],
        ),
        (&[&base, &base, "--confidence", "95"], &["95"]),
    ];
    for (arguments, expected) in wrong {
        let output = compare(arguments);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(output.stdout.is_empty());
        for part in expected {
            assert!(stderr.contains(part), "`{part}` is not in\n{stderr}");
        }
    }
}

#[test]
fn the_folder_around_results_is_refused_with_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    run(&folder.path().join("results/mine"), &[]);
    let around = folder.path().join("results").display().to_string();
    let output = runner().args(["show", &around]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    let advice = format!("help: name the results in it: `{around}/mine`");
    assert!(error.contains(&advice), "{error}");
}

/// Six runs of the tutorial under two reward wait times, each in a folder of runs.
fn folders_of_runs(root: &Path) -> [String; 2] {
    [("old", "15s"), ("new", "1m")].map(|(name, wait)| {
        let wait = format!("loop.reward_wait_time={wait}");
        for seed in ["1", "2", "3", "4", "5", "6"] {
            run(&root.join(name).join(seed), &["--seed", seed, "--set", &wait]);
        }
        root.join(name).display().to_string()
    })
}

#[test]
fn runs_made_one_by_one_are_compared_as_those_of_a_matrix() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = folders_of_runs(folder.path());
    let metric = "baseline.success_rate";
    let found = |arguments: &[&str]| -> Value {
        let output = compare(&[arguments, &["--format", "json", "-m", metric]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (left, right) = (format!("old={old}/*"), format!("new={new}"));
    let groups = found(&["--group", &left, "--group", &right]);
    let folders = found(&[&old, &new]);
    let difference = difference(&groups, metric, "new");
    assert_eq!(difference, self::difference(&folders, metric, &new));
    assert_eq!(groups["metrics"][0]["candidates"][0]["pairs"], 6);

    let out = folder.path().join("matrix").display().to_string();
    let mut matrix = runner();
    matrix.args(["scenarios/baseline.yaml", "--quiet", "--out", &out, "--set", "expect=[]"]);
    matrix.args(["--set", "phases.baseline.iterations=300"]);
    matrix.args(["--set", "phases.validation.iterations=200"]);
    matrix.args(["--set", "matrix={ seeds: 1..6, axes: { loop.reward_wait_time: [15s, 1m] } }"]);
    completed(matrix);
    assert_eq!(difference, self::difference(&found(&[&out]), metric, "1m"));

    let page = folder.path().join("report.html").display().to_string();
    let mut report = runner();
    completed({
        report.args(["report", &old, &new, "--out", &page]);
        report
    });
    assert!(std::fs::read_to_string(page).unwrap().contains("baseline.success_rate"));
}

#[test]
fn runs_that_are_not_of_one_group_are_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    run(&root.join("mixed/1"), &["--seed", "1"]);
    run(&root.join("mixed/2"), &["--seed", "2", "--set", "loop.reward_wait_time=1m"]);
    run(&root.join("same/1"), &[]);
    run(&root.join("same/2"), &[]);
    let named = |name: &str| format!("a={}/{name}", root.display());
    let wrong = [
        (named("mixed"), "they differ in the target", "as two groups"),
        (named("same/*"), "seed 42 is in", "`--seed 2`"),
        (named("nothing*"), "there is no such folder", "nothing*"),
        ("a".to_owned(), "expected a name and folders", "old='results/old/*'"),
    ];
    for (group, what, remedy) in wrong {
        let output = compare(&["--group", &group, "--group", "b=/nowhere"]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(what) && stderr.contains(remedy), "{stderr}");
    }
}
