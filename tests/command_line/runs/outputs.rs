//! `outputs:` chooses the form of the large files, and changes nothing else.

use std::fs;
use std::io::Read;
use std::path::Path;

use zstd_frames::ZstdReader;

use super::folder::{contents, json};
use super::{completed, runner};

const SCENARIO: &str = "scenarios/baseline.yaml";
const SHORT: [&str; 6] = [
    "--set",
    "phases.baseline.iterations=600",
    "--set",
    "phases.validation.iterations=100",
    "--set",
    "expect=[]",
];

fn run_with(out: &Path, events: &str, log: &str) {
    let outputs = [format!("outputs.events={events}"), format!("outputs.log={log}")];
    let arguments = ["--quiet", "--set", &outputs[0], "--set", &outputs[1]];
    completed(out, SCENARIO, &[&SHORT[..], &arguments].concat());
}

fn decoded(path: &Path) -> Vec<u8> {
    let mut rows = Vec::new();
    ZstdReader::new(&fs::read(path).unwrap()[..]).read_to_end(&mut rows).unwrap();
    rows
}

/// What a command prints, or how it fails.
fn told(arguments: &[&str], folder: &Path) -> String {
    let output = runner().args(arguments).arg(folder).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap().replace(&folder.display().to_string(), "DIR")
}

/// The percentiles of choice are in the table, in the file and in the page, and are the numbers
/// that expectations judge; nothing else changes.
#[test]
fn percentiles_are_those_of_choice() {
    let root = tempfile::tempdir().unwrap();
    let [usual, chosen] = ["usual", "chosen"].map(|name| root.path().join(name));
    let latency = "target={ embedded: { latency: { rank: { median: 20ms, p99: 90ms } } } }";
    let arguments = [&SHORT[..], &["--quiet", "--set", latency]].concat();
    completed(&usual, SCENARIO, &arguments);
    let chosen_percentiles = ["--set", "outputs.percentiles=[25, 75, 99.95]"];
    completed(&chosen, SCENARIO, &[&arguments[..], &chosen_percentiles].concat());
    let text = told(&["show"], &chosen);
    let header = text.lines().find(|line| line.contains("latency")).unwrap();
    let names: Vec<&str> = header.split_whitespace().rev().take(4).collect();
    assert_eq!(names, ["max", "p99.95", "p75", "p25"], "{text}");

    let rank = |folder: &Path| {
        let summary = json(folder, "summary.json");
        let mut phases = summary["phases"].as_array().unwrap().iter();
        phases.find(|phase| phase["name"] == "baseline").unwrap()["rank"].clone()
    };
    let (before, mut now) = (rank(&usual), rank(&chosen));
    let listed = now.as_object_mut().unwrap().remove("percentiles").unwrap();
    assert_eq!(now, before);
    let listed = listed.as_array().unwrap();
    let of = |index: usize, key: &str| listed[index][key].as_f64().unwrap();
    assert_eq!([0, 1, 2].map(|index| of(index, "percentile")), [25.0, 75.0, 99.95]);
    assert!(of(0, "us") < before["p50_us"].as_f64().unwrap());
    assert!(of(2, "us") >= before["p99_9_us"].as_f64().unwrap());
    let page = root.path().join("page.html").display().to_string();
    told(&["report", "--out", &page], &chosen);
    assert!(fs::read_to_string(&page).unwrap().contains("p99.95"));
}

/// Tags are columns of the timeline and stand in the summary; expectations may be of them. They
/// change nothing else.
#[test]
fn tags_go_with_the_numbers_of_their_phases() {
    let root = tempfile::tempdir().unwrap();
    let [plain, tagged] = ["plain", "tagged"].map(|name| root.path().join(name));
    let short = [&SHORT[..4], &["--quiet"]].concat();
    completed(&plain, SCENARIO, &[&short[..], &["--set", "expect=[]"]].concat());
    let tags = [
        "--set",
        "tags={ build: 1.2, region: us }",
        "--set",
        "phases.baseline.tags={ region: eu }",
        "--set",
        "expect=['{region: eu}.iterations == 600', '{build: 1.2}.iterations >= 100']",
    ];
    completed(&tagged, SCENARIO, &[&short[..], &tags].concat());
    let summary = json(&tagged, "summary.json");
    let phase = |name: &str| {
        let mut phases = summary["phases"].as_array().unwrap().iter();
        phases.find(|phase| phase["name"] == name).unwrap()["tags"].clone()
    };
    assert_eq!(phase("baseline"), serde_json::json!({ "build": "1.2", "region": "eu" }));
    assert_eq!(phase("validation"), serde_json::json!({ "build": "1.2", "region": "us" }));
    let judged: Vec<&str> = summary["expectations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["text"].as_str().unwrap())
        .collect();
    assert_eq!(
        judged,
        [
            "baseline.iterations == 600",
            "baseline.iterations >= 100",
            "validation.iterations >= 100"
        ]
    );
    assert!(told(&["show"], &tagged).contains("build: 1.2, region: eu"));
    let page = root.path().join("page.html").display().to_string();
    told(&["report", "--out", &page], &tagged);
    let page = fs::read_to_string(&page).unwrap();
    for text in ["build: 1.2", "baseline, validation", "region: eu", "region: us"] {
        assert!(page.contains(text), "{text}");
    }
    let rows = |folder: &Path| fs::read_to_string(folder.join("timeline.csv")).unwrap();
    let (without, with) = (rows(&plain), rows(&tagged));
    for (without, with) in without.lines().zip(with.lines()) {
        let expected = match without.split(',').next() {
            Some("phase") => "tag_build,tag_region",
            Some("baseline") => "1.2,eu",
            _ => "1.2,us",
        };
        assert_eq!(with, format!("{without},{expected}"));
    }
    let (plain, tagged) = (contents(&plain), contents(&tagged));
    for name in ["events.csv", "success_curve.csv", "latency.hlog", "log.dsjson"] {
        assert!(plain[name] == tagged[name], "{name}");
    }
}

#[test]
fn compressed_files_hold_what_plain_ones_do() {
    let root = tempfile::tempdir().unwrap();
    let [plain, compressed, repeated] =
        ["plain", "compressed", "repeated"].map(|name| root.path().join(name));
    run_with(&plain, "csv", "dsjson");
    run_with(&compressed, "csv.zst", "dsjson.zst");
    for name in ["events.csv", "log.dsjson"] {
        let rows = decoded(&compressed.join(format!("{name}.zst")));
        assert!(rows == fs::read(plain.join(name)).unwrap(), "{name}");
        assert!(!compressed.join(name).exists(), "{name} is written once");
    }
    for command in [&["show"][..], &["export", "--out", "-"], &["compare", "--markdown", "-"]] {
        assert_eq!(told(command, &compressed), told(command, &plain), "{command:?}");
    }
    let evaluate = |log: &Path| {
        let policy = "mine=--cb_explore_adf --epsilon 0.1";
        let mut command = runner();
        command.arg("evaluate").arg(log).args(["--policy", policy, "--format", "json"]);
        let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
        text.replace(&log.display().to_string(), "LOG")
    };
    let judged = evaluate(&compressed.join("log.dsjson.zst"));
    assert!(!judged.is_empty());
    assert_eq!(judged, evaluate(&plain.join("log.dsjson")));

    // A run that was killed in the middle ends with the same bytes.
    run_with(&repeated, "csv.zst", "dsjson.zst");
    let whole = contents(&repeated);
    for name in ["events.csv.zst", "log.dsjson.zst"] {
        let bytes = &whole[name];
        fs::write(repeated.join(name), &bytes[..bytes.len() / 3]).unwrap();
    }
    let manifest = repeated.join("manifest.json");
    let sealed = fs::read_to_string(&manifest).unwrap();
    let killed = sealed
        .replace("\"status\": \"complete\"", "\"status\": \"running\"")
        .replace("\"complete\": true", "\"complete\": false");
    fs::write(&manifest, killed).unwrap();
    let mut resume = runner();
    resume.arg(SCENARIO).args(SHORT).arg("--quiet").arg("--resume").arg(&repeated);
    resume.args(["--set", "outputs.events=csv.zst", "--set", "outputs.log=dsjson.zst"]);
    let output = resume.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in ["events.csv.zst", "log.dsjson.zst"] {
        assert!(contents(&repeated)[name] == whole[name], "{name}");
    }
}

/// The forms of the iterations, and their files.
pub const KINDS: &[(&str, &str)] = &[
    ("csv", "events.csv"),
    ("csv.zst", "events.csv.zst"),
    #[cfg(feature = "parquet")]
    ("parquet", "events.parquet"),
];

/// Commands that read the iterations of a folder.
const READERS: [&[&str]; 5] = [
    &["show"],
    &["export", "--out", "-"],
    &["compare", "--markdown", "-"],
    &["report", "--out", "-"],
    &["baseline", "save", "--out", "-"],
];

/// Every reader of iterations says the same of each form: those of a folder, and those to which the
/// file is a log like any other.
#[test]
fn every_reader_reads_every_form() {
    const COLUMNS: &str =
        "action=chosen,reward=reward,probability=probability,context=name,weather,timeofday";
    let root = tempfile::tempdir().unwrap();
    let mut first: Option<(Vec<String>, String)> = None;
    let gates = root.path().join("gates.yaml");
    fs::write(&gates, "gates: [{ metric: validation.success_rate, margin: 0.5 }]\n").unwrap();
    let gates = gates.display().to_string();
    for (kind, file) in KINDS {
        let folder = root.path().join(kind);
        run_with(&folder, kind, "none");
        let events = folder.join(file);
        let policy = "mine=--cb_explore_adf --epsilon 0.1";
        let evaluated = ["evaluate", "--columns", COLUMNS, "--policy", policy, "--quiet"];
        let of_file = told(&evaluated, &events).replace(file, "EVENTS");
        let mut said: Vec<String> = READERS.iter().map(|reader| told(reader, &folder)).collect();
        said.push(of_file);
        let itself = folder.display().to_string();
        let judged = told(&["compare", &itself, "--gates", &gates], &folder);
        assert!(judged.contains("validation.success_rate not worse by"), "{judged}");
        // Columns are as wide as the names of the folders.
        said.push(judged.split_whitespace().collect::<Vec<_>>().join(" "));
        let made = root.path().join(format!("{kind}.yaml"));
        let mut init = runner();
        init.arg("init").arg(&made).arg("--log").arg(&events).args(["--columns", COLUMNS]);
        let output = init.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let scenario = fs::read_to_string(&made).unwrap();
        said.push(scenario.replace(&format!("{kind}/{file}"), "EVENTS"));
        let outputs = format!("outputs.events={kind}");
        for text in &mut said {
            *text = text
                .replace(&outputs, "OUTPUTS")
                .replace(&format!("name: {}\n", kind.replace('.', "-")), "");
        }
        let (expected, of) = first.get_or_insert_with(|| (said.clone(), (*kind).to_owned()));
        for (index, (found, expected)) in said.iter().zip(expected).enumerate() {
            assert!(found == expected, "reader {index}: {kind} is not read as {of}:\n{found}");
        }
    }
}

/// A run writes rows while it lasts, and Parquet when it is complete.
#[cfg(feature = "parquet")]
#[test]
fn parquet_is_resumed_as_rows_are() {
    let root = tempfile::tempdir().unwrap();
    let [compressed, whole, killed] =
        ["compressed", "whole", "killed"].map(|name| root.path().join(name));
    run_with(&compressed, "csv.zst", "none");
    run_with(&whole, "parquet", "none");
    assert!(whole.join("events.parquet").exists() && !whole.join("events.csv.zst").exists());
    // As a run leaves it that is killed.
    fs::create_dir(&killed).unwrap();
    for (name, bytes) in contents(&compressed) {
        let kept = if name == "events.csv.zst" { bytes.len() / 3 } else { bytes.len() };
        fs::write(killed.join(name), &bytes[..kept]).unwrap();
    }
    let manifest = fs::read_to_string(whole.join("manifest.json")).unwrap();
    let manifest = manifest
        .replace("\"status\": \"complete\"", "\"status\": \"running\"")
        .replace("\"complete\": true", "\"complete\": false");
    fs::write(killed.join("manifest.json"), manifest).unwrap();
    let mut resume = runner();
    resume.arg(SCENARIO).args(SHORT).arg("--quiet").arg("--resume").arg(&killed);
    resume.args(["--set", "outputs.events=parquet", "--set", "outputs.log=none"]);
    let output = resume.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (killed, whole) = (contents(&killed), contents(&whole));
    assert_eq!(killed.keys().collect::<Vec<_>>(), whole.keys().collect::<Vec<_>>());
    for (name, bytes) in &whole {
        assert!(bytes == &killed[name], "{name} differs");
    }
}

#[cfg(not(feature = "parquet"))]
#[test]
fn a_build_without_parquet_refuses_it_before_the_run() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("out");
    for command in [&["check"][..], &["run", "--out", out.to_str().unwrap()]] {
        let mut refused = runner();
        refused.args(command).args([SCENARIO, "--set", "outputs.events=parquet"]);
        let output = refused.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("--features parquet") && stderr.contains("csv.zst"), "{stderr}");
        assert!(!out.exists());
    }
}

#[test]
fn a_run_without_events_has_a_summary_and_names_what_it_lacks() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("none");
    run_with(&folder, "none", "none");
    assert!(told(&["show"], &folder).contains("baseline"));
    let page = root.path().join("report.html");
    let page = page.to_str().unwrap();
    for command in [&["report", "--out", page][..], &["export", "--out", "-"], &["compare"]] {
        let told = told(command, &folder);
        let lacks = "`DIR` holds no iterations: its scenario has `outputs: { events: none }`";
        assert!(told.contains(lacks) && told.contains("--set outputs.events=csv.zst"), "{told}");
    }
}
