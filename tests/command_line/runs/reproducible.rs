//! Same scenario and seed, same bytes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::completed;
use super::folder::{contents, rows};

const SHORT: [&str; 4] =
    ["--set", "phases.baseline.iterations=1500", "--set", "phases.validation.iterations=300"];

fn short(out: &Path, more: &[&str]) {
    let mut arguments = SHORT.to_vec();
    arguments.extend(["--set", "expect=[]"]);
    arguments.extend(more);
    completed(out, "scenarios/baseline.yaml", &arguments);
}

#[test]
fn two_runs_leave_the_same_bytes_at_another_load_too() {
    let folder = tempfile::tempdir().unwrap();
    let (idle, busy) = (folder.path().join("idle"), folder.path().join("busy"));
    short(&idle, &[]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        short(&busy, &[]);
        done.store(true, Ordering::Relaxed);
    });
    let (idle, busy) = (contents(&idle), contents(&busy));
    assert_eq!(idle.keys().collect::<Vec<_>>(), busy.keys().collect::<Vec<_>>());
    for (name, bytes) in &idle {
        assert!(bytes == &busy[name], "{name} differs");
    }
}

#[test]
fn another_seed_is_another_run() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("1"), folder.path().join("2"));
    short(&one, &["--seed", "1"]);
    short(&two, &["--seed", "2"]);
    let ids = |run: &Path| -> BTreeSet<String> {
        rows(run, "events.csv").iter().map(|row| row["event_id"].clone()).collect()
    };
    assert!(ids(&one).is_disjoint(&ids(&two)));
}

/// What is sent: everything of an event that does not depend on an answer.
fn sent(run: &Path) -> Vec<String> {
    let columns = ["phase", "iteration", "event_id", "name", "weather", "timeofday", "preferred"];
    let line = |row: &std::collections::BTreeMap<String, String>| {
        columns.map(|column| row[column].as_str()).join(",")
    };
    rows(run, "events.csv").iter().map(line).collect()
}

#[test]
fn the_same_requests_are_sent_at_any_concurrency() {
    let folder = tempfile::tempdir().unwrap();
    let runs: Vec<_> = [1, 8, 64]
        .map(|concurrency| {
            let out = folder.path().join(concurrency.to_string());
            let baseline = format!("phases.baseline.concurrency={concurrency}");
            let validation = format!("phases.validation.concurrency={concurrency}");
            short(&out, &["--set", &baseline, "--set", &validation]);
            sent(&out)
        })
        .into();
    assert_eq!(runs[0].len(), 1800);
    assert!(runs[1] == runs[0] && runs[2] == runs[0]);
}
