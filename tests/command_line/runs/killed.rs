//! kill -9 at random moments.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use seed::{PhaseKey, Purpose, Seed};

use super::folder::contents;
use super::{completed, runner};

const SCENARIO: &str = "scenarios/baseline.yaml";
const ROUNDS: u64 = 10;

/// What a killed run may leave: files that grow are prefixes of the whole run's.
fn assert_prefix(killed: &Path, whole: &BTreeMap<String, Vec<u8>>, moment: Duration) {
    for file in
        ["events.csv", "success_curve.csv", "model_checks.csv", "timeline.csv", "log.dsjson"]
    {
        let Ok(bytes) = fs::read(killed.join(file)) else { continue };
        assert!(whole[file].starts_with(&bytes), "{file} after {moment:?}");
    }
}

#[test]
fn what_a_killed_run_leaves_reads_back_as_a_prefix_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let started = Instant::now();
    completed(&whole, SCENARIO, &["--quiet"]);
    let duration = started.elapsed();
    let whole_bytes = contents(&whole);
    let whole = results::read(&whole).unwrap();
    let mut cut_short = 0;
    for round in 0..ROUNDS {
        let out = folder.path().join(format!("killed-{round}"));
        let moment =
            duration.mul_f64(Seed(round).draws(PhaseKey::new("kill"), 0, Purpose::Visitor).unit());
        let mut command = runner();
        command.arg(SCENARIO).arg("--quiet").arg("--out").arg(&out).stderr(Stdio::null());
        let mut process = command.spawn().unwrap();
        // Not waiting for something to become true: the moment is the thing under test.
        std::thread::park_timeout(moment);
        process.kill().unwrap();
        process.wait().unwrap();
        if !out.join("manifest.json").exists() {
            continue;
        }
        let left = results::read(&out).unwrap();
        assert!(left.records.len() <= whole.records.len());
        assert_eq!(left.records[..], whole.records[..left.records.len()], "after {moment:?}");
        assert_prefix(&out, &whole_bytes, moment);
        cut_short += u64::from(!left.manifest.complete);
    }
    assert!(cut_short >= ROUNDS / 2, "only {cut_short} of {ROUNDS} runs were cut short");
}
