//! `runner report`, as its users run it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::{completed, experiment, runner};

fn report(arguments: &[&str]) -> Output {
    runner().arg("report").args(arguments).output().unwrap()
}

fn headings(html: &str) -> Vec<String> {
    let parts = html.split("<h2>").skip(1);
    parts.map(|part| part.split("</h2>").next().unwrap().to_owned()).collect()
}

/// A short run of the tutorial.
fn run(out: &Path, seed: &str) -> String {
    let shown = out.display().to_string();
    let mut command = runner();
    command.args(["scenarios/baseline.yaml", "--quiet", "--out", &shown, "--seed", seed]);
    command.args([
        "--set",
        "phases.baseline.iterations=600",
        "--set",
        "expect=['baseline.errors == 0']",
    ]);
    completed(command);
    shown
}

#[test]
fn a_run_an_experiment_and_two_of_them_are_told_in_full() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (first, second) = (run(&folder.path().join("a"), "1"), run(&folder.path().join("b"), "2"));
    let experimented = path("e");
    completed(experiment(["--out", &experimented], &[]));
    let page = |folders: &[&str], more: &[&str]| {
        let out = path("page.html");
        let output = report(&[folders, &["-o", &out], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stdout, format!("{out}\n").as_bytes());
        fs::read_to_string(out).unwrap()
    };
    let html = page(&[&first], &["--svg", &path("svg")]);
    let parts = [
        "Result",
        "Success",
        "Phases",
        "Expectations",
        "Offline evaluation",
        "Latency",
        "Timeline",
        "Configuration",
    ];
    assert_eq!(headings(&html), parts);
    assert!(html.contains("simulated: drawn from"), "simulated latencies are called so");
    assert!(html.contains("Hyper1") && html.contains("baseline.errors == 0"));
    assert!(fs::read_dir(folder.path().join("svg")).unwrap().count() >= 4);
    assert_eq!(page(&[&first], &[]), html, "the same folder, the same bytes");

    let html = page(&[&experimented], &[]);
    assert_eq!(headings(&html), ["Result", "Success", "Comparison", "Configuration"]);
    assert!(html.contains("difference to default") && html.contains("the band holds"));
    let verdict = html.find("class=\"answer\"").unwrap();
    assert!(verdict < html.find("<h2>Success").unwrap(), "the verdict comes first");

    let html = page(&[&first, &second], &[]);
    assert!(html.contains("one run each: no inference"), "nothing is inferred of one run");
    assert!(html.contains("compared with it"));
}

#[test]
fn a_run_that_was_cut_short_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let out = run(&folder.path().join("a"), "1");
    let events = Path::new(&out).join("events.csv");
    let text = fs::read_to_string(&events).unwrap();
    let rows: Vec<&str> = text.lines().take(101).collect();
    fs::write(&events, rows.join("\n") + "\n").unwrap();
    let manifest = Path::new(&out).join("manifest.json");
    let complete = fs::read_to_string(&manifest).unwrap();
    let running = complete
        .replace("\"complete\",\n  \"complete\": true", "\"running\",\n  \"complete\": false");
    assert_ne!(running, complete);
    fs::write(&manifest, running).unwrap();
    let page = folder.path().join("page.html").display().to_string();
    let output = report(&[&out, "-o", &page]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let html = fs::read_to_string(page).unwrap();
    assert!(
        html.contains("not complete: what is there") && html.contains("baseline, iteration 100")
    );
}

#[test]
fn what_cannot_be_read_or_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = folder.path().display().to_string();
    let output = report(&[&nothing, "-o", "page.html"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not a results folder"));
    let out = run(&folder.path().join("a"), "1");
    let output = report(&[&out, "-o", &format!("{nothing}/missing/page.html")]);
    assert_eq!(output.status.code(), Some(7));
    // Verdicts that cannot be read are not left out.
    fs::write(Path::new(&out).join("summary.json"), "{\"expectations\": [").unwrap();
    let output = report(&[&out, "-o", &format!("{nothing}/page.html")]);
    assert_ne!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("summary.json: "), "{output:?}");
}

#[test]
fn a_browser_shows_the_page_and_reads_its_values() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("target/sdk/installed").exists() {
        crate::tools::missing("playwright", "run tests/sdk/install");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let experimented = folder.path().join("e").display().to_string();
    completed(experiment(
        ["--out", &experimented],
        &[
            "--set",
            "gates=[{ metric: validation.success_rate, margin: 0.02 }]",
            "--set",
            "matrix.seeds=1..3",
        ],
    ));
    let ran = run(&folder.path().join("r"), "1");
    for results in [&experimented, &ran] {
        let page = folder.path().join("page.html");
        completed({
            let mut command = runner();
            command.args(["report", results, "-o"]).arg(&page);
            command
        });
        let script = root.join("tests/sdk/report.mjs");
        let mut node = Command::new("node");
        node.current_dir(root.join("target/sdk")).arg(script).arg(&page);
        let output = node.args(std::env::var_os("SCREENSHOTS")).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    }
}
