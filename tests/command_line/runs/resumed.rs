//! `--resume`: a run that was killed or stopped goes on, and ends as if it never had.

use std::fs;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::Duration;

use seed::{PhaseKey, Purpose, Seed};

use super::folder::contents;
use super::{completed, runner};

const SCENARIO: &str = "scenarios/baseline.yaml";

/// The same, of fewer iterations, for what is run many times.
const SHORT: [&str; 6] = [
    "--set",
    "phases.baseline.iterations=900",
    "--set",
    "phases.validation.iterations=300",
    "--set",
    "expect=[]",
];

fn resume(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = runner();
    command.arg(SCENARIO).args(["--quiet", "--resume"]).arg(folder).args(arguments);
    command.output().unwrap()
}

fn resumed(folder: &Path) {
    let output = resume(folder, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Starts a run and kills it once its folder holds so many bytes.
fn killed_at(bytes: u64, folder: &Path, flag: &str) {
    killed_when(&SHORT, folder, flag, |process| {
        while size(folder) < bytes && process.try_wait().unwrap().is_none() {
            std::thread::park_timeout(Duration::from_millis(1));
        }
    });
}

/// The bytes of the files of a folder; none, if there is no folder.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    // A file may be renamed while they are listed.
    entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len())).sum()
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
    completed(&whole, SCENARIO, &[&SHORT[..], &["--quiet"]].concat());
    let all = size(&whole);
    let whole = contents(&whole);
    let mut went_on = 0;
    // The share of the bytes of the whole run at which one is killed, and of those that are left.
    let mut draws = Seed(0).draws(PhaseKey::new("resume"), 0, Purpose::Visitor);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few megabytes"
    )]
    let mut share = |bytes: u64| (bytes as f64 * draws.unit()) as u64;
    for round in 0..8 {
        let folder = root.path().join(format!("killed-{round}"));
        killed_at(share(all), &folder, "--out");
        if !folder.join("manifest.json").exists() {
            continue;
        }
        // Going on is killed too.
        let there = size(&folder);
        killed_at(there + share(all.saturating_sub(there)), &folder, "--resume");
        let output = resume(&folder, &SHORT);
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

/// The manifest says that the run is complete before the lock is removed: a process that is
/// killed between the two leaves a lock, which the next one removes.
#[test]
fn a_run_that_was_killed_at_its_very_end_is_whole() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("ended");
    completed(&folder, SCENARIO, &[&SHORT[..], &["--quiet"]].concat());
    let whole = contents(&folder);
    for left in [".lock", ".in-flight.json", ".writing-left"] {
        fs::write(folder.join(left), "").unwrap();
    }
    let output = resume(&folder, &SHORT);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && stderr.contains("is complete"), "{stderr}");
    assert_eq!(contents(&folder), whole);
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
