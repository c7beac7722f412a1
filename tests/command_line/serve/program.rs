//! `runner serve` as its users start it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A served loop as a process. It ends with the test.
pub struct Program {
    child: Child,
    pub address: String,
}

impl Program {
    pub fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
        command.args(["serve", "--port", "0"]).args(arguments).envs(environment.iter().copied());
        Self::spawn(&mut command)
    }

    /// Starts it by another program, which is told its name and its arguments.
    pub fn start_with(starter: &str, with: &[&str], arguments: &[&str]) -> Self {
        let mut command = Command::new(starter);
        command.args(with).args([env!("CARGO_BIN_EXE_runner"), "serve", "--port", "0"]);
        Self::spawn(command.args(arguments))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut endpoint = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut endpoint).unwrap();
        let address =
            endpoint.trim_end().split_once("://").map(|(_, address)| address).map(str::to_owned);
        let Some(address) = address else {
            let mut why = String::new();
            child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
            panic!("no endpoint but `{endpoint}`: {why}");
        };
        Self { child, address }
    }

    pub fn get(&self, path: &str, headers: &str) -> String {
        self.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
        ))
    }

    /// The body of an answer, which HTTP/1.0 does not divide into chunks.
    pub fn body(&self, path: &str) -> String {
        let answer = self.ask(&format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"));
        answer.split_once("\r\n\r\n").expect("an answer has a body").1.to_owned()
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Sends a signal, and waits for the end; the exit code and stderr.
    pub fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        Command::new("kill").args([signal, &pid]).status().unwrap();
        let status = self.child.wait().unwrap();
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (status.code(), stderr)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// How the program ends when it does not begin to serve.
pub fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    let output = command.arg("serve").args(arguments).output().unwrap();
    assert!(output.stdout.is_empty());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

const SERVICE: &str = "/personalizer/v1.0/configurations/service";

#[test]
fn it_says_where_it_is_serves_and_stops_when_asked() {
    let program = Program::start(&[], &[]);
    assert!(program.address.starts_with("127.0.0.1:"));
    assert!(program.get(SERVICE, "").contains(r#""rewardWaitTime":"PT10M""#));
    let (code, stderr) = program.end("-TERM");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(!stderr.contains("warning"), "{stderr}");
}

#[test]
fn it_starts_with_the_settings_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loop.yaml");
    std::fs::write(
        &path,
        "reward_wait_time: 15s\nlearning_policy: '--cb_explore_adf --epsilon 0.2'\n",
    )
    .unwrap();
    let program = Program::start(&["--settings", path.to_str().unwrap()], &[]);
    assert!(program.get(SERVICE, "").contains(r#""rewardWaitTime":"PT15S""#));
    std::fs::write(&path, "reward_wait_time: soon\n").unwrap();
    let (code, stderr) = refused(&["--settings", path.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("loop.yaml:1"), "{stderr}");
}

#[test]
fn keys_come_from_a_file_or_the_environment_and_go_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    std::fs::write(&path, "canary-1\n\n canary-2 \n").unwrap();
    let program = Program::start(&["--key-file", path.to_str().unwrap(), "--bind", "0.0.0.0"], &[]);
    assert!(program.get(SERVICE, "").starts_with("HTTP/1.1 401"));
    let opened = program.get(SERVICE, "Ocp-Apim-Subscription-Key: canary-2\r\n");
    assert!(opened.starts_with("HTTP/1.1 200"), "{opened}");
    let (_, stderr) = program.end("-INT");
    assert!(!stderr.contains("canary") && !stderr.contains("every client"), "{stderr}");
    assert!(stderr.contains("warning: events and keys travel to 0.0.0.0:"), "{stderr}");
    let program = Program::start(&["--key-env", "LOOP_KEY"], &[("LOOP_KEY", "canary-3")]);
    assert!(
        program.get(SERVICE, "Ocp-Apim-Subscription-Key: canary-3\r\n").starts_with("HTTP/1.1 200")
    );
    std::fs::write(&path, "\n").unwrap();
    for arguments in [
        &["--key-file", path.to_str().unwrap()][..],
        &["--key-env", "NO_SUCH_VARIABLE"],
        &["--protect-monitoring"],
        &["--allow-origin", "shop.example"],
        &["--allow-origin", "https://shop.example/"],
        &["--connections", "0"],
    ] {
        assert_eq!(refused(arguments).0, Some(2));
    }
}

#[test]
fn it_warns_when_everybody_may_call() {
    let program = Program::start(&["--bind", "0.0.0.0"], &[]);
    let (_, stderr) = program.end("-TERM");
    assert!(stderr.contains("warning: every client that reaches 0.0.0.0:"), "{stderr}");
}

/// The lines of a log in JSON.
fn log_lines(stderr: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    let lines: Vec<Value> = stderr.lines().map(parse).collect();
    for line in &lines {
        let text = |key: &str| line[key].as_str().unwrap_or_else(|| panic!("{key}: {line}"));
        assert!(text("time").ends_with('Z') && !text("message").is_empty());
        assert!(["info", "warning", "error"].contains(&text("level")));
    }
    lines
}

#[test]
fn a_log_in_json_has_an_object_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let state = state.to_str().unwrap();
    let program = Program::start(&["--log", "json", "--state", state, "--bind", "0.0.0.0"], &[]);
    let url = format!("http://{}", program.address);
    let (code, stderr) = program.end("-TERM");
    assert_eq!(code, Some(0), "{stderr}");
    let lines = log_lines(&stderr);
    let of = |message: &str| lines.iter().find(|line| line["message"].as_str() == Some(message));
    assert_eq!(of("listening").unwrap()["url"], url);
    assert_eq!(of("stopped").unwrap()["exit"], 0);
    assert!(of("a snapshot of the state was written").unwrap()["bytes"].as_u64() > Some(0));
    assert_eq!(lines.iter().filter(|line| line["level"] == "warning").count(), 2, "{stderr}");
    let snapshot = std::fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path());
    let snapshot = snapshot.into_iter().find(|path| path.to_str().unwrap().contains("snapshot-"));
    std::fs::write(snapshot.unwrap(), "damaged").unwrap();
    let (code, stderr) = refused(&["--log", "json", "--state", state, "--port", "0"]);
    assert_eq!(code, Some(7));
    let last = log_lines(&stderr).pop().unwrap();
    assert_eq!((&last["level"], &last["exit"]), (&"error".into(), &7.into()));
    assert!(last["message"].as_str().unwrap().contains("`snapshot-"), "{last}");
}

#[test]
fn a_port_that_is_taken_is_refused() {
    let program = Program::start(&[], &[]);
    let port = program.address.rsplit(':').next().unwrap().to_owned();
    let (code, stderr) = refused(&["--port", &port]);
    assert_eq!(code, Some(6));
    assert!(stderr.contains(&format!("`127.0.0.1:{port}`")), "{stderr}");
}
