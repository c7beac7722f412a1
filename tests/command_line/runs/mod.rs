//! The program as its users run it.

mod described;
mod folder;
mod init;
mod killed;
mod live_page;
mod load;
mod logs;
mod outputs;
mod readme;
mod reproducible;
mod resumed;
mod sharded;
mod site;
mod slots;
mod stopped;
mod terminal;
mod tutorial;
mod usage;
mod vowpal_wabbit;
mod worlds;

use std::path::Path;
use std::process::{Command, Output};

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
