//! Learning policies beside Vowpal Wabbit's, as their users run them.

mod linear;
mod oracle;
#[cfg(unix)]
mod programs;
#[cfg(unix)]
mod scikit_learn;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A world in which it matters who is asked, with the policies of `matrix`, or with `extra` keys.
fn write_scenario(folder: &Path, extra: &str) -> String {
    let text = format!(
        "version: 1
name: small
datasets: {{ generate: {{ seed: 3, contexts: {{ age: 3, plan: 2 }}, actions: 4, features: {{ price: 3 }} }} }}
context: [age, plan]
target: embedded
success_curve: {{ batch: 50 }}
phases:
  - iterate: {{ name: learn, iterations: 600, concurrency: 4, rate: 20/s }}
{extra}"
    );
    let path = folder.join("small.yaml");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

const LOOP: &str = "loop: { reward_wait_time: 5s, model_export_frequency: 5s }\n";

/// The program, to be run in `folder`.
fn runner(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.current_dir(folder).env("NO_COLOR", "1");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    runner(folder).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn completed(folder: &Path, arguments: &[&str]) -> Output {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    output
}
