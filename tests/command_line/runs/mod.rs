//! The program as its users run it.

mod described;
mod destinations;
mod folder;
mod init;
mod killed;
mod live_page;
mod load;
mod logs;
mod outputs;
mod readers;
mod readme;
mod reproducible;
mod resumed;
mod served;
mod sharded;
mod site;
mod slots;
mod stopped;
mod terminal;
mod tutorial;
mod usage;
mod vowpal_wabbit;
mod worlds;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// The program, to be run in the project's folder.
fn runner() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("NO_COLOR", "1");
    command
}

/// Runs a scenario into `out`, with `arguments` beside.
fn run_into(out: &Path, scenario: &str, arguments: &[&str]) -> Output {
    let mut command = runner();
    command.arg(scenario).arg("--out").arg(out).args(arguments);
    command.output().unwrap()
}

/// A run that must end well.
fn completed(out: &Path, scenario: &str, arguments: &[&str]) -> Output {
    let output = run_into(out, scenario, arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}\n{stderr}", output.status);
    output
}

/// A run that is killed when it has written some events, and then resumed to its end.
fn killed_and_resumed(out: &Path, scenario: &str, arguments: &[&str]) {
    let mut command = runner();
    command.arg(scenario).args(arguments).arg("--out").arg(out);
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let has_rows = || fs::metadata(out.join("events.csv")).is_ok_and(|file| file.len() > 5_000);
    while !has_rows() && process.try_wait().unwrap().is_none() {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    process.kill().unwrap();
    process.wait().unwrap();
    let mut command = runner();
    let resumed = command.arg(scenario).args(arguments).arg("--resume").arg(out).output().unwrap();
    let stderr = String::from_utf8_lossy(&resumed.stderr);
    assert!(resumed.status.success() || stderr.contains("is complete"), "{stderr}");
}
