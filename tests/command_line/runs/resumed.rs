//! `--resume`: a run that was killed or stopped goes on, and ends as if it never had.

use std::fs;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use seed::{PhaseKey, Purpose, Seed};

use super::folder::contents;
use super::{completed, runner};

const SCENARIO: &str = "scenarios/baseline.yaml";

fn resume(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = runner();
    command.arg(SCENARIO).args(["--quiet", "--resume"]).arg(folder).args(arguments);
    command.output().unwrap()
}

fn resumed(folder: &Path) {
    let output = resume(folder, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Starts a run and kills it after `moment`.
fn killed(arguments: &[&str], folder: &Path, flag: &str, moment: Duration) {
    // Not waiting for something to become true: the moment is the thing under test.
    killed_when(arguments, folder, flag, |_| std::thread::park_timeout(moment));
}

/// Starts a run and kills it when `wait` returns.
fn killed_when(arguments: &[&str], folder: &Path, flag: &str, wait: impl Fn(&mut Child)) {
    let mut command = runner();
    command.arg(SCENARIO).args(arguments).arg(flag).arg(folder).stderr(Stdio::null());
    let mut process = command.arg("--quiet").stdout(Stdio::null()).spawn().unwrap();
    wait(&mut process);
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn a_killed_run_ends_byte_for_byte_as_one_that_was_not() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    let started = Instant::now();
    completed(&whole, SCENARIO, &["--quiet"]);
    let duration = started.elapsed();
    let whole = contents(&whole);
    let mut went_on = 0;
    for round in 0..8 {
        let folder = root.path().join(format!("killed-{round}"));
        let mut draws = Seed(round).draws(PhaseKey::new("resume"), 0, Purpose::Visitor);
        killed(&[], &folder, "--out", duration.mul_f64(draws.unit()));
        if !folder.join("manifest.json").exists() {
            continue;
        }
        // Going on is killed too.
        killed(&[], &folder, "--resume", duration.mul_f64(draws.unit()));
        let output = resume(&folder, &[]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let was_complete = stderr.contains("is complete");
        assert!(output.status.success() || was_complete, "{stderr}");
        went_on += u32::from(!was_complete);
        let there = contents(&folder);
        assert_eq!(there.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
        for (name, bytes) in &whole {
            assert!(bytes == &there[name], "{name} differs after round {round}");
        }
        assert!(!folder.join(".lock").exists());
    }
    assert!(went_on >= 2, "only {went_on} of 8 runs had to go on");
}

#[test]
fn another_plan_is_refused_with_what_differs() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("killed");
    killed_when(&[], &folder, "--out", |process| {
        // The scenario is the last file that a run writes before it begins.
        while !folder.join("scenario.yaml").is_file() && process.try_wait().unwrap().is_none() {
            std::thread::park_timeout(Duration::from_millis(1));
        }
    });
    let rate = ["--set", "phases.baseline.rate=50/s", "--seed", "7"];
    let output = resume(&folder, &rate);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    for text in
        ["another plan", "phase `baseline` differs", "the seed differs", "rate=50/s", "--resume"]
    {
        assert!(stderr.contains(text), "`{text}` is not in\n{stderr}");
    }
    assert!(!stderr.contains("phase `validation`"), "{stderr}");
    resumed(&folder);
}

#[test]
fn what_cannot_go_on_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let refused = |folder: &Path, text: &str| {
        let output = resume(folder, &[]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(text), "{stderr}");
    };
    let nothing = root.path().join("nothing");
    fs::create_dir(&nothing).unwrap();
    refused(&nothing, "is not a results folder");
    let whole = root.path().join("whole");
    completed(&whole, SCENARIO, &["--quiet"]);
    let before = contents(&whole);
    refused(&whole, "is complete");
    assert_eq!(contents(&whole), before, "nothing was touched");
}
