//! The pipelines of GitHub and GitLab: their schemas, and their commands run as processes.

use std::path::Path;

use serde_json::Value;

use super::{
    HOSTILE, bash, contents, documents, judged, printed, program, project, succeeded, tool, whole,
};

/// Three shards of a scenario with a hostile name.
fn pipeline(root: &Path, engine: &str, more: &[&str]) -> (std::path::PathBuf, String, String) {
    let (folder, scenario) = project(root, HOSTILE);
    let arguments = ["--engine", engine, "--shards", "3", "--out", "results/a & b"];
    let text = printed(&folder, &scenario, &[&arguments[..], more].concat());
    (folder, scenario, text)
}

/// The commands of a job, as GitHub would run them: expressions that stand for themselves are
/// put in.
fn github_lines(job: &Value) -> Vec<String> {
    let steps = job["steps"].as_array().unwrap().iter();
    let lines = steps.filter_map(|step| step["run"].as_str());
    let evaluated = lines.map(|line| {
        let line = line.replace("${{ '${{' }}", "\u{0}");
        assert!(!line.contains("${{"), "{line}");
        line.replace('\u{0}', "${{")
    });
    evaluated.collect()
}

#[test]
fn what_github_runs_comes_to_the_whole() {
    let root = tempfile::tempdir().unwrap();
    let (folder, scenario, text) =
        pipeline(root.path(), "github", &["--throttle", "2", "--program", program()]);
    let workflow = &documents(&text)[0];
    let job = &workflow["jobs"]["shard"];
    assert_eq!(job["strategy"]["max-parallel"], 2);
    assert_eq!(job["strategy"]["fail-fast"], false);
    let [line] = &github_lines(job)[..] else { panic!("{job}") };
    for index in 0..job["strategy"]["matrix"]["shard"].as_array().unwrap().len() {
        let mut command = bash(&folder, line);
        command.env("STRATEGY_JOB_INDEX", index.to_string()).env("STRATEGY_JOB_TOTAL", "3");
        succeeded(&command.output().unwrap());
    }
    let [line] = &github_lines(&workflow["jobs"]["merge"])[..] else { panic!("{workflow}") };
    succeeded(&bash(&folder, line).output().unwrap());
    let expected = whole(&folder, &scenario, &root.path().join("whole"));
    assert_eq!(contents(&folder.join("results/a & b/merged")), expected);
    assert!(!folder.join("pwned").exists());
}

#[test]
fn what_gitlab_runs_comes_to_the_whole() {
    let root = tempfile::tempdir().unwrap();
    let (folder, scenario, text) = pipeline(root.path(), "gitlab", &["--program", program()]);
    let pipeline = &documents(&text)[0];
    let job = &pipeline["runner shard"];
    assert_eq!(job["parallel"], 3);
    // The shell of a job need not be Bash.
    let run = |line: &Value, number: u64| {
        let mut command = std::process::Command::new("sh");
        command.arg("-ec").arg(line.as_str().unwrap()).current_dir(&folder);
        command.env("CI_NODE_INDEX", number.to_string()).env("CI_NODE_TOTAL", "3");
        succeeded(&command.output().unwrap());
    };
    for number in 1..=3 {
        run(&job["script"][0], number);
    }
    run(&pipeline["runner merge"]["script"][0], 0);
    let expected = whole(&folder, &scenario, &root.path().join("whole"));
    assert_eq!(contents(&folder.join("results/a & b/merged")), expected);
    assert!(!folder.join("pwned").exists());
}

#[test]
fn pipelines_keep_to_the_schemas_of_those_who_read_them() {
    let Some(tool) = tool("check-jsonschema") else { return };
    let root = tempfile::tempdir().unwrap();
    for (engine, schema, field) in
        [("github", "vendor.github-workflows", "runs-on"), ("gitlab", "vendor.gitlab-ci", "script")]
    {
        let builds = root.path().join(engine);
        let (_, _, text) = pipeline(&builds, engine, &[]);
        let (accepted, said) = judged(&tool, &["--builtin-schema", schema], &text);
        assert!(accepted, "{said}\n{text}");
        let misspelt = text.replace(&format!("{field}:"), &format!("{field}s:"));
        assert_ne!(misspelt, text);
        assert!(!judged(&tool, &["--builtin-schema", schema], &misspelt).0, "{misspelt}");
    }
}

/// PyYAML reads YAML 1.1, in which more plain words mean something.
#[test]
fn another_reader_of_yaml_sees_the_same() {
    let Some(python) = tool("python") else { return };
    let root = tempfile::tempdir().unwrap();
    let script = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    for engine in ["github", "gitlab"] {
        let (_, _, text) = pipeline(&root.path().join(engine), engine, &["--program", "on"]);
        let (read, said) = judged(&python, &["-c", script], &text);
        assert!(read, "{said}");
        let theirs: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(theirs, documents(&text)[0]);
    }
}

/// Shards and merge read the same store, and the scenario's variables.
#[test]
fn what_a_store_needs_reaches_every_job_and_is_not_written() {
    let root = tempfile::tempdir().unwrap();
    let (folder, scenario) = project(root.path(), "plain");
    let arguments =
        ["submit", &scenario, "--shards", "40", "--engine", "github", "--out", "s3://b/p"];
    let mut command = super::runner(&folder);
    let output =
        command.args(arguments).env("AWS_SECRET_ACCESS_KEY", "do-not-tell").output().unwrap();
    succeeded(&output);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("do-not-tell"));
    let workflow = &documents(&text)[0];
    assert_eq!(workflow["env"]["AWS_SECRET_ACCESS_KEY"], "${{ secrets.AWS_SECRET_ACCESS_KEY }}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("there are 20 seeds, so 20 shards do nothing"), "{said}");
}
