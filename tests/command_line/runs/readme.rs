//! What README.md shows is what happens.

use learner::{OPTIONS, OptionSpec, Support};
use shard::{ENGINES, Engine};

use super::completed;

const README: &str = include_str!("../../../README.md");

/// The first fenced block after `heading` that starts with `fence`.
fn block(heading: &str, fence: &str) -> &'static str {
    let section = &README[README.find(heading).expect(heading)..];
    let start = section.find(fence).expect(fence) + fence.len();
    let length = section[start..].find("```").expect("the end of the block");
    &section[start..start + length]
}

/// The lines but for the last, which names the folder of the results.
fn without_place(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.trim().lines().map(str::trim_end).collect();
    lines.pop();
    lines
}

#[test]
fn the_output_shown_is_the_output_printed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = completed(&out, "scenarios/baseline.yaml", &[]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(without_place(&printed), without_place(block("## Run it", "```text\n")));
}

#[test]
fn the_files_listed_are_the_files_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    completed(&out, "scenarios/baseline.yaml", &["--quiet"]);
    let mut written: Vec<_> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    written.sort();
    for name in written {
        let is_distribution = std::path::Path::new(&name).extension().is_some_and(|e| e == "hgrm");
        let name = if is_distribution { "*.hgrm" } else { &name };
        assert!(README.contains(&format!("`{name}`")), "README.md does not explain {name}");
    }
}

#[test]
fn the_picture_shown_is_the_picture_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    completed(&out, "scenarios/baseline.yaml", &["--quiet"]);
    let drawn = std::fs::read_to_string(out.join("success_curve.svg")).unwrap();
    assert!(
        drawn == include_str!("../../../results/baseline.svg"),
        "results/baseline.svg is stale"
    );
}

#[test]
fn the_scenario_shown_is_a_scenario() {
    let project = tempfile::tempdir().unwrap();
    let (scenarios, data) = (project.path().join("scenarios"), project.path().join("data"));
    std::fs::create_dir(&scenarios).unwrap();
    std::fs::create_dir(&data).unwrap();
    for file in ["users.json", "coffee.json", "rank-request.json"] {
        let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file);
        std::fs::copy(from, data.join(file)).unwrap();
    }
    std::fs::write(scenarios.join("mine.yaml"), block("## Write your own", "```yaml\n")).unwrap();
    let mut command = super::runner();
    let output = command.arg("check").arg(scenarios.join("mine.yaml")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_evaluation_shown_is_the_evaluation_printed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    completed(&out, "scenarios/baseline.yaml", &["--quiet"]);
    let mut command = super::runner();
    command.arg("evaluate").arg(out.join("log.dsjson")).args([
        "--policy",
        "pairs=--cb_explore_adf --epsilon 0.2 -q ::",
        "--policy",
        "triples=--cb_explore_adf --epsilon 0.2 -q :: --cubic :::",
        "--baseline",
        "pairs",
    ]);
    let printed = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let lines = |text: &str| text.trim().lines().map(str::trim_end).map(str::to_owned).collect();
    let (printed, shown): (Vec<String>, Vec<String>) =
        (lines(&printed), lines(block("## Judge policies on a log", "```text\n")));
    assert_eq!(printed, shown);
}

/// What is made of an option, in a word.
fn support(option: &OptionSpec) -> &'static str {
    match option.support {
        Support::Full => "as in VW",
        Support::Dropped => "without effect",
        Support::Refused => "refused",
    }
}

fn option_row(option: &OptionSpec) -> String {
    let short = option.short.map(|short| format!(", `-{short}`")).unwrap_or_default();
    let value = option.value.map(|value| format!(" {value}")).unwrap_or_default();
    format!("| `--{}{value}`{short} | {} | {} |\n", option.name, support(option), option.doc)
}

#[test]
fn the_options_listed_are_the_options_known() {
    let table: String = OPTIONS.iter().map(option_row).collect();
    assert!(README.contains(&table), "README.md should hold:\n{table}");
}

fn engine_row(engine: &Engine) -> String {
    let base = engine.index.base();
    let base = if base.len() > 1 { format!("`{base}`") } else { base.to_owned() };
    let count = engine.count.variable().map(|name| format!("`{name}`")).unwrap_or_default();
    format!("| {} | `{}` | {base} | {count} |\n", engine.name, engine.index.variable())
}

#[test]
fn the_engines_listed_are_the_engines_known() {
    let table: String = ENGINES.iter().map(engine_row).collect();
    assert!(README.contains(&table), "README.md should hold:\n{table}");
}
