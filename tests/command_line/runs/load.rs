//! The shipped scenarios that go over the wire.

use std::net::TcpStream;

use super::folder::{json, rows};
use super::{completed, runner};

/// A second of everything. Nothing is expected of latencies: a machine that is busy with other
/// tests may be too late to know them.
const SHORT: [&str; 12] = [
    "--set",
    "phases.warm-up.duration=200ms",
    "--set",
    "phases.ramp.stages=[{ to: 200/s, over: 500ms }]",
    "--set",
    "phases.steady.rate=200/s",
    "--set",
    "phases.steady.duration=500ms",
    "--set",
    "phases.steady.think_time=10ms",
    "--set",
    "expect=[steady.error_rate < 0.1%]",
];

#[test]
fn a_load_needs_nothing_but_the_runner_and_leaves_nothing_listening() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = completed(&out, "scenarios/load.yaml", &SHORT);
    let manifest = json(&out, "manifest.json");
    assert_eq!((&manifest["target"], &manifest["clock"]), (&"served".into(), &"wall".into()));
    assert_eq!(manifest["latencies"]["simulated"], false);
    let events = rows(&out, "events.csv");
    assert!(events.len() > 180, "{} iterations", events.len());
    assert!(events.iter().all(|event| event["outcome"] == "completed"));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let address = stderr.split("http://").nth(1).and_then(|rest| rest.split(' ').next());
    assert!(TcpStream::connect(address.expect("the address is told")).is_err());
}

#[test]
fn a_loop_that_was_served_is_gone_with_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut stopped = runner();
    stopped.arg("scenarios/load.yaml").arg("--quiet").arg("--out").arg(&out);
    let mut stopped = stopped.spawn().unwrap();
    let manifest = out.join("manifest.json");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !manifest.exists() {
        assert!(std::time::Instant::now() < deadline);
        std::thread::park_timeout(std::time::Duration::from_millis(1));
    }
    stopped.kill().unwrap();
    stopped.wait().unwrap();
    let resumed = runner().args(["scenarios/load.yaml", "--resume"]).arg(&out).output().unwrap();
    let stderr = String::from_utf8(resumed.stderr).unwrap();
    assert_eq!(resumed.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("its loop was in memory"), "{stderr}");
}

#[test]
fn a_service_needs_its_key_and_says_which() {
    let check = |key: Option<&str>| {
        let mut command = runner();
        command.args(["check", "scenarios/remote.yaml"]).env_remove("PERSONALIZER_KEY");
        command.envs(key.map(|key| ("PERSONALIZER_KEY", key)));
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, stderr) = check(None);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("the environment has no `PERSONALIZER_KEY`"), "{stderr}");
    assert!(stderr.contains("remote.yaml:"), "{stderr}");
    assert_eq!(check(Some("canary")), (Some(0), String::new()));
}
