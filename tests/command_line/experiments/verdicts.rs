//! When a comparison says nothing, and when a gate does not pass.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::{completed, experiment, runner};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn compare(arguments: &[&str]) -> Output {
    runner().arg("compare").args(arguments).output().unwrap()
}

/// A baseline file or a gates file of this folder.
fn case(name: &str) -> String {
    format!("tests/command_line/experiments/cases/{name}")
}

/// The comparison of two baseline files by one metric, and the exit code.
fn compared(name: &str, metric: &str, arguments: &[&str]) -> (Value, Option<i32>) {
    let [base, candidate] = ["a", "b"].map(|side| case(&format!("{name}_{side}.json")));
    let fixed = [&base, &candidate, "--metric", metric, "--format", "json"];
    let output = compare(&[&fixed[..], arguments].concat());
    let document = serde_json::from_slice(&output.stdout);
    (document.unwrap_or_else(|_| panic!("{}", text(&output.stderr))), output.status.code())
}

#[test]
fn two_seeds_that_differ_in_the_last_bit_are_a_description() {
    let gates = case("nospread_gate.yaml");
    for metric in ["play.regret", "play.success_rate"] {
        let (found, exit) = compared("ulp2", metric, &["--gates", &gates]);
        let row = &found["metrics"][0]["candidates"][0];
        assert_eq!(
            (&row["finding"], &row["reason"]),
            (&"no_inference".into(), &"few_pairs".into())
        );
        assert_eq!(
            (&row["p"], &row["adjusted_p"], &row["interval"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        let gate = &found["gates"][0];
        assert_eq!((&gate["outcome"], exit), (&"inconclusive".into(), Some(0)));
        assert_eq!(gate["reason"], "2 seeds, 5 are needed");
    }
}

#[test]
fn a_mean_difference_of_zero_could_have_shown_something() {
    let (found, _) = compared("zero_mean", "play.success_rate", &[]);
    let row = &found["metrics"][0]["candidates"][0];
    assert_eq!(row["difference"].as_f64().unwrap(), 0.0);
    assert!(row["detectable"].as_f64().unwrap() > 0.1);
    assert_eq!((&row["pairs"], &row["finding"]), (&4.into(), &"no_inference".into()));
}

#[test]
fn two_common_seeds_do_not_throw_the_other_runs_away() {
    let (found, exit) =
        compared("two_common", "play.success_rate", &["--gates", &case("errors_gate.yaml")]);
    let row = &found["metrics"][0]["candidates"][0];
    assert_eq!((&row["runs"], &row["pairs"]), (&20.into(), &2.into()));
    assert_eq!((&row["analysis"], &row["finding"]), (&"unpaired".into(), &"better".into()));
    // No errors in twenty runs on either side.
    assert_eq!((&found["gates"][0]["outcome"], exit), (&"pass".into(), Some(0)));
    let [base, candidate] = ["a", "b"].map(|side| case(&format!("two_common_{side}.json")));
    let shown = text(&compare(&[&base, &candidate]).stdout);
    assert!(shown.contains("2 of 20 runs share a seed with the base"), "{shown}");
}

#[test]
fn seeds_are_planned_for_a_difference() {
    let (found, _) = compared("two_common", "play.success_rate", &["--detect", "2%"]);
    let plan = &found["metrics"][0]["candidates"][0]["detect"];
    assert_eq!(plan["difference"], 0.02);
    let [seeds, most] = ["seeds", "seeds_at_most"].map(|key| plan[key].as_u64().unwrap());
    assert!(20 < seeds && seeds < most, "{plan}");
    let [base, candidate] = ["a", "b"].map(|side| case(&format!("two_common_{side}.json")));
    for (detect, words) in [("5ms", "`5ms`"), ("0", "above zero"), ("7", "between -1 and 1")] {
        let output = compare(&[&base, &candidate, "--detect", detect]);
        let stderr = text(&output.stderr);
        assert!(output.status.code() == Some(2) && stderr.contains(words), "{stderr}");
    }
}

const PASSING: &str = "gates=[{ metric: validation.success_rate, margin: 0.9 }]";

fn run(folder: &Path, changes: &[&str]) -> (String, Output) {
    let out = folder.join("out").display().to_string();
    let output = experiment(["--out", &out], changes).output().unwrap();
    (out, output)
}

#[test]
fn the_gates_of_the_scenario_are_judged_without_being_named() {
    let folder = tempfile::tempdir().unwrap();
    let (out, _) = run(folder.path(), &["--set", PASSING]);
    let junit = folder.path().join("junit.xml").display().to_string();
    let output = compare(&[&out, "--junit", &junit]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let junit = fs::read_to_string(junit).unwrap();
    assert!(junit.contains("tests=\"3\"") && junit.contains("failures=\"0\""), "{junit}");
    let gates = folder.path().join("gates.yaml");
    let against = "gates:\n  - { metric: validation.success_rate, policies: default }\n";
    fs::write(&gates, against).unwrap();
    let output = compare(&[&out, "--gates", &gates.display().to_string()]);
    assert_eq!(output.status.code(), Some(2), "a gate of the base alone judges nothing");
    assert!(text(&output.stderr).contains("no gate of"), "{}", text(&output.stderr));
}

#[test]
fn no_gate_passes_on_incomplete_results() {
    let folder = tempfile::tempdir().unwrap();
    let some_fail = [
        "--set",
        "matrix.axes={ loop.exploration_percentage: [0.2, 0.3] }",
        "--set",
        "matrix.exclude=[{ policy: faster }, { policy: robust }]",
        "--set",
        "phases.1={ configure: { name: look, verify: { exploration_percentage: 0.2 } } }",
        "--set",
        "gates=[{ metric: baseline.success_rate, margin: 0.9 }]",
    ];
    let (out, output) = run(folder.path(), &some_fail);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    let written = super::json(&folder.path().join("out/comparison.json"));
    let gates = written["gates"].as_array().unwrap();
    assert!(!gates.is_empty() && gates.iter().all(|gate| gate["outcome"] == "not_measured"));
    let output = compare(&[&out, "--format", "json"]);
    assert_eq!(output.status.code(), Some(5));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let gates = found["gates"].as_array().unwrap();
    assert!(gates.iter().all(|gate| gate["outcome"] == "not_measured"), "{found}");
}

#[test]
fn a_gate_does_not_pass_where_nothing_could_differ() {
    let folder = tempfile::tempdir().unwrap();
    let never_exported = ["--set", "loop.model_export_frequency=10h", "--set", PASSING];
    let (out, output) = run(folder.path(), &never_exported);
    let stdout = text(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{stdout}");
    assert!(stdout.contains("nothing could differ"), "{stdout}");
    // Of two folders with one plan: what is the same is not worse, unless nothing was learned.
    let again = folder.path().join("again").display().to_string();
    experiment(["--out", &again], &never_exported).output().unwrap();
    let output = compare(&[&out, &again]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stdout));
}

#[test]
fn a_failed_gate_is_one_line_where_nothing_else_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let gate = "gates=[{ metric: validation.success_rate, require: better, margin: 0.9 }]";
    let (_, output) = run(folder.path(), &["--quiet", "--set", gate]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(3), ""));
    let stderr = text(&output.stderr);
    let expected = "error: 3 of 3 gates did not pass: validation.success_rate better by 0.9000 (";
    assert!(stderr.starts_with(expected) && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn the_noise_says_what_its_share_can_show() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    completed(experiment(["--out", &out], &["--set", "matrix.seeds=1..10"]));
    let shown = text(&compare(&[&out, "--null"]).stdout);
    assert!(shown.contains("close to its level by construction"), "{shown}");
    assert!(shown.contains("nothing is shown about other seeds or other policies"), "{shown}");
}
