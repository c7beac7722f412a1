//! What commands show on a narrow terminal, and what they write into a pipe.

#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;

use unicode_width::UnicodeWidthStr;

use super::{completed, runner};
use crate::experiments::pull_request;
use crate::tools;

/// What a command shows on a terminal of so many columns; none, where none can be made.
fn shown(columns: usize, arguments: &[&str]) -> Option<String> {
    let quoted = |word: &&str| format!("'{}'", word.replace('\'', "'\\''"));
    let words: Vec<String> = arguments.iter().map(quoted).collect();
    let program = env!("CARGO_BIN_EXE_runner");
    let line = format!("stty cols {columns} rows 40; NO_COLOR=1 {program} {}", words.join(" "));
    let mut script = Command::new("script");
    script.current_dir(env!("CARGO_MANIFEST_DIR")).args(["-qec", &line, "/dev/null"]);
    let output = script.stdin(std::process::Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
    // Progress is written over.
    let last = |line: &str| line.rsplit(['\r', '\u{1b}']).next().unwrap_or_default().to_owned();
    let lines = text.lines().map(|line| last(line).trim_start_matches("[2K").to_owned());
    Some(lines.map(|line| line + "\n").collect())
}

/// Lines that a terminal would wrap, though they have a blank at which they could be folded.
fn wrapped(text: &str, columns: usize) -> Vec<&str> {
    let is_wide = |line: &&str| line.width() > columns && line.trim().contains(' ');
    // The rows of a table in Markdown.
    let is_row = |line: &&str| line.starts_with('|');
    text.lines().filter(is_wide).filter(|line| !is_row(line)).collect()
}

/// Too few runs for a verdict.
const SHORT_GATE: [&str; 6] = [
    "--set",
    "matrix.seeds=1..2",
    "--set",
    "phases.baseline.iterations=300",
    "--set",
    "phases.validation.iterations=100",
];

#[test]
fn nothing_wraps_at_forty_columns_and_nothing_is_cut_in_a_pipe() {
    if shown(40, &["--version"]).is_none_or(|text| !text.contains("runner")) {
        return tools::missing("script", "install util-linux (Debian: bsdutils)");
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let short = [
        "--set",
        "phases.baseline.iterations=600",
        "--set",
        "expect=['baseline.rank.p99 < 100ms']",
    ];
    completed(&out, "scenarios/baseline.yaml", &short);
    let out = out.to_str().unwrap();
    let log = Path::new(out).join("log.dsjson").display().to_string();
    let project = folder.path().join("project");
    pull_request::project(&project);
    let gated = project.join("scenarios/policies.yaml");
    let gated = gated.to_str().unwrap();
    let mistaken = folder.path().join("mistaken.yaml");
    let scenario = fs::read_to_string(gated).unwrap();
    let mistake = scenario.replace("concurrency: ", "kind: of work, concurency: ");
    assert_ne!(scenario, mistake);
    fs::write(&mistaken, mistake).unwrap();
    let commands: [&[&str]; 14] = [
        &["show", out],
        &["compare", out, out],
        &["list", folder.path().to_str().unwrap()],
        &["evaluate", &log, "--policy", "mine=--cb_explore_adf --epsilon 0.1 -q ::"],
        &["guide"],
        &["guide", "scenarios"],
        &["guide", "evaluating"],
        &["guide", "results"],
        &["check", "scenarios/baseline.yaml"],
        &["check", "scenarios/baseline.yaml", "--set", "phases.baseline.iteratons=5"],
        &["check", mistaken.to_str().unwrap()],
        &["gate", "scenarios/missing.yaml", "--base", "HEAD"],
        &[&["gate", gated, "--base", "origin/main"][..], &SHORT_GATE].concat(),
        &["--help"],
    ];
    for command in commands {
        let text = shown(40, command).unwrap();
        assert_eq!(wrapped(&text, 40), Vec::<&str>::new(), "{command:?}\n{text}");
        assert!(!text.contains('…') || command[0] == "guide", "{command:?}\n{text}");
    }
    let piped = runner().args(["show", out]).output().unwrap().stdout;
    let piped = String::from_utf8(piped).unwrap();
    let arguments = piped.lines().find(|line| line.contains("--cb_type")).unwrap();
    assert!(arguments.contains("--epsilon 0.2") && arguments.width() > 60, "{piped}");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&shown(40, &["show", out]).unwrap()), words(&piped), "folding loses no word");
}
