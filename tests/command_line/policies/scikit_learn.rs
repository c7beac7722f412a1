//! A policy of scikit-learn, which learns online, beside Vowpal Wabbit's and LinUCB.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::{LOOP, run, runner, text, write_scenario};
use crate::folders::contents;
use crate::tools;

const POLICIES: [&str; 3] = ["logistic", "pairs", "ucb"];
/// The fewest of which a gate is judged.
const SEEDS: usize = 5;

fn is_installed() -> bool {
    let output = Command::new("python3").args(["-c", "import sklearn"]).output();
    output.is_ok_and(|output| output.status.success())
}

/// A matrix with a gate; the program is the one that ships. It imports a large library in each
/// cell, which is what most of this test costs: so there are few seeds.
fn scenario(folder: &Path) -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/programs/logistic.py");
    fs::copy(shipped, folder.join("logistic.py")).unwrap();
    let matrix = format!(
        "{LOOP}matrix:
  seeds: 1..{SEEDS}
  policies:
    logistic: {{ command: [python3, logistic.py], timeout: 60s }}
    pairs: '--cb_explore_adf --epsilon 0.2 -q ::'
    ucb: {{ lin_ucb: {{ alpha: 0.5 }} }}
gates:
  - {{ metric: learn.mean_reward, require: not_worse, margin: 0.5, policies: logistic, against: pairs }}
"
    );
    write_scenario(folder, &matrix)
}

fn with_helper(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = runner(folder);
    let helper = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/wheel/python");
    // One thread of BLAS a program: the cells are on all cores.
    command.args(arguments).env("PYTHONPATH", helper).env("OMP_NUM_THREADS", "1");
    command
}

fn completed(folder: &Path, arguments: &[&str]) {
    let output = with_helper(folder, arguments).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// Kills the run when some of its cells are complete.
fn killed(folder: &Path, arguments: &[&str], out: &str) {
    let mut command = with_helper(folder, arguments);
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let cells = || fs::read_dir(folder.join(out).join("cells")).map_or(0, Iterator::count);
    while cells() < 2 * POLICIES.len() {
        assert!(process.try_wait().unwrap().is_none(), "the run ended before it was killed");
        std::thread::park_timeout(Duration::from_millis(1));
    }
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn scikit_learn_plays_beside_vw_and_lin_ucb_is_resumed_and_sharded_to_the_same_bytes() {
    if !is_installed() {
        return tools::missing("scikit-learn", "`python3 -m pip install mabwiser==2.7.4`");
    }
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let path = scenario(here);
    killed(here, &[&path, "--out", "whole", "--quiet"], "whole");
    completed(here, &[&path, "--resume", "whole", "--quiet"]);
    for shard in ["1/3", "2/3", "3/3"] {
        let out = format!("part-{}", &shard[..1]);
        completed(here, &[&path, "--out", &out, "--shard", shard, "--quiet"]);
    }
    completed(here, &["merge", "part-1", "part-2", "part-3", "--out", "merged"]);
    assert!(contents(&here.join("whole")) == contents(&here.join("merged")), "the bytes differ");
    curves_rise(&here.join("whole/curves.csv"));
    verdicts_are_given(here);
}

/// Each policy has its curve, whose end lies above its beginning.
fn curves_rise(path: &Path) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let mut curves: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let success = row["success_rate"].parse().unwrap();
        curves.entry(row["policy"].clone()).or_default().push(success);
    }
    assert!(curves.keys().eq(POLICIES.iter()), "{curves:?}");
    for (policy, curve) in curves {
        assert!(curve.last() > curve.first(), "{policy}: {curve:?}");
    }
}

/// The policies are compared over all seeds, and the gate is judged.
fn verdicts_are_given(here: &Path) {
    let compared = run(here, &["compare", "whole", "--format", "json"]);
    let document: Value = serde_json::from_slice(&compared.stdout).unwrap();
    let metric = &document["metrics"][0];
    let candidates = metric["candidates"].as_array().unwrap();
    let mut compared = vec![&metric["base"]["name"]];
    for candidate in candidates {
        assert_eq!(candidate["pairs"], SEEDS, "{candidate}");
        assert!(candidate["finding"].is_string(), "{candidate}");
        compared.push(&candidate["name"]);
    }
    assert_eq!(compared, POLICIES);
    assert_eq!(document["gates"][0]["outcome"], "pass", "{document}");
}
