//! What engines are asked for, judged by those who read it: Bash, the schemas of Kubernetes,
//! GitHub and GitLab, and the bytes that the commands come to.

mod kubernetes;
mod pipelines;
mod refusals;
mod slurm;
mod workflows;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::folders::contents;

/// A folder and a file name that no program should take apart.
const HOSTILE: &str = "it's $(touch pwned) `x` \"q\" ${{ secrets.KEY }} #é; & %a";

/// A small experiment of two policies and five seeds.
const SMALL: [&str; 12] = [
    "--set",
    "matrix.seeds=1..5",
    "--set",
    "phases.baseline.iterations=200",
    "--set",
    "phases.validation.iterations=50",
    "--set",
    "matrix.exclude=[{ policy: faster }, { policy: robust }, { policy: squarecb }, { policy: softmax }]",
    "--set",
    "gates=[]",
    "--set",
    "description='$$(x) & $${{ y }}'",
];

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_runner")
}

fn runner(folder: &Path) -> Command {
    let mut command = Command::new(program());
    command.current_dir(folder).env("NO_COLOR", "1");
    command
}

/// A project of its own in a folder of this name, with the scenario of this name.
fn project(root: &Path, name: &str) -> (PathBuf, String) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join(name);
    for (from, below) in [("scenarios", "scenarios"), ("data", "data")] {
        fs::create_dir_all(folder.join(below)).unwrap();
        for entry in fs::read_dir(here.join(from)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, folder.join(below).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    let scenario = format!("scenarios/{name}.yaml");
    fs::rename(folder.join("scenarios/policies.yaml"), folder.join(&scenario)).unwrap();
    (folder, scenario)
}

/// What is printed for an engine.
fn printed(folder: &Path, scenario: &str, arguments: &[&str]) -> String {
    let mut command = runner(folder);
    command.args(["submit", scenario]).args(SMALL).args(arguments);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The whole, as one process runs it.
fn whole(folder: &Path, scenario: &str, out: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut command = runner(folder);
    command.args(["run", scenario]).args(SMALL).arg("--quiet").arg("--out").arg(out);
    succeeded(&command.output().unwrap());
    contents(out)
}

fn succeeded(output: &Output) {
    let said = (&output.stdout, &output.stderr);
    let said = (String::from_utf8_lossy(said.0), String::from_utf8_lossy(said.1));
    assert!(output.status.success(), "{:?}\n{}\n{}", output.status, said.0, said.1);
}

/// A script, as Bash runs it in a folder.
fn bash(folder: &Path, script: &str) -> Command {
    let mut command = Command::new("bash");
    command.arg("-ec").arg(script).current_dir(folder).stdin(Stdio::null());
    command
}

/// The documents of a file, as another reader of YAML than that of the program sees them, if it
/// is there: `tests/submit/install` puts it there.
fn documents(text: &str) -> Vec<Value> {
    text.split("\n---\n").map(|text| serde_yaml::from_str(text).unwrap()).collect()
}

/// A tool that `tests/submit/install` installs; none, with words, where it is not there.
fn tool(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/submit/python/bin").join(name);
    if !path.exists() {
        crate::tools::missing(&format!("`{name}`"), "run tests/submit/install");
        return None;
    }
    Some(path)
}

/// Whether a tool accepts a text, and what it says.
fn judged(tool: &Path, arguments: &[&str], text: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("document.yaml");
    fs::write(&file, text).unwrap();
    let output = Command::new(tool).args(arguments).arg(&file).output().unwrap();
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// The texts of a list.
fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
