//! Finds the commit that `runner --version` names.
//!
//! In order: the variable `RUNNER_COMMIT`, for builds without the history (an image); the file
//! that `cargo package` adds; git. Without any of them the version stands alone.

use std::env;
use std::fs;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=src/build.rs");
    println!("cargo:rerun-if-env-changed=RUNNER_COMMIT");
    let commit = env::var("RUNNER_COMMIT").ok().filter(|commit| !commit.is_empty());
    let commit = commit.or_else(of_package).or_else(of_git);
    let short = |commit: String| commit.chars().take(12).collect::<String>();
    let commit = commit.map(|commit| format!(" ({})", short(commit))).unwrap_or_default();
    println!("cargo:rustc-env=RUNNER_VERSION={}{commit}", env!("CARGO_PKG_VERSION"));
}

/// The commit of a package from a registry: `{"git": {"sha1": "…"}}`.
fn of_package() -> Option<String> {
    let text = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, rest) = text.split_once("\"sha1\"")?;
    rest.split('"').nth(1).map(str::to_owned)
}

/// The commit of the repository whose root this package is.
fn of_git() -> Option<String> {
    // A package that was copied into another repository is not of that repository's commit.
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    // HEAD says which branch is checked out, and its log grows with every commit.
    for file in ["HEAD", "logs/HEAD"] {
        println!("cargo:rerun-if-changed={}", git(&["rev-parse", "--git-path", file])?);
    }
    git(&["rev-parse", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
