//! Real Vowpal Wabbit, in a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::Deserialize;
use serde_json::json;

use super::replay::Prediction;

/// The wheel behind a pipe.
pub struct Oracle {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What VW says of a policy on a log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// It refuses the policy.
    Refused { refused: String },
    /// It gave up after some lines.
    Stopped { lines: Vec<Option<Prediction>>, stopped: String },
    /// What it predicted for each line; nothing for those that it dropped.
    Lines { lines: Vec<Option<Prediction>> },
    /// Its process ended.
    #[serde(skip)]
    Crashed,
}

impl Oracle {
    /// Starts it, where Python has the wheel.
    ///
    /// # Panics
    /// Where it has not, if `RUNNER_REQUIRE_TOOLS` is set.
    pub fn start() -> Option<Self> {
        let import = Command::new("python3").args(["-c", "import vowpalwabbit"]).output();
        if import.is_ok_and(|output| output.status.success()) {
            return Some(Self::spawn());
        }
        let required = std::env::var_os("RUNNER_REQUIRE_TOOLS").is_some_and(|value| value == "1");
        assert!(!required, "python3 has no `vowpalwabbit`: pip install vowpalwabbit==9.11.9");
        eprintln!("not compared with Vowpal Wabbit: python3 has no `vowpalwabbit` here");
        None
    }

    fn spawn() -> Self {
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vowpal_wabbit/fuzz/oracle.py");
        let mut command = Command::new("python3");
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("python3");
        let (requests, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, requests, answers: BufReader::new(answers) }
    }

    /// What VW predicts for the lines under a policy.
    pub fn ask(&mut self, policy: &str, lines: &[impl AsRef<str>]) -> Answer {
        let lines: Vec<_> = lines.iter().map(AsRef::as_ref).collect();
        let request = json!({ "policy": policy, "lines": lines });
        let mut answer = String::new();
        let sent = writeln!(self.requests, "{request}").and_then(|()| self.requests.flush());
        let received = sent.and_then(|()| self.answers.read_line(&mut answer));
        if received.is_ok_and(|length| length > 0) {
            return serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{e}: {answer}"));
        }
        *self = Self::spawn();
        Answer::Crashed
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
