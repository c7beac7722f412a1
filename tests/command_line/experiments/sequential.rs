//! `seeds: { until: decided, at_most: N }`: seeds in rounds, until every gate is decided.

use std::path::Path;
use std::process::Output;

use super::{assert_same, completed, experiment, json, runner};
use crate::folders::contents;

const SEEDS: &str = "matrix.seeds={ until: decided, at_most: 12 }";

/// The difference is large enough to be decided before the ceiling.
const LARGE: &str =
    "gates=[{ metric: validation.success_rate, policies: cubic, require: better, margin: 0.01 }]";

fn run(folder: &Path, name: &str, gates: &str, more: &[&str]) -> (String, Output) {
    let out = folder.join(name).display().to_string();
    let changes = [&["--set", SEEDS, "--set", gates], more].concat();
    let output = experiment(["--out", &out], &changes).output().unwrap();
    (out, output)
}

fn seeds(out: &str) -> Vec<u64> {
    let manifest = json(&Path::new(out).join("experiment.json"));
    let cells = manifest["cells"].as_array().unwrap().iter();
    let mut seeds: Vec<u64> = cells.map(|cell| cell["seed"].as_u64().unwrap()).collect();
    seeds.dedup();
    seeds
}

#[test]
fn a_decided_experiment_stops_with_the_same_bytes_for_any_threads_and_shards() {
    let folder = tempfile::tempdir().unwrap();
    let (alone, output) = run(folder.path(), "alone", LARGE, &["--threads", "1"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let taken = seeds(&alone).len() as u64;
    assert_eq!(seeds(&alone), (1..=taken).collect::<Vec<_>>());
    assert!((7..12).contains(&taken), "{taken} seeds");
    let manifest = json(&Path::new(&alone).join("experiment.json"));
    assert_eq!((&manifest["complete"], &manifest["until_decided"]), (&true.into(), &12.into()));
    let (both, _) = run(folder.path(), "both", LARGE, &["--threads", "2"]);
    assert_same(&contents(alone.as_ref()), &contents(both.as_ref()));

    let shards = ["1/2", "2/2"].map(|shard| {
        let name = format!("shard-{}", &shard[..1]);
        run(folder.path(), &name, LARGE, &["--shard", shard]).0
    });
    let merged = folder.path().join("merged").display().to_string();
    completed({
        let mut command = runner();
        command.args(["merge", &shards[0], &shards[1], "--out", &merged]);
        command
    });
    assert_same(&contents(alone.as_ref()), &contents(merged.as_ref()));
    let compared = runner().args(["compare", &alone, "--format", "json"]).output().unwrap();
    let found: serde_json::Value = serde_json::from_slice(&compared.stdout).unwrap();
    assert_eq!(found, json(&Path::new(&alone).join("comparison.json")));
}

#[test]
fn what_is_not_decided_at_the_ceiling_is_inconclusive() {
    let folder = tempfile::tempdir().unwrap();
    let gate = "gates=[{ metric: validation.success_rate, policies: cubic, min_seeds: 13 }]";
    let (out, output) = run(folder.path(), "out", gate, &[]);
    assert!(output.status.success());
    assert_eq!(seeds(&out).len(), 12);
    let found = json(&Path::new(&out).join("comparison.json"));
    assert_eq!(found["gates"][0]["outcome"], "inconclusive");
    assert_eq!(found["gates"][0]["reason"], "12 seeds, 13 are needed");
}

#[test]
fn an_experiment_without_gates_has_nothing_to_decide() {
    let folder = tempfile::tempdir().unwrap();
    let (_, output) = run(folder.path(), "out", "gates=[]", &[]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("there is nothing to decide"), "{stderr}");
}
