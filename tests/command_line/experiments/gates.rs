//! Gates and baselines, as their users meet them.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::{completed, experiment, runner};

fn run(folder: &Path, name: &str, changes: &[&str]) -> String {
    let out = folder.join(name).display().to_string();
    completed(experiment(["--out", &out], changes));
    out
}

fn gates(folder: &Path, text: &str) -> String {
    let path = folder.join("gates.yaml");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn compare(arguments: &[&str]) -> Output {
    runner().arg("compare").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The outcome of each gate and policy.
fn outcomes(output: &Output) -> Vec<(String, String)> {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let word = |gate: &Value, key: &str| gate[key].as_str().unwrap().to_owned();
    let gates = document["gates"].as_array().unwrap().iter();
    gates.map(|gate| (word(gate, "candidate"), word(gate, "outcome"))).collect()
}

#[test]
fn a_gate_is_decided_by_the_side_of_its_margin() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "out", &[]);
    let decide = |gate: &str| {
        let file = gates(folder.path(), &format!("gates:\n  - {gate}\n"));
        let output = compare(&[&out, "--gates", &file, "--format", "json"]);
        let all = outcomes(&output);
        let cubic = all.into_iter().find(|(name, _)| name == "cubic").unwrap().1;
        (cubic, output.status.code().unwrap())
    };
    let pass = "{ metric: validation.success_rate, policies: cubic, margin: 0.9 }";
    assert_eq!(decide(pass), ("pass".to_owned(), 0));
    let fail = "{ metric: validation.success_rate, policies: cubic, require: better, margin: 0.9 }";
    assert_eq!(decide(fail), ("fail".to_owned(), 3));
    let few = "{ metric: validation.success_rate, policies: cubic, min_seeds: 7 }";
    assert_eq!(decide(few), ("inconclusive".to_owned(), 0));
    let few =
        "{ metric: validation.success_rate, policies: cubic, min_seeds: 7, inconclusive: fail }";
    assert_eq!(decide(few), ("inconclusive".to_owned(), 4));
}

#[test]
fn a_failed_gate_of_the_scenario_is_exit_3_and_is_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let gate = "gates=[{ metric: validation.success_rate, require: better, margin: 0.9 }]";
    let output = experiment(["--out", &out], &["--set", gate]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("✗  validation.success_rate better by 0.9000"));
    let written = super::json(&folder.path().join("out/comparison.json"));
    let written = written["gates"].as_array().unwrap();
    assert!(!written.is_empty() && written.iter().all(|gate| gate["outcome"] == "fail"));
}

#[test]
fn a_report_says_what_was_set_how_sure_each_gate_is_and_why_one_is_undecided() {
    let folder = tempfile::tempdir().unwrap();
    let (out, page) = (folder.path().join("out"), folder.path().join("page.html"));
    let gate = "gates=[{ metric: validation.success_rate, require: better, confidence: 0.9 }]";
    experiment(["--out", &out.display().to_string()], &["--set", gate]).output().unwrap();
    let reported = super::runner().arg("report").arg(&out).arg("--out").arg(&page).output();
    assert!(reported.unwrap().status.success());
    let page = std::fs::read_to_string(page).unwrap();
    let gates = super::json(&out.join("comparison.json"))["gates"].clone();
    for gate in gates.as_array().unwrap() {
        let reason = gate["reason"].as_str().map_or(String::new(), |why| format!(": {why}"));
        assert!(page.contains(&format!("{}{reason}", gate["outcome"].as_str().unwrap())));
    }
    assert!(page.contains("] (90 %)"), "the level of the interval");
    let facts = [
        "<dt>seeds</dt>\n<dd>1 to 6</dd>",
        "<dt>set</dt>\n<dd>matrix.seeds=1..6, ",
        "<dt>squarecb</dt>\n<dd><code class=\"whole\">\n<span>--cb_explore_adf</span>\n<span>--squarecb",
    ];
    assert!(facts.iter().all(|fact| page.contains(fact)), "what it was set to");
}

#[test]
fn mistakes_in_gates_are_shown_at_their_places_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "out", &[]);
    let file = gates(
        folder.path(),
        "gates:\n  - { metric: validation.sucess_rate }\n  - { metric: validation.success_rate, \
         margin: 5ms, policies: [cubik] }\n  - { metric: \"validation.success_rate[200..300]\" }\n  \
         - { metric: validation.iterations }\n  - { margin: 0.1, require: nicer }\n",
    );
    let output = compare(&[&out, "--gates", &file]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    for (line, words) in [
        (2, "did you mean `validation.success_rate`"),
        (3, "did you mean `cubic`"),
        (3, "`5ms`"),
        (4, "200..300"),
        (5, "neither more nor less of `validation.iterations` is better"),
        (6, "metric"),
        (6, "nicer"),
    ] {
        assert!(stderr.contains(words), "`{words}` is not in\n{stderr}");
        assert!(stderr.contains(&format!("gates.yaml:{line}:")), "line {line} is not in\n{stderr}");
    }
}

#[test]
fn what_ci_reads_says_what_the_table_says() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "out", &[]);
    let file = gates(
        folder.path(),
        "gates:\n  - { metric: validation.success_rate, policies: cubic, require: better, margin: 0.9 }\n",
    );
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (junit, markdown, metrics) = (path("junit.xml"), path("summary.md"), path("metrics.txt"));
    fs::write(&markdown, "what was there\n").unwrap();
    let mut arguments = vec![out.as_str(), "--gates", &file, "--annotate", "--junit", &junit];
    arguments.extend(["--markdown", &markdown, "--openmetrics", &metrics]);
    let output = compare(&arguments);
    assert_eq!(output.status.code(), Some(3));
    let stdout = text(&output.stdout);
    let last = stdout.lines().last().unwrap();
    assert!(
        last.starts_with(
            "::error title=validation.success_rate better by 0.9000 (cubic against default)::fail"
        ),
        "{last}"
    );
    let junit = fs::read_to_string(junit).unwrap();
    assert!(
        junit.contains("failures=\"1\"") && junit.contains("<failure message=\"fail "),
        "{junit}"
    );
    let markdown = fs::read_to_string(markdown).unwrap();
    assert!(markdown.starts_with("what was there\n## policies\n") && markdown.contains("**fail**"));
    let metrics = fs::read_to_string(metrics).unwrap();
    let gate =
        "runner_gate_pass{group=\"cubic\",metric=\"validation.success_rate better by 0.9000\"} 0";
    assert!(metrics.contains(gate) && metrics.ends_with("# EOF\n"), "{metrics}");
}

#[test]
fn a_baseline_compares_as_the_folder_that_it_was_made_of() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "out", &[]);
    let other = run(folder.path(), "other", &["--set", "loop.reward_wait_time=60s"]);
    let kept = folder.path().join("kept/baseline.json").display().to_string();
    let save = |more: &[&str]| {
        let mut command = runner();
        command.args(["baseline", "save", &out, "--out", &kept]).args(more);
        command.output().unwrap()
    };
    assert!(save(&[]).status.success());
    let first = fs::read(&kept).unwrap();
    assert_eq!(save(&[]).status.code(), Some(2), "a baseline is never written over by itself");
    assert!(save(&["--replace"]).status.success());
    assert!(fs::read(&kept).unwrap() == first, "equal runs are equal files");

    let figures = |base: &str| {
        let output = compare(&[base, &other, "--format", "json"]);
        text(&output.stdout).replace(base, "BASE")
    };
    assert_eq!(figures(&out), figures(&kept));
    let shown = text(&compare(&[&kept, &out]).stdout);
    assert!(shown.contains("every context and every choice of 6 seeds is the same"), "{shown}");
}

#[test]
fn a_baseline_of_another_world_is_refused_with_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(folder.path(), "out", &[]);
    let other = run(folder.path(), "other", &["--set", "phases.validation.iterations=80"]);
    let kept = folder.path().join("baseline.json").display().to_string();
    completed({
        let mut command = runner();
        command.args(["baseline", "save", &out, "--out", &kept]);
        command
    });
    let output = compare(&[&kept, &other]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("they differ in phase `validation`"));
    let file = gates(folder.path(), "gates:\n  - { metric: baseline.success_rate, margin: 1 }\n");
    let output = compare(&[&kept, &other, "--allow-incomparable", "--gates", &file]);
    assert_eq!(output.status.code(), Some(3), "no gate passes so");
    fs::write(&kept, "{\"kind\": \"a recipe\"").unwrap();
    let stderr = text(&compare(&[&kept, &other]).stderr);
    assert!(stderr.contains("is not a baseline file"), "{stderr}");
}
