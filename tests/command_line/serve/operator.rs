//! A run waits for what an operator does to a service, and goes on if its process ended.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::program::Program;

fn client(address: &str) -> Command {
    let target = format!("target={{ url: 'http://{address}' }}");
    let phases = "phases=[{ pause: { until: policy_changes, reminder: apply it, poll: 20ms } }, \
                  { iterate: { name: after, iterations: 2 } }]";
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("PERSONALIZER_KEY", "none");
    command.args(["run", "scenarios/remote.yaml", "--set", &target, "--set", phases]);
    command.args(["--set", "expect=[]"]);
    command
}

fn put_policy(address: &str) {
    let body = r#"{"name":"mine","arguments":"--cb_explore_adf --epsilon 0.2 -q ::"}"#;
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let request = format!(
        "PUT /personalizer/v1.0/configurations/policy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn waits(manifest: &Path) -> bool {
    std::fs::read_to_string(manifest).is_ok_and(|text| text.contains("\"awaited\""))
}

/// The operator acts while no process waits: the run that goes on sees it all the same.
#[test]
fn a_change_that_came_while_nobody_looked_is_seen() {
    let program = Program::start(&[], &[]);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut command = client(&program.address);
    command.arg("--out").arg(&out).stderr(Stdio::null()).stdout(Stdio::null());
    let mut first = command.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !waits(&out.join("manifest.json")) {
        assert!(Instant::now() < deadline && first.try_wait().unwrap().is_none(), "it never waits");
        std::thread::park_timeout(std::time::Duration::from_millis(1));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    put_policy(&program.address);
    let resumed = client(&program.address).arg("--resume").arg(&out).output().unwrap();
    let stderr = String::from_utf8(resumed.stderr).unwrap();
    assert_eq!(resumed.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("apply it"), "the operator is reminded: {stderr}");
    assert!(stderr.contains("the learning policy has changed"), "{stderr}");
}
