//! A pull request is gated in a repository that holds nothing but a scenario and its data, with
//! the installed program, by the workflows that README.md shows.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

const README: &str = include_str!("../../../README.md");
const ACTION: &str = include_str!("../../../.github/actions/gate/action.yml");
/// Enough to show that a policy became worse.
const SHORT: &str = "--set matrix.seeds=1..6 --set phases.baseline.iterations=2000";

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=a", "-c", "user.email=a@b.c"]);
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A repository with three of the policies of `policies.yaml` and its data at `origin/main`, and a
/// policy made worse on top of it.
pub fn project(folder: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["users.json", "coffee.json", "rank-request.json"].map(|of| format!("data/{of}"));
    for file in files.iter().map(String::as_str).chain(["scenarios/policies.yaml"]) {
        fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
        fs::copy(source.join(file), folder.join(file)).unwrap();
    }
    let path = folder.join("scenarios/policies.yaml");
    let scenario = fs::read_to_string(&path).unwrap();
    let of_others = |line: &&str| {
        ["faster:", "robust:", "softmax:"].iter().any(|name| line.trim().starts_with(name))
    };
    assert_eq!(scenario.lines().filter(of_others).count(), 3);
    let few: Vec<&str> = scenario.lines().filter(|line| !of_others(line)).collect();
    fs::write(&path, few.join("\n") + "\n").unwrap();
    git(folder, &["init", "--quiet", "--initial-branch", "main"]);
    git(folder, &["add", "."]);
    git(folder, &["commit", "--quiet", "--message", "The base"]);
    git(folder, &["update-ref", "refs/remotes/origin/main", "main"]);
    let scenario = fs::read_to_string(&path).unwrap();
    let squarecb = scenario.lines().find(|line| line.trim().starts_with("squarecb:")).unwrap();
    let worse = squarecb.replace(" -l 0.5", " -l 0.00001");
    assert_ne!(squarecb, worse);
    fs::write(&path, scenario.replace(squarecb, &worse)).unwrap();
    git(folder, &["commit", "--quiet", "--all", "--message", "Learn more slowly"]);
}

/// Bash in a repository, with the program installed.
fn shell(folder: &Path, script: &str, environment: &[(&str, &str)]) -> Output {
    let installed = Path::new(env!("CARGO_BIN_EXE_runner")).parent().unwrap();
    let path = format!("{}:{}", installed.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", script]).current_dir(folder);
    command.env("NO_COLOR", "1").env("PATH", path).envs(environment.iter().copied());
    command.output().unwrap()
}

fn runner(folder: &Path, arguments: &str) -> Output {
    shell(folder, &format!("runner {arguments}"), &[])
}

fn assert_says_what_became_worse(output: &Output) {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stdout}\n{stderr}");
    let failed: Vec<_> = stdout.lines().filter(|line| line.starts_with('✗')).collect();
    let [line] = &failed[..] else { panic!("{stdout}\n{stderr}") };
    assert!(line.contains("validation.success_rate not worse by 0.0200"), "{line}");
    assert!(line.contains("squarecb of head against squarecb of base"), "{line}");
    assert!(line.contains(" [−0."), "{line}");
}

/// The work tree of the base is gone, and so is its folder.
fn assert_is_clean(folder: &Path) {
    assert_eq!(git(folder, &["worktree", "list"]).lines().count(), 1);
    assert_eq!(git(folder, &["status", "--porcelain", "--ignored", "scenarios", "data"]), "");
}

#[test]
fn the_action_gates_a_pull_request() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let action: Value = serde_yaml::from_str(ACTION).unwrap();
    let steps = action["runs"]["steps"].as_array().unwrap();
    let script = steps.last().unwrap()["run"].as_str().unwrap();
    let summary = folder.path().join("summary.md");
    let output = shell(
        folder.path(),
        script,
        &[
            ("SCENARIO", "scenarios/policies.yaml"),
            ("BASE", "origin/main"),
            ("OPTIONS", &format!("--junit gates.xml {SHORT}")),
            ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
        ],
    );
    assert_says_what_became_worse(&output);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("::error title="), "{stdout}");
    let comment = fs::read_to_string(summary).unwrap();
    assert!(comment.contains("head against base") && comment.contains("**fail**"), "{comment}");
    let temporary = std::env::temp_dir();
    assert!(!comment.contains(temporary.to_str().unwrap()), "{comment}");
    let junit = fs::read_to_string(folder.path().join("gates.xml")).unwrap();
    assert!(junit.contains("failures=\"1\""), "{junit}");
    assert_is_clean(folder.path());
}

#[test]
fn the_workflow_shown_for_github_uses_the_inputs_of_the_action() {
    let workflow = README.split("```yaml\n# .github/workflows/policies.yml\n").nth(1).unwrap();
    let workflow: Value = serde_yaml::from_str(workflow.split("```").next().unwrap()).unwrap();
    let steps = workflow["jobs"]["policies"]["steps"].as_array().unwrap();
    let step = steps
        .iter()
        .find(|step| step["uses"].as_str().is_some_and(|of| of.contains("/.github/actions/gate@")));
    let action: Value = serde_yaml::from_str(ACTION).unwrap();
    let given = step.expect("the action is used")["with"].as_object().unwrap();
    assert!(given.contains_key("scenario"));
    given.keys().for_each(|name| assert!(action["inputs"][name].is_object(), "{name}"));
}

#[test]
fn the_job_shown_for_gitlab_gates_a_merge_request() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let job = README.split("```yaml\n# .gitlab-ci.yml\n").nth(1).unwrap();
    let job: Value = serde_yaml::from_str(job.split("```").next().unwrap()).unwrap();
    let commands = job["policies"]["script"].as_array().unwrap().iter();
    let commands: Vec<&str> = commands.map(|command| command.as_str().unwrap()).collect();
    let gate = commands.into_iter().find(|command| command.starts_with("runner gate ")).unwrap();
    let output = shell(
        folder.path(),
        &format!("{gate} {SHORT}"),
        &[("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")],
    );
    assert_says_what_became_worse(&output);
    let metrics = fs::read_to_string(folder.path().join("metrics.txt")).unwrap();
    assert!(metrics.contains("runner_gate_pass{group=\"squarecb of head\""), "{metrics}");
}

#[test]
fn each_side_is_built_and_may_bring_its_own_program() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let build = "mkdir -p bin && ln -s \"$(command -v runner)\" bin/runner && echo built \"$PWD\"";
    let options = format!("--build '{build}' --program bin/runner --out kept {SHORT}");
    let output = runner(
        folder.path(),
        &format!("gate scenarios/policies.yaml --base origin/main {options}"),
    );
    assert_says_what_became_worse(&output);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let sides: Vec<_> = stderr.lines().filter(|line| line.starts_with("built ")).collect();
    let root = fs::canonicalize(folder.path()).unwrap();
    assert_eq!(sides.len(), 2, "{stderr}");
    assert_eq!(sides[1], format!("built {}", root.display()), "{stderr}");
    for side in ["base", "head"] {
        assert!(folder.path().join("kept").join(side).join("experiment.json").is_file(), "{side}");
    }
    assert_eq!(git(folder.path(), &["worktree", "list"]).lines().count(), 1);
}

#[test]
fn what_cannot_be_gated_is_refused_and_leaves_no_work_tree() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let scenario = "scenarios/policies.yaml";
    fs::copy(folder.path().join(scenario), folder.path().join("scenarios/new.yaml")).unwrap();
    let cases = [
        (2, "scenarios/none.yaml --base main", "is not a file"),
        (2, "scenarios/policies.yaml --base nowhere", "is not a commit"),
        (2, "scenarios/new.yaml --base origin/main", "does not exist at `origin/main`"),
        (2, "scenarios/policies.yaml --base main --set seed=many", "could not be run in `base`"),
        (5, "scenarios/policies.yaml --base main --build 'exit 9'", "build of `base` failed"),
        (2, "scenarios/policies.yaml --base main --program none", "cannot start"),
        (
            2,
            "scenarios/policies.yaml --base main --set gates=[] --set matrix.seeds=1..2",
            "has no `gates`",
        ),
    ];
    for (code, arguments, words) in cases {
        let output = runner(folder.path(), &format!("gate {arguments}"));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {stderr}");
        assert!(stderr.contains(words), "{arguments}: {stderr}");
        assert!(output.stdout.is_empty(), "{arguments}");
        assert_eq!(git(folder.path(), &["worktree", "list"]).lines().count(), 1, "{arguments}");
    }
    let outside = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join(scenario), outside.path().join("alone.yaml")).unwrap();
    let output = runner(outside.path(), "gate alone.yaml --base main");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not in a git repository"));
}

#[test]
fn a_signal_stops_the_side_and_removes_the_work_tree() {
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.current_dir(folder.path()).args(["gate", "scenarios/policies.yaml"]);
    // The build says that it runs, and then waits until it is stopped.
    command.args(["--base", "main", "--build", "touch \"$STARTED\"; exec tail -f /dev/null"]);
    command
        .env("STARTED", folder.path().join("started"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut process = command.spawn().unwrap();
    while !folder.path().join("started").exists() {
        assert!(process.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(git(folder.path(), &["worktree", "list"]).lines().count(), 2);
    let id = process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(process.wait().unwrap().code(), Some(143));
    assert_eq!(git(folder.path(), &["worktree", "list"]).lines().count(), 1);
}
