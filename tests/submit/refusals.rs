//! What an engine cannot be asked for, said with a remedy.

use super::{project, runner};

#[test]
fn what_cannot_be_asked_for_is_refused_with_a_remedy() {
    let root = tempfile::tempdir().unwrap();
    let (folder, policies) = project(root.path(), "plain");
    let load = "scenarios/load.yaml";
    let table: [(&str, &[&str], &str, &str); 14] = [
        (&policies, &["--engine", "kubernetes"], "pods need an image", "--image"),
        (
            &policies,
            &["--engine", "kubernetes", "--image", "i"],
            "what pods write is gone with them",
            "--claim NAME",
        ),
        (
            &policies,
            &["--engine", "slurm", "--image", "i"],
            "`--image` is for Kubernetes",
            "leave it out",
        ),
        (
            &policies,
            &["--engine", "github", "--sbatch=-p x"],
            "`--sbatch` is for Slurm",
            "leave it out",
        ),
        (
            &policies,
            &["--engine", "gitlab", "--throttle", "2"],
            "GitLab cannot limit how many jobs run at once",
            "leave `--throttle` out",
        ),
        (&policies, &["--engine", "gitlab", "--shards", "1"], "2 to 200 jobs, not 1", "--shards"),
        (
            load,
            &["--engine", "github"],
            "GitHub does not start its jobs together",
            "Slurm or Kubernetes",
        ),
        (
            load,
            &["--engine", "kubernetes", "--image", "i", "--claim", "c"],
            "it is not said when",
            "--start-at",
        ),
        (
            load,
            &[
                "--engine",
                "kubernetes",
                "--image",
                "i",
                "--claim",
                "c",
                "--throttle",
                "1",
                "--start-at",
                "2030-01-01T00:00:00Z",
            ],
            "start together",
            "leave `--throttle` out",
        ),
        (
            &policies,
            &["--engine", "kubernetes", "--image", "i", "--claim", "c", "--out", "s3://b/p"],
            "`s3://b/p` is not on the volume of the claim",
            "leave `--claim` out",
        ),
        (
            "scenarios/baseline.yaml",
            &["--engine", "slurm"],
            "a world cannot be cut",
            "without `--shard`",
        ),
        (
            "../plain/scenarios/plain.yaml",
            &["--engine", "github"],
            "not a path within the repository",
            "from the top of the repository",
        ),
        (
            &policies,
            &["--engine", "slurm", "--out", "a\nb"],
            "`--out` has a control character",
            "without it",
        ),
        (
            &policies,
            &["--engine", "github", "--out", "a*"],
            "would read `a*` as a pattern",
            "plain folder",
        ),
    ];
    for (scenario, arguments, message, remedy) in table {
        let mut command = runner(&folder);
        command.args(["submit", scenario]).args(arguments);
        if !arguments.contains(&"--shards") {
            command.args(["--shards", "2"]);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(message) && said.contains(remedy), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn an_engine_that_is_not_there_is_said_to_be() {
    let root = tempfile::tempdir().unwrap();
    let (folder, scenario) = project(root.path(), "plain");
    let mut command = runner(&folder);
    command.args(["submit", &scenario, "--engine", "github", "--shards", "2", "--submit"]);
    let output = command.env("PATH", root.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(
        said.contains("`gh workflow run shards.yml`") && said.contains("is it installed?"),
        "{said}"
    );
}
