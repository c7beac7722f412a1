use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use metrics::{Expectation, Holds, NO_TAGS, Operation, PhaseScope};
use record::{IterationRecord, Progress};
use results::{Destination, Results, Status, read};

use crate::world::{BATCH, SECRET, create, origin, plan, seal, story, tell};

const ITERATIONS: [u64; 2] = [325, 40];

fn complete(folder: &Path) {
    let mut results = create(folder, ITERATIONS);
    tell(&mut results, &story(ITERATIONS));
    results.write_file("latency.svg", b"<svg/>").unwrap();
    seal(results, Status::Complete, &[]);
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

fn records(story: &[Progress]) -> Vec<IterationRecord> {
    let record = |progress: &Progress| match progress {
        Progress::Iteration(record) => Some(record.clone()),
        _ => None,
    };
    story.iter().filter_map(record).collect()
}

fn table(folder: &Path, name: &str) -> Vec<csv::StringRecord> {
    let mut reader = csv::Reader::from_path(folder.join(name)).unwrap();
    reader.records().map(Result::unwrap).collect()
}

fn json(folder: &Path, name: &str) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
}

#[test]
fn what_was_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    complete(folder.path());
    let run = read(folder.path()).unwrap();
    assert_eq!(run.records, records(&story(ITERATIONS)));
    assert!(run.manifest.complete && run.stopped_at.is_none() && run.ending.is_none());
    assert_eq!(run.curve.len(), 33 + 4);
}

#[test]
fn the_folder_holds_what_its_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    complete(folder.path());
    let names: Vec<_> = files(folder.path()).into_keys().collect();
    let expected = [
        "_baseline.rank.hgrm",
        "_baseline.reward.hgrm",
        "evaluation-2.json",
        "evaluation.csv",
        "evaluation.json",
        "events.csv",
        "latency.hlog",
        "latency.svg",
        "latency_histogram.csv",
        "log.dsjson",
        "manifest.json",
        "model_checks.csv",
        "model_exports.csv",
        "scenario.yaml",
        "success_curve.csv",
        "summary.json",
        "timeline.csv",
        "validation.rank.hgrm",
        "validation.reward.hgrm",
    ];
    assert_eq!(names, expected);
}

#[test]
fn the_manifest_seals_every_other_file() {
    let folder = tempfile::tempdir().unwrap();
    complete(folder.path());
    let sealed = read(folder.path()).unwrap().manifest.files;
    let mut found = files(folder.path());
    found.remove("manifest.json");
    let lengths: BTreeMap<_, _> = sealed.iter().map(|(n, s)| (n.clone(), s.bytes)).collect();
    assert_eq!(lengths, found.iter().map(|(n, b)| (n.clone(), b.len() as u64)).collect());
    let sums = found.keys().map(|name| format!("{}  {name}\n", sealed[name].sha256));
    let list = folder.path().join("sums");
    fs::write(&list, sums.collect::<String>()).unwrap();
    let check = std::process::Command::new("sha256sum");
    check_with_sha256sum(check, folder.path(), &list);
}

/// The peer is there on every Linux; elsewhere lengths have to do.
fn check_with_sha256sum(mut check: std::process::Command, folder: &Path, list: &Path) {
    check.current_dir(folder).args(["--check", "--quiet"]).arg(list);
    if let Ok(status) = check.status() {
        assert!(status.success());
    }
}

#[test]
fn two_runs_differ_in_the_wall_clock_alone() {
    let [first, second] = [1, 2].map(|moment| {
        let folder = tempfile::tempdir().unwrap();
        let place = Destination::At(folder.path().to_owned());
        let mut results = Results::create(&plan(ITERATIONS), &place, &origin(moment)).unwrap();
        tell(&mut results, &story(ITERATIONS));
        seal(results, Status::Complete, &[]);
        let mut files = files(folder.path());
        let manifest = files.remove("manifest.json").unwrap();
        let mut manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
        let wall_clock = manifest.as_object_mut().unwrap().remove("wall_clock").unwrap();
        (files, manifest, wall_clock)
    });
    assert_ne!(first.2, second.2);
    assert_eq!((first.0, first.1), (second.0, second.1));
}

#[test]
fn every_call_is_in_the_histograms() {
    let folder = tempfile::tempdir().unwrap();
    complete(folder.path());
    let summary = read(folder.path()).unwrap().summary();
    let rows = table(folder.path(), "latency_histogram.csv");
    for tally in [&summary.phases()[0], &summary.phases()[2]] {
        for operation in Operation::ALL {
            let phase = tally.name().replace("=baseline", "'=baseline");
            let own = || rows.iter().filter(|row| row[0] == *phase && row[1] == *operation.name());
            let count: u64 = own().map(|row| row[4].parse::<u64>().unwrap()).sum();
            assert_eq!(count, tally.latencies(operation).unwrap().count());
            assert_eq!(&own().next_back().unwrap()[5], "1");
            let ends =
                own().map(|row| (row[2].parse::<u64>().unwrap(), row[3].parse::<u64>().unwrap()));
            assert!(ends.is_sorted_by(|left, right| left.1 <= right.0));
        }
    }
}

#[test]
fn the_timeline_counts_every_call_once() {
    let folder = tempfile::tempdir().unwrap();
    complete(folder.path());
    let all = records(&story(ITERATIONS));
    let calls = all.len() + all.iter().filter(|record| record.reward.is_some()).count();
    let rows = table(folder.path(), "timeline.csv");
    assert_eq!(rows.iter().map(|row| row[3].parse::<usize>().unwrap()).sum::<usize>(), calls);
    let errors = all.iter().filter(|record| record.chosen.is_none()).count();
    assert_eq!(rows.iter().map(|row| row[4].parse::<usize>().unwrap()).sum::<usize>(), errors);
}

#[test]
fn the_curve_in_the_file_is_the_curve_of_the_events() {
    let folder = tempfile::tempdir().unwrap();
    complete(folder.path());
    let curve = read(folder.path()).unwrap().curve;
    let rows = table(folder.path(), "success_curve.csv");
    assert_eq!(rows.len(), curve.len());
    for (row, batch) in rows.iter().zip(&curve) {
        assert_eq!(row[3].parse(), Ok(batch.last_iteration));
        assert_eq!(row[5].parse(), Ok(batch.successes));
        assert_eq!(row[6].parse().ok(), batch.success_rate);
        assert_eq!(row[7].parse().ok(), batch.cumulative_success_rate);
        assert_eq!(row[8].parse().ok(), batch.mean_reward);
    }
    assert_eq!(curve[0].last_iteration, BATCH - 1);
}

#[test]
fn a_summary_made_again_from_the_folder_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    complete(folder.path());
    let again = serde_json::to_value(read(folder.path()).unwrap().summary().report()).unwrap();
    let written = json(folder.path(), "summary.json");
    for phase in [0, 2] {
        assert_eq!(again["phases"][phase], written["phases"][phase]);
    }
    assert_eq!(written["phases"][0]["errors"]["rank.status_503"], 25);
    assert_eq!(written["applied"][0]["name"], "Hyper1");
    let policy = &written["evaluations"][1]["policies"][0];
    assert_eq!((&policy["events"], &policy["average_reward"]), (&40.0.into(), &0.75.into()));
    assert_eq!(policy["held_out"]["average_reward"], 0.5);
}

#[test]
fn secrets_are_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    complete(folder.path());
    for (name, bytes) in files(folder.path()) {
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "{name}");
    }
    let scenario = fs::read_to_string(folder.path().join("scenario.yaml")).unwrap();
    assert!(scenario.starts_with("name: news\ntarget: { key: ${KEY} }\n"), "{scenario}");
    assert!(scenario.ends_with("#   target.key=[redacted]\n#   seed=42\n"), "{scenario}");
}

#[test]
fn an_interrupted_run_is_sealed_with_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mut results = create(folder.path(), ITERATIONS);
    let mut told = story(ITERATIONS);
    told.truncate(2 * 123);
    tell(&mut results, &told);
    seal(results, Status::Interrupted, &[]);
    let run = read(folder.path()).unwrap();
    let made = records(&told).len() as u64;
    assert_eq!(run.records.len() as u64, made);
    let stopped_at = run.stopped_at.unwrap();
    assert_eq!((stopped_at.phase.as_str(), stopped_at.iteration), ("=baseline", Some(made)));
    assert_eq!(run.curve.last().unwrap().last_iteration, made - 1);
    assert_eq!(table(folder.path(), "success_curve.csv").len(), run.curve.len());
    assert_eq!(
        run.ending,
        Some(format!("the run was stopped in phase `=baseline` before iteration {made}"))
    );
}

#[test]
fn a_run_under_way_can_be_read_and_a_killed_one_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut results = create(folder.path(), ITERATIONS);
    assert!(read(folder.path()).unwrap().records.is_empty());
    let told = story(ITERATIONS);
    let wait = told.iter().position(|p| matches!(p, Progress::Evaluated(_))).unwrap();
    tell(&mut results, &told[..wait]);
    let run = read(folder.path()).unwrap();
    assert_eq!(run.records.len(), 325);
    assert_eq!(run.ending.as_deref(), Some("the run is under way in phase `rest`"));
    drop(results);
    let run = read(folder.path()).unwrap();
    assert_eq!(run.ending.as_deref(), Some("the run was killed in phase `rest`"));
    assert_eq!(run.manifest.status, Status::Running);
}

#[test]
fn names_of_files_cannot_lead_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let mut results = create(folder.path(), ITERATIONS);
    for name in ["../x.svg", "a/x.svg", "", ".."] {
        assert!(results.write_file(name, b"").is_err(), "{name}");
    }
}

#[test]
fn what_is_no_results_folder_is_said_not_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("is not a results folder: it has no manifest.json"), "{error}");
}

#[test]
fn a_row_that_was_changed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    complete(folder.path());
    let path = folder.path().join("events.csv");
    let text = fs::read_to_string(&path).unwrap().replacen("completed", "finished", 1);
    fs::write(&path, text).unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("events.csv:2: `finished` in column `outcome`"), "{error}");
}

#[test]
fn verdicts_are_of_what_happened_and_stand_in_the_summary() {
    let scopes = [
        PhaseScope { name: "=baseline", iterations: Some(ITERATIONS[0]), slots: 0, tags: &NO_TAGS },
        PhaseScope {
            name: "validation",
            iterations: Some(ITERATIONS[1]),
            slots: 0,
            tags: &NO_TAGS,
        },
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut results = create(folder.path(), ITERATIONS);
    let told = story(ITERATIONS);
    tell(&mut results, &told[..told.len() - 20]);
    let judge = |text: &str| {
        let expectation = Expectation::parse(text, &scopes).unwrap();
        metrics::judge(&[expectation], results.summary()).remove(0)
    };
    for (text, holds, observed) in [
        ("=baseline.iterations == 325", Holds::Held, Some("325")),
        ("=baseline.errors[..13] == 1", Holds::Held, Some("1")),
        ("=baseline.success_rate[..7] == 0.5", Holds::Failed, Some("0.1429")),
        ("=baseline.mean_reward[1..7] in -0.101..-0.099", Holds::Held, Some("-0.1000")),
        ("=baseline.success_rate[12..13] >= 0", Holds::NoSamples, None),
        ("=baseline.rank.max < 100ms", Holds::Held, Some("8.7 ms")),
        ("validation.errors == 0", Holds::NoSamples, None),
    ] {
        let verdict = judge(text);
        let shown = verdict.observed.map(|quantity| quantity.to_string());
        assert_eq!((verdict.holds, shown.as_deref()), (holds, observed), "{text}: {verdict:?}");
    }
    let verdicts = [judge("validation.errors == 0")];
    seal(results, Status::Interrupted, &verdicts);
    let written = json(folder.path(), "summary.json");
    assert_eq!(written["expectations"][0]["holds"], "no_samples");
    assert_eq!(written["expectations"][0]["reason"], "phase `validation` made 31 of 40 iterations");
}
