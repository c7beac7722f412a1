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
