//! What README.md and the guides show is what happens.

use std::fs;
use std::path::Path;
use std::process::Command;

use learner::{OPTIONS, OptionSpec, Support};
use shard::{ENGINES, Engine};

use super::completed;

const README: &str = include_str!("../../../README.md");
const RESULTS: &str = include_str!("../../../results/README.md");
const POLICIES: &str = include_str!("../../../src/cli/guide/policies.md");
const EVALUATING: &str = include_str!("../../../src/cli/guide/evaluating.md");
const SCALING: &str = include_str!("../../../src/cli/guide/scaling.md");

/// Every page with snippets, by its name.
const PAGES: [(&str, &str); 11] = [
    ("README.md", README),
    ("tour.md", include_str!("../../../src/cli/guide/tour.md")),
    ("scenarios/README.md", include_str!("../../../scenarios/README.md")),
    ("scenarios.md", include_str!("../../../src/cli/guide/scenarios.md")),
    ("comparing.md", include_str!("../../../src/cli/guide/comparing.md")),
    ("policies.md", POLICIES),
    ("programs.md", include_str!("../../../src/cli/guide/programs.md")),
    ("services.md", include_str!("../../../src/cli/guide/services.md")),
    ("evaluating.md", EVALUATING),
    ("auditing.md", include_str!("../../../src/cli/guide/auditing.md")),
    ("scaling.md", SCALING),
];

/// The fenced blocks of a page that start with `fence`.
fn blocks<'a>(page: &'a str, fence: &str) -> Vec<&'a str> {
    let opening = format!("```{fence}\n");
    let after = page.split(opening.as_str()).skip(1);
    after.map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The first fenced block after `heading` that starts with `fence`.
fn block<'a>(page: &'a str, heading: &str, fence: &str) -> &'a str {
    blocks(&page[page.find(heading).expect(heading)..], fence)[0]
}

/// The lines but for the last, which names the folder of the results.
fn without_place(text: &str) -> Vec<&str> {
    let mut lines = trimmed(text);
    lines.pop();
    lines
}

fn trimmed(text: &str) -> Vec<&str> {
    text.trim().lines().map(str::trim_end).collect()
}

/// A folder with the scenarios and data of this repository.
fn project() -> tempfile::TempDir {
    let project = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    for part in ["scenarios", "data", "data/news", "data/flowers"] {
        fs::create_dir(project.path().join(part)).unwrap();
        for entry in fs::read_dir(source.join(part)).unwrap() {
            let from = entry.unwrap().path();
            if from.is_file() {
                let to = project.path().join(part).join(from.file_name().unwrap());
                fs::copy(from, to).unwrap();
            }
        }
    }
    project
}

#[test]
fn the_readme_is_read_in_five_minutes() {
    assert!(README.lines().count() <= 220);
}

#[test]
fn the_output_shown_is_the_output_printed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = completed(&out, "scenarios/baseline.yaml", &[]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(without_place(&printed), without_place(block(README, "## Run", "text")));
}

/// The commands of a page, in the order in which it shows them.
fn commands(page: &str) -> Vec<String> {
    let scripts = blocks(page, "sh").into_iter().map(|script| script.replace("\\\n", " "));
    let lines = scripts.flat_map(|script| script.lines().map(str::to_owned).collect::<Vec<_>>());
    let command = |line: String| line.split(" #").next().unwrap().trim().to_owned();
    lines.map(command).filter(|line| line.starts_with("runner ")).collect()
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=a", "-c", "user.email=a@b.c"]);
    assert!(command.args(arguments).output().unwrap().status.success());
}

/// A clone of the repository's scenarios and data, with what `edit` makes of it committed.
fn clone(edit: impl FnOnce(&Path)) -> tempfile::TempDir {
    let project = project();
    edit(project.path());
    git(project.path(), &["init", "--quiet"]);
    git(project.path(), &["add", "."]);
    git(project.path(), &["commit", "--quiet", "--message", "A clone"]);
    project
}

/// What a command of a page prints in a shell where `runner` is installed.
fn printed_by(command: &str, folder: &Path) -> String {
    let installed = Path::new(env!("CARGO_BIN_EXE_runner")).parent().unwrap();
    let path = format!("{}:{}", installed.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.args(["-c", command]).current_dir(folder);
    let output = shell.env("PATH", &path).env("NO_COLOR", "1").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands of README.md that gate, and the others.
fn gates_and_others() -> (Vec<String>, Vec<String>) {
    commands(README).into_iter().partition(|command| command.starts_with("runner gate "))
}

/// Every command as printed, one after the other, in a clone; what they print of the
/// experiment is what README.md shows of it.
#[test]
fn the_commands_of_the_readme_work_as_printed() {
    let project = clone(|_| ());
    let (_, commands) = gates_and_others();
    assert!(commands.len() >= 5, "{commands:?}");
    let printed: String =
        commands.iter().map(|command| printed_by(command, project.path())).collect();
    let printed = trimmed(&printed);
    for line in trimmed(block(README, "## Compare", "text")) {
        assert!(printed.contains(&line), "`{line}` is not printed");
    }
    // The pictures of the tour are those of this experiment.
    printed_by("runner report results/policies/experiment --svg svg", project.path());
    for (name, shown) in [
        ("success", include_str!("../../../src/cli/guide/pictures/policies-success.svg")),
        ("difference", include_str!("../../../src/cli/guide/pictures/policies-difference.svg")),
    ] {
        let drawn = fs::read_to_string(project.path().join(format!("svg/{name}.svg"))).unwrap();
        assert!(drawn == shown, "src/cli/guide/pictures/policies-{name}.svg is stale");
    }
}

/// The gate plays both sides of an experiment, so the one it plays here is shorter.
#[test]
fn the_gate_of_the_readme_works_as_printed() {
    let project = clone(|folder| {
        let scenario = folder.join("scenarios/policies.yaml");
        let text = fs::read_to_string(&scenario).unwrap();
        let fewer = text.replace("seeds: 1..20", "seeds: 1..6");
        let shorter = fewer.replace("iterations: 10_000", "iterations: 2_000");
        assert_ne!(fewer, text);
        assert_ne!(shorter, fewer);
        fs::write(scenario, shorter).unwrap();
    });
    let (gates, _) = gates_and_others();
    assert!(!gates.is_empty());
    for gate in gates {
        let printed = printed_by(&gate, project.path());
        assert!(printed.contains("head"), "{printed}");
    }
}

#[test]
fn the_files_listed_are_the_files_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    completed(&out, "scenarios/baseline.yaml", &["--quiet"]);
    let mut written: Vec<_> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    written.sort();
    for name in written {
        let is_distribution = Path::new(&name).extension().is_some_and(|e| e == "hgrm");
        let name = if is_distribution { "<phase>.<operation>.hgrm" } else { &name };
        assert!(RESULTS.contains(&format!("`{name}`")), "results/README.md lacks {name}");
    }
}

#[test]
fn the_picture_shown_is_the_picture_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    completed(&out, "scenarios/baseline.yaml", &["--quiet"]);
    let drawn = fs::read_to_string(out.join("success_curve.svg")).unwrap();
    assert!(
        drawn == include_str!("../../../results/baseline.svg"),
        "results/baseline.svg is stale"
    );
}

/// The top-level entries of a scenario, each with its key.
fn entries(text: &str) -> Vec<(&str, String)> {
    let mut entries: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        let is_key = line.starts_with(|c: char| c.is_ascii_lowercase());
        match (is_key, entries.last_mut()) {
            (true, _) => {
                entries.push((line.split(':').next().unwrap(), format!("{line}\n")));
            }
            (false, Some((_, entry))) => {
                entry.push_str(line);
                entry.push('\n');
            }
            (false, None) => assert!(line.trim().is_empty(), "`{line}` has no key"),
        }
    }
    entries
}

/// A scenario that is what a snippet says, and else like the shortest one that it can be
/// said of.
fn completed_by_a_base(snippet: &str) -> String {
    let base = if snippet.contains("validation.") && !snippet.contains("metric:") {
        block(README, "## Write your own", "yaml").to_owned()
    } else {
        let matrix = "matrix:\n  seeds: 1..6\n  policies:\n    default: \"--cb_explore_adf\"\n    \
             cubic: \"--cb_explore_adf --cubic :::\"\n";
        let matrix = if snippet.contains("gates:") { matrix } else { "" };
        let phases = "phases:\n  - iterate: { name: validation, iterations: 100 }\n";
        "version: 1\nname: snippet\nseed: 1\ndatasets:\n  users: ../data/users.json\n  \
         actions: ../data/coffee.json\ncontext: [name, weather, timeofday]\ntarget: embedded\n"
            .to_owned()
            + matrix
            + phases
    };
    let said = entries(snippet);
    let is_said = |key: &str| said.iter().any(|(other, _)| *other == key);
    let rest = entries(&base).into_iter().filter(|(key, _)| !is_said(key));
    rest.chain(said.clone()).map(|(_, entry)| entry).collect()
}

#[test]
fn every_snippet_of_a_scenario_is_one() {
    let project = project();
    let mut checked = 0;
    for (page, text) in PAGES {
        // Workflows of CI servers name their file first.
        let snippets = blocks(text, "yaml").into_iter().filter(|of| !of.starts_with("# ."));
        for snippet in snippets {
            let is_whole = snippet.starts_with("version:");
            let scenario = if is_whole { snippet.to_owned() } else { completed_by_a_base(snippet) };
            let path = project.path().join("scenarios/snippet.yaml");
            fs::write(&path, &scenario).unwrap();
            let mut command = super::runner();
            for name in ["PERSONALIZER_KEY", "TOKEN", "PASSWORD", "SIGNING_KEY"] {
                command.env(name, "secret");
            }
            let output = command.arg("check").arg(&path).output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{page}:\n{scenario}\n{stderr}");
            checked += 1;
        }
    }
    assert!(checked >= 8, "{checked}");
}

#[test]
fn the_evaluation_shown_is_the_evaluation_printed() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    completed(&out, "scenarios/baseline.yaml", &["--quiet"]);
    let command = commands(EVALUATING).into_iter().find(|of| of.starts_with("runner evaluate "));
    let command = command.unwrap().replace("results/baseline/*", out.to_str().unwrap());
    let command = command.replacen("runner", env!("CARGO_BIN_EXE_runner"), 1);
    let output = Command::new("bash").args(["-c", &command]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(trimmed(&printed), trimmed(block(EVALUATING, "# Evaluate", "text")));
}

/// The support of an option, in words.
fn support(option: &OptionSpec) -> &'static str {
    match option.support {
        Support::Full => "as in VW",
        Support::Alike => "nearly as in VW, in `runner evaluate`",
        Support::Evaluation => "as in VW, in `runner evaluate`",
        Support::Dropped => "without effect",
        Support::Refused => "refused",
    }
}

fn option_row(option: &OptionSpec) -> String {
    let short = option.short.map(|short| format!(", `-{short}`")).unwrap_or_default();
    let value = option.value.map(|value| format!(" {}", value.replace('|', "\\|")));
    let value = value.unwrap_or_default();
    format!("| `--{}{value}`{short} | {} | {} |\n", option.name, support(option), option.doc)
}

#[test]
fn the_options_listed_are_the_options_known() {
    let table: String = OPTIONS.iter().map(option_row).collect();
    assert!(POLICIES.contains(&table), "src/cli/guide/policies.md should hold:\n{table}");
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
    assert!(SCALING.contains(&table), "src/cli/guide/scaling.md should hold:\n{table}");
}
