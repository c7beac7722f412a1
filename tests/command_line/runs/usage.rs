//! Arguments, streams and exit codes.

use std::fs;
use std::net::TcpListener;
use std::process::{Output, Stdio};

use bandit_runner::cli::Exit;

use super::folder::json;
use super::{run_into, runner};

const BASELINE: &str = "scenarios/baseline.yaml";
const SHORT: [&str; 6] = [
    "--set",
    "phases.baseline.iterations=200",
    "--set",
    "phases.validation.iterations=100",
    "--set",
    "expect=[]",
];

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn output(arguments: &[&str]) -> Output {
    runner().args(arguments).output().unwrap()
}

#[test]
fn the_guide_to_stability_documents_every_exit_code() {
    let guide = text(&output(&["guide", "stability"]).stdout);
    for exit in Exit::ALL {
        let row = format!("| {} | {} |", exit.code(), exit.meaning());
        assert!(guide.contains(&row), "{row}");
    }
}

#[test]
fn every_guide_that_is_named_exists() {
    let readme = include_str!("../../../README.md");
    let named = readme
        .match_indices("`runner guide ")
        .map(|(at, found)| readme[at + found.len()..].split('`').next().unwrap());
    let named: std::collections::BTreeSet<_> = named.collect();
    let list = text(&output(&["guide"]).stdout);
    let listed: std::collections::BTreeSet<_> =
        list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    assert_eq!(named, listed, "README.md names what `runner guide` lists");
    for topic in listed {
        assert!(text(&output(&["guide", topic]).stdout).starts_with("# "), "{topic}");
    }
}

#[test]
fn the_version_names_the_commit_that_was_built() {
    let printed = text(&output(&["--version"]).stdout);
    let git = std::process::Command::new("git").args(["rev-parse", "HEAD"]).output();
    let commit = git.ok().filter(|git| git.status.success()).map(|git| text(&git.stdout));
    let commit = commit.map_or(String::new(), |commit| format!(" ({})", &commit[..12]));
    assert_eq!(printed, format!("runner {}{commit}\n", env!("CARGO_PKG_VERSION")));
}

/// Each shell reads its completions, and the pages are those of every command.
#[test]
fn completions_and_manual_pages_are_of_every_command() {
    let script = text(&output(&["completions", "bash"]).stdout);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runner.bash");
    std::fs::write(&file, &script).unwrap();
    let read = std::process::Command::new("bash").arg("-n").arg(&file).status().unwrap();
    assert!(read.success());
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(!output(&["completions", shell]).stdout.is_empty(), "{shell}");
    }
    let pages = folder.path().join("man");
    assert_eq!(code(&output(&["man", pages.to_str().unwrap()])), Some(0));
    let help = text(&output(&["--help"]).stdout);
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands: Vec<_> = commands
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.trim().split(' ').next().unwrap())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 12, "{commands:?}");
    for command in commands {
        assert!(script.contains(&format!("runner__subcmd__{command}")), "{command}");
        let page = std::fs::read_to_string(pages.join(format!("runner-{command}.1"))).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{command}");
    }
}

#[test]
fn mistakes_in_the_arguments_are_exit_2_and_help_is_not() {
    for arguments in [&["--frobnicate"][..], &[], &["run"], &["check"], &["no-such-file.yaml"]] {
        assert_eq!(code(&output(arguments)), Some(2), "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["run", "--help"], &["--version"]] {
        assert_eq!(code(&output(arguments)), Some(0), "{arguments:?}");
    }
}

#[test]
fn check_says_what_would_run_and_sends_nothing() {
    let good = output(&["check", BASELINE]);
    assert_eq!(code(&good), Some(0), "{}", text(&good.stderr));
    assert!(text(&good.stdout).contains("12,000 iterations"), "{}", text(&good.stdout));
    let bad = output(&["check", BASELINE, "--set", "seed=many"]);
    assert_eq!(code(&bad), Some(2));
    assert!(bad.stdout.is_empty());
}

#[test]
fn schema_prints_the_committed_schema() {
    let printed = text(&output(&["schema"]).stdout);
    assert_eq!(printed, include_str!("../../../scenarios/scenario.schema.json"));
}

#[test]
fn run_may_be_left_out_and_quiet_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let (bare, named) = (folder.path().join("bare"), folder.path().join("named"));
    let bare_output = run_into(&bare, BASELINE, &SHORT);
    let mut command = runner();
    command.args(["run", BASELINE, "--quiet", "--out"]).arg(&named).args(SHORT);
    let named_output = command.output().unwrap();
    assert_eq!((code(&bare_output), code(&named_output)), (Some(0), Some(0)));
    assert!(named_output.stdout.is_empty() && named_output.stderr.is_empty());
    assert!(text(&bare_output.stderr).contains("baseline"), "progress is on stderr");
    let events = |run: &std::path::Path| std::fs::read(run.join("events.csv")).unwrap();
    assert_eq!(events(&bare), events(&named));
}

#[test]
fn json_on_stdout_is_the_summary_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut arguments = SHORT.to_vec();
    arguments.extend(["--format", "json"]);
    let output = run_into(&out, BASELINE, &arguments);
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed, json(&out, "summary.json"));
}

#[test]
fn a_failed_expectation_is_exit_3_and_the_results_are_complete() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let mut arguments = SHORT[..4].to_vec();
    arguments.extend(["--set", "expect=[validation.success_rate >= 0.999]"]);
    let output = run_into(&out, BASELINE, &arguments);
    assert_eq!(code(&output), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("validation.success_rate >= 0.999"));
    assert_eq!(json(&out, "manifest.json")["complete"], true);
}

#[test]
fn a_quiet_run_says_in_one_line_which_expectation_failed() {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = SHORT[..4].to_vec();
    let expect = "expect=[validation.success_rate >= 0.999, baseline.success_rate >= 0]";
    arguments.extend(["--quiet", "--set", expect]);
    let output = run_into(&folder.path().join("run"), BASELINE, &arguments);
    assert_eq!((code(&output), text(&output.stdout).as_str()), (Some(3), ""));
    let stderr = text(&output.stderr);
    let expected = "1 of 2 expectations do not hold: `validation.success_rate >= 0.999`, observed ";
    assert!(stderr.contains(expected), "{stderr}");
    assert_eq!(stderr.lines().filter(|line| line.starts_with("error")).count(), 1, "{stderr}");
}

#[test]
fn expectations_are_written_for_a_ci_server() {
    let folder = tempfile::tempdir().unwrap();
    let [junit, markdown] = ["junit.xml", "summary.md"].map(|name| folder.path().join(name));
    let run = |name: &str, expect: &str| {
        let mut arguments = SHORT[..4].to_vec();
        let files = [junit.to_str().unwrap(), markdown.to_str().unwrap()];
        let files = ["--junit", files[0], "--markdown", files[1]];
        arguments.extend(["--quiet", "--set", expect]);
        arguments.extend(files);
        run_into(&folder.path().join(name), BASELINE, &arguments)
    };
    let expect = "expect=[validation.success_rate >= 0.999, baseline.success_rate >= 0]";
    assert_eq!(code(&run("failed", expect)), Some(3));
    let xml = fs::read_to_string(&junit).unwrap();
    assert!(xml.contains("tests=\"2\"") && xml.contains("failures=\"1\""), "{xml}");
    let table = fs::read_to_string(&markdown).unwrap();
    assert!(table.contains("| validation.success\\_rate &gt;= 0.999 |"), "{table}");
    assert!(table.contains("**fail**") && table.contains("**pass**"), "{table}");

    // An empty suite would be green though nothing was judged.
    let output = run("unjudged", "expect=[]");
    assert_eq!(code(&output), Some(2));
    assert!(text(&output.stderr).contains("add `expect:` to the scenario"));
    assert!(!folder.path().join("unjudged").exists());
}

/// A folder keeps all that its run printed.
#[test]
fn a_run_is_shown_again_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let printed = run_into(&out, BASELINE, &SHORT[..4]);
    let shown = runner().arg("show").arg(&out).output().unwrap();
    assert_eq!(text(&shown.stdout), text(&printed.stdout));
    assert_eq!(code(&shown), Some(0));
}

#[test]
fn results_are_listed_with_their_state_and_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, expect: &str| {
        let arguments = [&SHORT[..4], &["--quiet", "--set", expect]].concat();
        run_into(&folder.path().join(name), BASELINE, &arguments)
    };
    run("a/good", "expect=[baseline.success_rate >= 0]");
    run("a/bad", "expect=[baseline.success_rate >= 0.999]");
    let damaged = folder.path().join("damaged");
    fs::create_dir(&damaged).unwrap();
    fs::write(damaged.join("manifest.json"), "{").unwrap();
    let list = |folder: &std::path::Path| runner().arg("list").arg(folder).output().unwrap();
    let listed = text(&list(folder.path()).stdout);
    let rows: Vec<&str> = listed.lines().collect();
    assert_eq!(rows.len(), 4, "{listed}");
    assert!(rows[1].contains("a/bad") && rows[1].ends_with("1 of 1 expectation did not hold"));
    assert!(rows[2].contains("complete") && rows[2].ends_with("1 expectation held"), "{listed}");
    assert!(rows[3].contains("cannot be read"), "{listed}");
    assert_eq!(code(&list(&folder.path().join("a/good"))), Some(2));
}

#[test]
fn a_mistyped_command_is_not_taken_for_a_scenario() {
    for (word, near) in [("chek", "check"), ("rnu", "run"), ("evalaute", "evaluate")] {
        let output = runner().args([word, BASELINE]).output().unwrap();
        assert_eq!(code(&output), Some(2));
        let said =
            format!("error: `{word}` is not a command\nhelp: did you mean `runner {near}`?\n");
        assert_eq!(text(&output.stderr), said);
    }
}

#[test]
fn an_expectation_about_nothing_is_exit_2_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let output = run_into(&out, BASELINE, &["--set", "expect=[validation.sucess_rate >= 0.5]"]);
    assert_eq!(code(&output), Some(2));
    assert!(text(&output.stderr).contains("success_rate"), "{}", text(&output.stderr));
    assert!(!out.exists());
}

#[test]
fn a_service_that_is_not_there_is_exit_6_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let scenario = format!(
        "version: 1\nname: remote\nseed: 1\n\
         datasets: {{ users: ../data/users.json, actions: ../data/coffee.json }}\n\
         context: [name, weather, timeofday]\n\
         target: {{ url: 'http://{address}' }}\n\
         phases:\n  - iterate: {{ name: only, iterations: 10 }}\n"
    );
    let scenarios = folder.path().join("scenarios");
    std::fs::create_dir(&scenarios).unwrap();
    std::fs::write(scenarios.join("remote.yaml"), scenario).unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    for file in ["users.json", "coffee.json"] {
        let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(file);
        std::fs::copy(from, data.join(file)).unwrap();
    }
    let out = folder.path().join("out");
    let output = run_into(&out, scenarios.join("remote.yaml").to_str().unwrap(), &[]);
    assert_eq!(code(&output), Some(6), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains(&address.to_string()), "{}", text(&output.stderr));
    assert_eq!(json(&out, "manifest.json")["status"], "failed");
}

#[test]
fn results_that_cannot_be_written_are_exit_7() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let output = run_into(&file.join("out"), BASELINE, &SHORT);
    assert_eq!(code(&output), Some(7), "{}", text(&output.stderr));
}

#[test]
fn a_folder_with_something_in_it_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.txt"), "precious").unwrap();
    let output = run_into(folder.path(), BASELINE, &SHORT);
    assert_eq!(code(&output), Some(2), "{}", text(&output.stderr));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = runner();
    command.arg(BASELINE).args(SHORT).arg("--out").arg(folder.path().join("run"));
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(process.stdout.take());
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn a_prompt_without_a_terminal_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let prompt =
        "phases=[{pause: {prompt: Look at the portal}}, {iterate: {name: only, iterations: 20}}]";
    let arguments = ["--set", prompt, "--set", "expect=[]"];
    let refused = folder.path().join("refused");
    let mut command = runner();
    command.arg(BASELINE).args(arguments).arg("--out").arg(&refused).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(code(&output), Some(2));
    assert!(text(&output.stderr).contains("--yes") && !refused.exists());
    let answered =
        run_into(&folder.path().join("answered"), BASELINE, &[&arguments[..], &["--yes"]].concat());
    assert_eq!(code(&answered), Some(0), "{}", text(&answered.stderr));
    assert!(text(&answered.stderr).contains("Look at the portal"));
}
