//! The job of a pull request, with the commands that README.md shows.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const README: &str = include_str!("../../../README.md");

/// The commands of the workflows that call the job.
fn commands() -> Vec<&'static str> {
    let lines = README.lines().map(str::trim);
    let of_github = |line: &'static str| line.strip_prefix("- run: ");
    let of_gitlab = |line: &'static str| line.strip_prefix("- ");
    let commands = lines.filter_map(|line| of_github(line).or_else(|| of_gitlab(line)));
    commands.filter(|command| command.starts_with(".ci/policies ")).collect()
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=a", "-c", "user.email=a@b.c"]);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A project with the scenario at its base, and a policy made worse on top of it.
fn project(folder: &Path) {
    for part in ["data", "scenarios", ".ci"] {
        fs::create_dir(folder.join(part)).unwrap();
        for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(part)).unwrap() {
            let file = file.unwrap();
            if file.path().is_file() {
                fs::copy(file.path(), folder.join(part).join(file.file_name())).unwrap();
            }
        }
    }
    git(folder, &["init", "--quiet", "--initial-branch", "main"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "--quiet", "--message", "The base"]);
    git(folder, &["update-ref", "refs/remotes/origin/main", "main"]);
    let path = folder.join("scenarios/policies.yaml");
    let scenario = fs::read_to_string(&path).unwrap();
    let squarecb = scenario.lines().find(|line| line.trim().starts_with("squarecb:")).unwrap();
    let worse = squarecb.replace(" -l 0.5", " -l 0.00001");
    assert_ne!(squarecb, worse);
    fs::write(&path, scenario.replace(squarecb, &worse)).unwrap();
    git(folder, &["commit", "--quiet", "--all", "--message", "Learn more slowly"]);
}

fn job(folder: &Path, command: &str) -> Output {
    let mut shell = Command::new("bash");
    shell.args(["-c", command]).current_dir(folder).env("NO_COLOR", "1");
    shell.env("GITHUB_BASE_REF", "main").env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main");
    shell.env("GITHUB_STEP_SUMMARY", folder.join("summary.md"));
    shell.env("RUNNER", env!("CARGO_BIN_EXE_runner"));
    shell.env("RUN_OPTIONS", "--set matrix.seeds=1..6 --set phases.baseline.iterations=2000");
    shell.output().unwrap()
}

#[test]
fn a_worse_policy_fails_the_job_which_says_which_by_how_much_and_how_sure() {
    let commands = commands();
    assert_eq!(commands.len(), 2, "{commands:?}");
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    for command in commands {
        let output = job(folder.path(), command);
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{stdout}\n{stderr}");
        let failed: Vec<_> = stdout.lines().filter(|line| line.starts_with('✗')).collect();
        let [line] = &failed[..] else { panic!("{stdout}\n{stderr}") };
        assert!(line.contains("validation.success_rate not worse by 0.0200"), "{line}");
        assert!(line.contains("squarecb of ") && line.contains(" [−0."), "{line}");
    }
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("summary.md").contains("**fail**"));
    assert!(read("policies.xml").contains("failures=\"1\""));
    assert!(read("metrics.txt").contains("runner_gate_pass{group=\"squarecb of "));
}
