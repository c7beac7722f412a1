//! Linear policies, and those without a context.

use serde_json::Value;
use std::fs;

use super::{LOOP, completed, run, text, write_scenario};

#[test]
fn linear_policies_learn_a_world_that_those_without_a_context_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let matrix = format!(
        "{LOOP}matrix:
  seeds: 1..5
  policies:
    ucb: {{ lin_ucb: {{ alpha: 0.5 }} }}
    ts: {{ lin_ts: {{ v: 0.1 }} }}
    each: {{ lin_ucb: {{ alpha: 0.5, model: disjoint }} }}
    ucb1: {{ ucb1: {{}} }}
    thompson: {{ thompson: {{}} }}
"
    );
    let path = write_scenario(here, &matrix);
    completed(here, &[&path, "--out", "out", "--quiet", "--set", "phases.learn.iterations=2000"]);
    let compared = completed(here, &["compare", "out", "--format", "json"]);
    let document: Value = serde_json::from_slice(&compared.stdout).unwrap();
    let shown = document.to_string();
    assert!(shown.contains("lin_ucb") || shown.contains("\"ucb\""), "{shown}");
    let experiment = fs::read_to_string(here.join("out/experiment.json")).unwrap();
    assert!(experiment.contains("lin_ts"), "the manifest names the policies");
}

#[test]
fn every_mistake_in_a_linear_policy_is_told_at_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let matrix = "matrix:
  policies:
    a: { lin_uc: {} }
    b: { lin_ucb: { alhpa: 1 } }
    c: { lin_ts: { samples: 0 } }
    d: { lin_ucb: { features: [1, ab] } }
    e: { command: [] }
";
    let path = write_scenario(here, matrix);
    let stderr = text(&run(here, &["check", &path]).stderr);
    for mistake in [
        "there is no `lin_uc`",
        "did you mean `lin_ucb`?",
        "unknown key `alhpa`",
        "did you mean `alpha`?",
        "`samples` must be",
        "small.yaml:14:35",
        "`command` is empty",
    ] {
        assert!(stderr.contains(mistake), "{mistake}: {stderr}");
    }
}

/// What the evaluation says of a policy is what it earns when it is applied.
#[test]
fn a_linear_policy_is_evaluated_and_applied_in_a_phase() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let extra = "  - wait: 20s
  - evaluate: { policies: { ucb: { lin_ucb: { alpha: 0.2, epsilon: 0.2 } } }, apply: ucb }
  - iterate: { name: after, iterations: 1000, concurrency: 4, rate: 20/s }
loop: { reward_wait_time: 5s, model_export_frequency: 5s }
";
    let path = write_scenario(here, extra);
    let arguments = ["--set", "phases.learn.iterations=2000", "--quiet"];
    completed(here, &[&[path.as_str(), "--out", "out"], &arguments[..]].concat());
    let mut reader = csv::Reader::from_path(here.join("out/evaluation.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let row = rows.iter().find(|row| &row[2] == "ucb").unwrap();
    let estimate: f64 = row[6].parse().unwrap();
    let half_width: f64 = row[7].parse().unwrap();
    let summary = fs::read_to_string(here.join("out/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let phases = summary["phases"].as_array().unwrap();
    let after = phases.iter().find(|phase| phase["name"] == "after").unwrap();
    let earned = after["mean_reward"].as_f64().unwrap();
    // Progressive validation counts the events before it had learned; it goes on learning.
    assert!(
        (earned - estimate).abs() < 2.0 * half_width + 0.05,
        "{earned} {estimate} {half_width}"
    );
}
