//! Code written against Azure Personalizer, unchanged: the official SDKs, where `just sdk`
//! has installed them.

use std::path::Path;
use std::process::Command;

fn run(suite: &str, options: &[&str]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("target/sdk/installed").exists() {
        crate::tools::missing(&format!("the official SDK of `{suite}`"), "run tests/sdk/install");
        return;
    }
    for options in options {
        let mut command = Command::new(root.join("tests/sdk/run"));
        command.args([env!("CARGO_BIN_EXE_runner"), suite]).env("SERVE_OPTIONS", options);
        let output = command.output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{options}: {}", String::from_utf8_lossy(&told));
    }
}

/// A new service, and one for several slots, which answers calls for one slot, too.
const BOTH: [&str; 2] = ["", "--multi-slot"];

#[test]
fn the_python_sdk_works() {
    run("python", &BOTH);
}

#[test]
fn the_npm_sdk_works() {
    run("v1", &BOTH);
}

#[test]
fn the_npm_sdk_of_the_preview_works() {
    run("preview", &BOTH);
}

#[test]
fn the_notebook_of_the_tutorial_works() {
    run("notebook", &BOTH);
}

#[test]
fn the_page_works_in_a_browser() {
    run("page", &[""]);
}
