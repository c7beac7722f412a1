//! `runner export`: what pandas, pyarrow and MLflow read.

use std::path::Path;

use super::{completed, experiment, runner};

fn export(folder: &Path, arguments: &[&str]) -> std::process::Output {
    let mut command = runner();
    command.current_dir(folder).arg("export").args(arguments);
    completed(command)
}

#[cfg(feature = "parquet")]
mod readers {
    use std::fs;
    use std::process::Command;

    use super::*;
    use crate::tools;

    const PYTHON: &str = "target/exports/python/bin/python";

    /// Python reads the table in both formats, the store, and a curve that equals the one that the
    /// program writes; the guide's chart has the numbers of the report.
    #[test]
    fn pandas_and_mlflow_read_the_numbers_of_the_report() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        if !root.join("target/exports/installed").exists() {
            return tools::missing("pandas and mlflow", "run `tests/exports/install`");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        completed(experiment(["--out", &path("e")], &["--quiet"]));
        for format in ["csv", "parquet"] {
            export(folder.path(), &["e", "--window", "50", "--format", format]);
        }
        let store = || export(folder.path(), &["e", "--window", "50", "--mlflow", "mlruns"]).stdout;
        assert_eq!(store(), b"mlruns: 24 runs added\n");
        assert_eq!(store(), b"mlruns: 0 runs added\n", "what is there is not added twice");
        let mut report = runner();
        report.args(["report", &path("e"), "--out", &path("report.html")]);
        completed(report);
        let guide = include_str!("../../../src/cli/guide/exporting.md");
        let (_, snippet) = guide.split_once("```python\n").unwrap();
        fs::write(path("guide.py"), snippet.split_once("```").unwrap().0).unwrap();
        let mut run = runner();
        run.args(["scenarios/baseline.yaml", "--quiet", "--out", &path("r")]);
        run.args(["--set", "phases.baseline.iterations=605", "--set", "expect=[]"]);
        completed(run);
        export(folder.path(), &["r", "--out", "run.csv"]);
        let mut again = runner();
        again.args(["scenarios/baseline.yaml", "--quiet", "--out", &path("p")]);
        again.args(["--set", "phases.baseline.iterations=605", "--set", "expect=[]"]);
        again.args(["--set", "outputs.events=parquet"]);
        completed(again);
        fs::copy(path("r/events.csv"), path("events.csv")).unwrap();
        fs::copy(path("p/events.parquet"), path("events.parquet")).unwrap();
        fs::copy(path("r/success_curve.csv"), path("curve.csv")).unwrap();
        let mut python = Command::new(root.join(PYTHON));
        python.arg(root.join("tests/exports/read.py")).arg(folder.path());
        completed(python);
    }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_names_the_feature() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("e").display().to_string();
    completed(experiment(["--out", &out], &["--quiet", "--set", "matrix.seeds=1..2"]));
    let mut command = runner();
    command.args(["export", &out, "--format", "parquet"]);
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("--features parquet"), "{stderr}");
    assert!(!folder.path().join("export.parquet").exists());
}

/// Every build writes CSV; the same folder gives the same bytes, and a run that is exported is
/// not changed.
#[test]
fn the_table_has_a_row_for_each_metric_of_each_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("e").display().to_string();
    completed(experiment(["--out", &out], &["--quiet", "--set", "matrix.seeds=1..2"]));
    let before = crate::folders::contents(out.as_ref());
    let csv = |arguments: &[&str]| {
        let all = [&["e", "--out", "-"], arguments].concat();
        String::from_utf8(export(folder.path(), &all).stdout).unwrap()
    };
    let text = csv(&[]);
    assert_eq!(csv(&[]), text);
    super::assert_same(&crate::folders::contents(out.as_ref()), &before);
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("policy,seed,phase,scope,first_iteration,last_iteration,metric,value")
    );
    let windows = |text: &str| {
        let is_one = |line: &&str| line.contains(",window,") && line.contains(",success_rate,");
        text.lines().filter(is_one).count()
    };
    // Four policies and two seeds; 400 and 100 iterations, 20 a batch.
    assert_eq!(windows(&text), 8 * (20 + 5));
    assert_eq!(windows(&csv(&["--window", "300"])), 8 * (2 + 1));
    assert!(lines.clone().any(|line| line.contains(",phase,0,399,iterations,400")), "{text}");
}
