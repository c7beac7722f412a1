//! SIGINT and SIGTERM: what is under way is finished, the results are sealed.

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use super::folder::json;
use super::runner;

/// Starts a run on the wall clock, sends it a signal when its first phase has begun, and
/// returns its exit code.
fn signalled(out: &Path, signal: &str) -> Option<i32> {
    let mut command = runner();
    command.args(["scenarios/baseline.yaml", "--set", "clock=wall", "--out"]).arg(out);
    let mut process = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let begun = lines.find(|line| line.as_ref().unwrap().contains("baseline"));
    assert!(begun.is_some(), "the phase never began");
    let sent = Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap();
    assert!(sent.success());
    // The pipe is drained so that the program never waits for its reader.
    lines.for_each(drop);
    process.wait().unwrap().code()
}

#[test]
fn a_stopped_run_is_sealed_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let out = folder.path().join(signal);
        assert_eq!(signalled(&out, signal), Some(code), "{signal}");
        let manifest = json(&out, "manifest.json");
        assert_eq!(manifest["status"], "interrupted");
        assert_eq!(manifest["complete"], false);
        assert!(out.join("summary.json").exists());
    }
}
