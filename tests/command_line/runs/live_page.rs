//! `runner run --live`: the page of a run while it goes on, and the report after it.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use super::runner;
use crate::folders::contents;
use crate::tools;

/// A process with its page.
struct Live {
    process: Child,
    stderr: BufReader<ChildStderr>,
    /// `127.0.0.1:40123`
    address: String,
}

impl Live {
    fn start(arguments: &[&str]) -> Self {
        let mut command = runner();
        command.arg("run").args(arguments).args(["--live", "--quiet"]);
        let mut process = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let line = line_with(&mut stderr, "live page: http://");
        let address = line.trim().trim_start_matches("live page: http://").trim_matches('/');
        Self { address: address.to_owned(), process, stderr }
    }

    fn ask(&self, path: &str) -> BufReader<TcpStream> {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        write!(connection, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            .unwrap();
        BufReader::new(connection)
    }

    /// Waits until the run has ended, and sends the signal that ends the page; the exit code.
    fn interrupt_after_the_end(mut self) -> Option<i32> {
        line_with(&mut self.stderr, "until Ctrl-C");
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.process.wait().unwrap().code()
    }
}

/// A test that fails leaves no page behind.
impl Drop for Live {
    fn drop(&mut self) {
        // It has ended, where the test did not fail.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn line_with(reader: &mut impl BufRead, what: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "no line with `{what}`");
        if line.contains(what) {
            return line;
        }
    }
}

fn out_of(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// What a run recorded. When it was made stands in its manifest.
fn recorded(folder: &str) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut all = contents(folder.as_ref());
    all.remove("manifest.json");
    all
}

/// A reader that never reads a byte is connected all the time; the run ends as it does alone,
/// with the same bytes, and its page becomes the report.
#[test]
fn a_page_that_nobody_reads_changes_nothing_and_becomes_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let (watched, alone) = (out_of(folder.path(), "watched"), out_of(folder.path(), "alone"));
    let run = ["scenarios/baseline.yaml", "--set", "phases.baseline.iterations=2000", "--out"];
    let live = Live::start(&[&run[..], &[&watched]].concat());
    let stalled: Vec<_> = (0..4).map(|_| live.ask("/events")).collect();
    let mut ended = live.ask("/events");
    line_with(&mut ended, "event: end");
    let mut page = String::new();
    live.ask("/").read_to_string(&mut page).unwrap();
    let report = runner().args(["report", &watched, "--out", "-"]).output().unwrap().stdout;
    let html = page.split_once("\r\n\r\n").unwrap().1;
    assert!(html == String::from_utf8(report).unwrap(), "the page is the report");
    assert_eq!(live.interrupt_after_the_end(), Some(0));
    drop(stalled);
    let mut command = runner();
    command.arg("run").args(run).args([&alone, "--quiet"]);
    assert!(command.status().unwrap().success());
    let (watched, alone) = (recorded(&watched), recorded(&alone));
    assert_eq!(watched.keys().collect::<Vec<_>>(), alone.keys().collect::<Vec<_>>());
    assert!(watched == alone, "the bytes of a run do not depend on its page");
}

/// A run that fails its expectations has their exit code after its page.
#[test]
fn the_exit_code_is_that_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let expect = ["--set", "expect=['baseline.success_rate > 0.99']"];
    let short = ["--set", "phases.baseline.iterations=300"];
    let out = out_of(folder.path(), "a");
    let arguments = [&["scenarios/baseline.yaml", "--out", &out][..], &expect, &short].concat();
    let ended = Live::start(&arguments).interrupt_after_the_end();
    assert_eq!(ended, Some(3));
}

#[test]
fn an_address_that_is_none_or_is_taken_is_refused_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (address, why) in [("here", "expected an address"), (taken.as_str(), "live page")] {
        let mut command = runner();
        command.args(["run", "scenarios/baseline.yaml", "--out"]).arg(folder.path().join("a"));
        let output = command.arg(format!("--live={address}")).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(why), "{stderr}");
    }
}

/// A browser follows the page of a run on the wall clock: it grows by itself, and the report
/// takes its place.
#[test]
fn a_browser_follows_a_run_to_its_report() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("target/sdk/installed").exists() {
        return tools::missing("playwright", "run tests/sdk/install");
    }
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("live.yaml");
    let data = root.join("data");
    let text = SCENARIO.replace("DATA", &data.display().to_string());
    fs::write(&scenario, text).unwrap();
    let Some(browser) = Browser::start(root) else {
        return tools::missing("Chromium", "install it, or set CHROMIUM to one");
    };
    let out = out_of(folder.path(), "out");
    let scenario = scenario.display().to_string();
    let live = Live::start(&[&scenario, "--allow-paths", "--out", &out]);
    browser.open(&format!("http://{}/", live.address));
    assert_eq!(live.interrupt_after_the_end(), Some(0));
}

/// Chromium, started before the run that it follows.
struct Browser {
    node: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Browser {
    fn start(root: &Path) -> Option<Self> {
        let mut command = Command::new("node");
        command.current_dir(root.join("target/sdk")).arg(root.join("tests/sdk/live.mjs"));
        command.args(std::env::var_os("SCREENSHOTS"));
        let mut node = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(node.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        if line == "ready\n" {
            return Some(Self { node, said });
        }
        node.wait().unwrap();
        None
    }

    /// Opens the page, and follows it to the end.
    fn open(mut self, address: &str) {
        writeln!(self.node.stdin.take().unwrap(), "{address}").unwrap();
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        assert!(self.node.wait().unwrap().success(), "{rest}");
    }
}

/// Twelve seconds on the wall clock.
const SCENARIO: &str = "version: 1
name: live
datasets: { users: DATA/users.json, actions: DATA/coffee.json }
context: [name, weather, timeofday]
target: embedded
clock: wall
loop: { reward_wait_time: 1s, model_export_frequency: 1s }
phases:
  - iterate: { name: play, arrival: open, rate: 100/s, duration: 12s }
expect: [play.success_rate > 0.1]
";
