//! `runner export`: what pandas, pyarrow and MLflow read.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

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

/// What a chart says of one policy at one place, in percent or percentage points.
type Said = BTreeMap<(String, u64, String), f64>;

/// What the charts of a page say, chart by chart: `baseline, iteration 50: default 25 % · cubic 28 %`.
fn said_by_charts(html: &str) -> Vec<Said> {
    let decoded = html.replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&");
    let readouts = decoded.split("data-readout=\"").skip(1);
    let texts = readouts.map(|rest| {
        let mut documents = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        documents.next().unwrap().unwrap()["texts"].as_array().unwrap().clone()
    });
    texts
        .map(|texts| texts.iter().flat_map(|text| said_at(text.as_str().unwrap())).collect())
        .collect()
}

/// What is said at one place.
fn said_at(text: &str) -> Vec<((String, u64, String), f64)> {
    let (place, values) = text.split_once(": ").unwrap();
    let (phase, iteration) = place.split_once(", iteration ").unwrap();
    let iteration: u64 = iteration.replace(',', "").parse().unwrap();
    let value = |value: &str| {
        // The band is not the mean.
        let mean = value.split(" ± ").next().unwrap();
        let (name, number) = mean.split_once(' ').unwrap();
        let number = number.replace('−', "-").replace(['%', 'p', '\u{a0}', '+'], "");
        ((phase.to_owned(), iteration, name.to_owned()), number.parse().unwrap())
    };
    values.split(" · ").map(value).collect()
}

/// The mean success rate of each window of each policy, by the exported table.
fn means(csv: &str) -> BTreeMap<(String, u64, String), f64> {
    let mut sums: BTreeMap<(String, u64, String), (f64, f64)> = BTreeMap::new();
    for line in csv.lines().skip(1) {
        let [policy, _, phase, scope, _, last, metric, value] =
            line.split(',').collect::<Vec<_>>()[..]
        else {
            panic!("{line}")
        };
        if scope == "window" && metric == "success_rate" {
            let end = last.parse::<u64>().unwrap() + 1;
            let sum = sums.entry((phase.to_owned(), end, policy.to_owned())).or_default();
            *sum = (sum.0 + value.parse::<f64>().unwrap(), sum.1 + 1.0);
        }
    }
    sums.into_iter().map(|(at, (sum, runs))| (at, 100.0 * sum / runs)).collect()
}

/// Both charts of an experiment say what its exported table does, at every place of every phase: the
/// means of the policies, and their differences to the first.
#[test]
fn the_curves_of_a_report_are_those_of_the_exported_table() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("e").display().to_string();
    completed(experiment(["--out", &out], &["--quiet", "--set", "matrix.seeds=1..6"]));
    let table = export(folder.path(), &["e", "--out", "-", "--window", "50"]).stdout;
    let means = means(&String::from_utf8(table).unwrap());
    let mut report = runner();
    report.args(["report", &out, "--out", "-"]);
    let html = String::from_utf8(completed(report).stdout).unwrap();
    let charts = said_by_charts(&html);
    let [success, difference] = &charts[..] else { panic!("{} charts", charts.len()) };
    // Four policies; 400 and 100 iterations.
    assert_eq!(success.len(), 4 * (8 + 2));
    let keys = |said: &Said| said.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(success), means.keys().cloned().collect::<Vec<_>>());
    for (at, said) in success {
        assert!((said - means[at]).abs() <= 0.5 + 1e-9, "{at:?}: {said} and {}", means[at]);
    }
    assert_eq!(difference.len(), 3 * (8 + 2));
    for ((phase, iteration, policy), said) in difference {
        let mean = |policy: &str| means[&(phase.clone(), *iteration, policy.to_owned())];
        let expected = mean(policy) - mean("default");
        assert!(
            (said - expected).abs() <= 0.5 + 1e-9,
            "{phase} {iteration} {policy}: {said} and {expected}"
        );
    }
}
