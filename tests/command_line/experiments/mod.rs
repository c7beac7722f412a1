//! Scenarios with a matrix, as their users run them.

mod compare;
mod export;
mod gates;
mod guide;
mod null;
pub mod pull_request;
mod report;
mod sequential;
mod shards;
mod verdicts;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::folders::contents;

/// Small worlds: two policies, six seeds.
const SMALL: [&str; 14] = [
    "--set",
    "matrix.seeds=1..6",
    "--set",
    "phases.baseline.iterations=400",
    "--set",
    "phases.validation.iterations=100",
    "--set",
    "matrix.exclude=[{ policy: faster }, { policy: robust }]",
    "--set",
    "success_curve.batch=20",
    "--set",
    "description=small",
    "--set",
    "gates=[]",
];

/// The program, to be run in the project's folder.
fn runner() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("NO_COLOR", "1");
    command
}

fn experiment(folder: [&str; 2], arguments: &[&str]) -> Command {
    let mut command = runner();
    command.arg("scenarios/policies.yaml").args(SMALL).args(folder).args(arguments);
    command
}

fn completed(mut command: Command) -> Output {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}\n{stderr}", output.status);
    output
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Panics without printing megabytes.
fn assert_same(left: &BTreeMap<String, Vec<u8>>, right: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    let different: Vec<_> = left.keys().filter(|name| left[*name] != right[*name]).collect();
    assert!(different.is_empty(), "{different:?}");
}

#[test]
fn neither_threads_nor_a_kill_change_a_byte() {
    let folder = tempfile::tempdir().unwrap();
    let [alone, both, killed] =
        ["alone", "both", "killed"].map(|name| folder.path().join(name).display().to_string());
    completed(experiment(["--out", &alone], &["--threads", "1"]));
    completed(experiment(["--out", &both], &["--threads", "2"]));
    assert_same(&contents(alone.as_ref()), &contents(both.as_ref()));

    let mut child = experiment(["--out", &killed], &["--threads", "1", "--quiet"]).spawn().unwrap();
    let cells = Path::new(&killed).join("cells");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let done = || fs::read_dir(&cells).map_or(0, Iterator::count);
    while done() < 3 {
        assert!(std::time::Instant::now() < deadline, "no cell is ever done");
        std::thread::park_timeout(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!Path::new(&killed).join("comparison.json").exists());
    let resumed = completed(experiment(["--resume", &killed], &["--threads", "2"]));
    let stderr = String::from_utf8(resumed.stderr).unwrap();
    assert!(stderr.contains("done before"), "{stderr}");
    assert_same(&contents(alone.as_ref()), &contents(killed.as_ref()));
}

#[test]
fn a_cell_that_is_done_is_kept_and_one_that_changed_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    completed(experiment(["--out", &out], &["--set", "matrix.seeds=1..2"]));
    let cells = Path::new(&out).join("cells");
    for entry in fs::read_dir(&cells).unwrap() {
        let path = entry.unwrap().path();
        let mut cell = json(&path);
        cell["notices"] = serde_json::json!(["done before"]);
        fs::write(path, cell.to_string()).unwrap();
    }
    let kept = || {
        let cells = fs::read_dir(&cells).unwrap().map(|entry| json(&entry.unwrap().path()));
        let all: Vec<bool> =
            cells.map(|cell| cell["notices"] == serde_json::json!(["done before"])).collect();
        (all.iter().filter(|kept| **kept).count(), all.len())
    };
    completed(experiment(["--resume", &out], &["--set", "matrix.seeds=2..4"]));
    assert_eq!(kept(), (4, 12), "those of seed 2 are kept, those of seed 1 are gone");
    let other = ["--set", "matrix.seeds=2..4", "--set", "phases.baseline.iterations=401"];
    completed(experiment(["--resume", &out], &other));
    assert_eq!(kept(), (0, 12));
}

#[test]
fn policies_of_one_seed_see_the_same_visitors() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    completed(experiment(["--out", &out], &["--set", "matrix.seeds=1..2"]));
    let results = results::experiment::read_experiment(Path::new(&out)).unwrap();
    let visitors = |index: usize| -> Vec<_> {
        let trace = results.cells[index].stored.read().unwrap().1;
        let seen = trace.iterations();
        seen.map(|at| (at.phase.to_owned(), at.iteration, at.context.to_vec())).collect()
    };
    let seed = |index: usize| results.cells[index].seed;
    assert_eq!((seed(0), seed(3)), (seed(1), seed::Seed(1)));
    assert_eq!(visitors(0), visitors(3));
    assert_ne!(visitors(0), visitors(4), "another seed has other visitors");
}

#[test]
fn a_cell_that_fails_fails_alone_and_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let one_fails = [
        "--set",
        "matrix.axes={ loop.exploration_percentage: [0.2, 0.3] }",
        "--set",
        "matrix.policies={ default: --cb_explore_adf }",
        "--set",
        "matrix.exclude=[{ seed: 99 }]",
        "--set",
        "phases.1={ configure: { name: look, verify: { exploration_percentage: 0.2 } } }",
    ];
    let output = experiment(["--out", &out], &one_fails).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(stderr.contains("6 of 12 cells failed"), "{stderr}");
    assert!(stderr.contains("default · 0.3, seed 1: phase `look`"), "{stderr}");
    let manifest = json(&Path::new(&out).join("experiment.json"));
    let statuses: Vec<bool> = manifest["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| cell["status"] == "complete")
        .collect();
    assert_eq!(statuses.iter().filter(|complete| **complete).count(), 6);
    assert_eq!(manifest["complete"], false);
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let path = folder.path().display().to_string();
    for (place, words) in [("--out", "is not empty"), ("--resume", "is not a results folder")] {
        let output = experiment([place, &path], &[]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
    assert_eq!(contents(folder.path()).keys().collect::<Vec<_>>(), ["notes.txt"]);
}

/// A policy that draws at random while it learns draws from the stream of the run's seed, as if
/// `--random_seed` stood in its arguments.
#[test]
fn the_random_stream_of_a_policy_follows_the_seed_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let [out, cells] = ["out", "cells"].map(|name| folder.path().join(name).display().to_string());
    let matrix = "matrix={ seeds: 1..2, policies: { free: '--cb_explore_adf --bag 3', \
                  pinned: '--cb_explore_adf --bag 3 --random_seed 2' } }";
    let short = ["phases.baseline.iterations=400", "phases.validation.iterations=100", "gates=[]"];
    let mut command = runner();
    command.args(["scenarios/policies.yaml", "--out", &out, "--cell-folders", &cells]);
    short.into_iter().chain([matrix]).for_each(|change| {
        command.args(["--set", change]);
    });
    completed(command);
    let events = |policy: &str, seed: u64| {
        fs::read(Path::new(&cells).join(policy).join(format!("seed-{seed}/events.csv"))).unwrap()
    };
    assert!(events("free", 2) == events("pinned", 2));
    assert!(events("free", 1) != events("pinned", 1));
}

/// The whole of a cell is what its figures are made of, and asking for it changes nothing.
#[test]
fn cells_leave_their_folders_where_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let shown = |name: &str| path(name).display().to_string();
    completed(experiment(["--out", &shown("plain")], &[]));
    completed(experiment(["--out", &shown("asked")], &["--cell-folders", &shown("cells")]));
    assert_eq!(contents(&path("plain")), contents(&path("asked")));
    let read = results::experiment::read_experiment(&path("asked")).unwrap();
    for group in comparison::groups(&read) {
        for sample in &group.samples {
            let cell = path("cells").join(&group.name).join(format!("seed-{}", sample.seed));
            let run = results::read(&cell).unwrap();
            assert!(run.manifest.complete && cell.join("log.dsjson").exists());
            for (own, whole) in sample.phases.iter().zip(run.summary().phases()) {
                assert_eq!(own.successes(0..u64::MAX), whole.successes(0..u64::MAX));
                assert_eq!(own.iterations(), whole.iterations());
            }
        }
    }
}
