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

/// The first tenth of the phase is not looked at, and a run that keeps to its expectation goes on.
#[test]
fn a_run_that_is_lost_beyond_doubt_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, that: &str| {
        let out = folder.path().join(name);
        let mut command = runner();
        command.args(["scenarios/baseline.yaml", "--quiet", "--set"]);
        command.arg(format!("expect=[{{ that: \"{that}\", abort: true, after: 30s }}]"));
        let output = command.arg("--out").arg(&out).output().unwrap();
        (output.status.code(), json(&out, "manifest.json"), json(&out, "summary.json"))
    };
    let (code, manifest, summary) = run("lost", "baseline.success_rate >= 90%");
    assert_eq!((code, &manifest["status"]), (Some(3), &serde_json::json!("interrupted")));
    let verdict = &summary["expectations"][0];
    assert_eq!(verdict["holds"], "failed", "{verdict}");
    let reason = verdict["reason"].as_str().unwrap();
    assert!(reason.contains("were no success, at most 10.000 % may"), "{reason}");
    let made = manifest["stopped_at"]["iteration"].as_u64().unwrap();
    assert!((600..1_000).contains(&made), "30 s at 20/s, and a few: {made}");
    assert_eq!(run("again", "baseline.success_rate >= 90%").2, summary, "it is deterministic");
    let (code, manifest, _) = run("kept", "baseline.success_rate >= 30%");
    assert_eq!((code, &manifest["status"]), (Some(0), &serde_json::json!("complete")));
}

#[test]
fn what_cannot_end_a_run_is_refused() {
    for (item, texts) in [
        ("{ that: baseline.regret < 5, abort: true }", ["cannot watch", "quantile of a latency"]),
        ("{ that: baseline.errors == 0, after: 5s }", ["`abort` is not set", "add `abort: true`"]),
        ("{ abort: true }", ["`expect` needs `that`", "--set"]),
    ] {
        let output = runner()
            .args(["check", "scenarios/baseline.yaml", "--set", &format!("expect=[{item}]")])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(texts.iter().all(|text| stderr.contains(text)), "{stderr}");
    }
}
