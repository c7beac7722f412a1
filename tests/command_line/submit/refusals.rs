//! What an engine cannot be asked for, said with a remedy.

use std::path::Path;

use super::{project, runner};

/// A scenario, arguments, what is said of them, and the remedy.
type Row<'a> = (&'a str, &'a [&'a str], &'a str, &'a str);

/// In shards of two, unless the arguments say otherwise.
fn assert_refused(folder: &Path, table: &[Row<'_>]) {
    for (scenario, arguments, message, remedy) in table {
        let mut command = runner(folder);
        command.args(["submit", scenario]).args(*arguments);
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

const LOAD: &str = "scenarios/load.yaml";

#[test]
fn what_pods_cannot_do_is_refused_with_a_remedy() {
    let root = tempfile::tempdir().unwrap();
    let (folder, policies) = project(root.path(), "plain");
    let with = |more: &[&'static str]| [&["--engine", "kubernetes", "--image", "i"], more].concat();
    let (nowhere, elsewhere) = (with(&[]), with(&["--claim", "c", "--out", "s3://b/p"]));
    let (claim, start) = (["--claim", "c"], ["--start-at", "2030-01-01T00:00:00Z"]);
    let (unplanned, throttled) =
        (with(&claim), with(&[&claim[..], &["--throttle", "1"], &start].concat()));
    let table: [Row<'_>; 5] = [
        (&policies, &["--engine", "kubernetes"], "pods need an image", "--image"),
        (&policies, &nowhere, "a pod's storage is lost when it ends", "--claim NAME"),
        (&policies, &elsewhere, "`s3://b/p` is not on the volume of the claim", "leave `--claim`"),
        (LOAD, &unplanned, "it is not said when", "--start-at"),
        (LOAD, &throttled, "start together", "leave `--throttle` out"),
    ];
    assert_refused(&folder, &table);
}

#[test]
fn what_an_engine_cannot_be_asked_for_is_refused_with_a_remedy() {
    let root = tempfile::tempdir().unwrap();
    let (folder, policies) = project(root.path(), "plain");
    let (slurm, github, gitlab) =
        (["--engine", "slurm"], ["--engine", "github"], ["--engine", "gitlab"]);
    let with = |engine: [&'static str; 2], more: [&'static str; 2]| [engine, more].concat();
    let image = with(slurm, ["--image", "i"]);
    let sbatch = with(github, ["--sbatch", "-p x"]);
    let throttle = with(gitlab, ["--throttle", "2"]);
    let one = with(gitlab, ["--shards", "1"]);
    let seeds = [
        "--set",
        "matrix={ seeds: 1..300, policies: { one: --cb_explore_adf, two: --cb_explore_adf } }",
        "--set",
        "gates=[]",
    ];
    let many = [&github[..], &["--shards", "257"], &seeds].concat();
    let broken = with(slurm, ["--out", "a\nb"]);
    let directive = with(slurm, ["--sbatch", "-p x\nrm -r y"]);
    let pattern = with(github, ["--out", "a*"]);
    let outside = "../plain/scenarios/plain.yaml";
    let table: [Row<'_>; 11] = [
        (&policies, &image, "`--image` is for Kubernetes", "leave it out"),
        (&policies, &sbatch, "`--sbatch` is for Slurm", "leave it out"),
        (
            &policies,
            &throttle,
            "GitLab cannot limit how many jobs run at once",
            "leave `--throttle`",
        ),
        (&policies, &one, "2 to 200 jobs, not 1", "--shards"),
        (&policies, &many, "at most 256 jobs, not 257", "`--shards 256` or fewer"),
        (LOAD, &github, "GitHub does not start its jobs together", "Slurm or Kubernetes"),
        (
            "scenarios/baseline.yaml",
            &slurm,
            "a single simulation, which cannot be cut into shards",
            "without `--shard`",
        ),
        (outside, &github, "not a path within the repository", "from the top of the repository"),
        (&policies, &broken, "`--out` has a control character", "without it"),
        (&policies, &directive, "`--sbatch` has a control character", "without it"),
        (&policies, &pattern, "would read `a*` as a pattern", "plain folder"),
    ];
    assert_refused(&folder, &table);
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
