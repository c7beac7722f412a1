//! The shipped scenario of a service with calls of its own, on the service that it is for.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const SCENARIO: &str = "scenarios/own-service.yaml";

fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/services/python/bin/python");
    if root.join("target/services/installed").exists() {
        return Some(python);
    }
    crate::tools::missing("the Python service", "run tests/services/install");
    None
}

/// The service, until it is dropped.
struct Running {
    process: Child,
    port: u16,
}

impl Running {
    fn start(python: &Path, state: &Path) -> Self {
        let port = {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            listener.local_addr().unwrap().port()
        };
        let mut command = Command::new(python);
        command.arg("tests/services/own_service.py").args(["--port", &port.to_string()]);
        command.arg("--state").arg(state).current_dir(env!("CARGO_MANIFEST_DIR"));
        let mut running = Self { process: command.stdin(Stdio::null()).spawn().unwrap(), port };
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(running.process.try_wait().unwrap().is_none(), "the service ended");
            std::thread::park_timeout(std::time::Duration::from_millis(1));
        }
        running
    }

    fn runner(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.env("SERVICE_URL", format!("http://127.0.0.1:{}", self.port));
        command.env("NO_COLOR", "1").output().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn text(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn a_bandit_in_python_learns_and_is_probed() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let service = Running::start(&python, &folder.path().join("state.db"));

    let probe = service.runner(&["probe", SCENARIO]);
    let said = text(&probe);
    assert_eq!(probe.status.code(), Some(0), "{said}");
    for part in [
        "POST http://127.0.0.1",
        "answered 201",
        "chose `",
        "with probability",
        "answered 202",
        "teardown",
        "answered 204",
    ] {
        assert!(said.contains(part), "`{part}` is not in\n{said}");
    }

    let out = folder.path().join("out");
    let run = service.runner(&["run", SCENARIO, "--out", out.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run));
    let records = results::read(&out).unwrap().records;
    assert_eq!(records.len(), 600);
    // Epsilon is a fifth of four arms: these probabilities and no others, where none is tied.
    let known = |record: &record::IterationRecord| {
        record.probability.is_some_and(|p| (0.04..=0.86).contains(&p))
    };
    assert!(records.iter().all(known));
}
