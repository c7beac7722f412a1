//! The client is killed in mid-run, and goes on (row 16 of a matrix of faults).
//!
//! `RUNNER_KILLS` says how often the client is killed, ten times if it does not; `just
//! kills` kills it a hundred times.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Stdio;

use record::IterationRecord;
use seed::{PhaseKey, Purpose, Seed};

use super::Trial;
use super::service::{Reply, Service};

const ITERATIONS: usize = 1000;

/// What is sent does not depend on when the client was killed.
fn sent(records: &[IterationRecord]) -> Vec<(usize, u64, String, String)> {
    let of = |record: &IterationRecord| {
        let (event, preferred) = (record.event_id.to_string(), record.preferred.to_string());
        (record.phase, record.iteration, event, preferred)
    };
    records.iter().map(of).collect()
}

#[test]
fn a_killed_client_goes_on_and_ends_with_the_events_of_one_that_was_not() {
    let phase = format!("- iterate: {{ name: p, iterations: {ITERATIONS}, concurrency: 8 }}");
    let kills = std::env::var("RUNNER_KILLS").map_or(10, |kills| kills.parse().unwrap());
    survives(&phase, kills);
}

/// Of parallel phases some are complete when the client is killed, others have not begun.
#[test]
fn a_killed_client_goes_on_with_each_of_several_parallel_phases() {
    let parallel = "- parallel:\n    \
                    - iterate: { name: web, iterations: 600, concurrency: 5 }\n    \
                    - iterate: { name: app, iterations: 300, concurrency: 3 }\n  \
                    - iterate: { name: after, iterations: 100 }";
    survives(parallel, 6);
}

fn survives(phases: &str, kills: u64) {
    let service = Service::start(|_| Reply::Right);
    let trial = || Trial::against(&service.url()).phases(phases);
    let whole = sent(&trial().run().read().records);
    assert_eq!(whole.len(), ITERATIONS);
    let (mut cut_short, mut issued_again) = (0, 0);
    for round in 0..kills {
        let before = service.ranks();
        let trial = trial();
        let mut draws = Seed(round).draws(PhaseKey::new("kill"), 0, Purpose::Visitor);
        let out = trial.folder.path().join("out");
        let mut process =
            trial.command(&[]).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let moment = usize::try_from(1 + draws.below(ITERATIONS as u64 - 1)).unwrap();
        service.wait_for_ranks(before + moment, || process.try_wait().unwrap().is_none());
        process.kill().unwrap();
        process.wait().unwrap();
        let left = results::read(&out).unwrap();
        let rows = fs::read(out.join("events.csv")).unwrap();
        let outcome = trial.resume();
        if left.manifest.complete {
            assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
            continue;
        }
        cut_short += 1;
        outcome.says(0, &[]);
        let read = outcome.read();
        assert!(read.manifest.complete);
        assert_eq!(sent(&read.records), whole);
        let whole_rows = rows.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let now = fs::read(outcome.folder.join("events.csv")).unwrap();
        assert!(now.starts_with(&rows[..whole_rows]), "what was recorded stays");
        let kept: BTreeSet<_> = left.records.iter().map(|of| (of.phase, of.iteration)).collect();
        let mut new = read.records.clone();
        new.retain(|record| !kept.contains(&(record.phase, record.iteration)));
        issued_again += check_marks(&service, before, &new);
        let summary = fs::read_to_string(outcome.folder.join("summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
        let phases = summary["phases"].as_array().unwrap();
        let sum = |key: &str| phases.iter().map(|of| of[key].as_u64().unwrap()).sum::<u64>();
        assert_eq!((sum("iterations"), sum("calls")), (ITERATIONS as u64, 2 * ITERATIONS as u64));
        let curve = fs::read_to_string(outcome.folder.join("success_curve.csv")).unwrap();
        assert_eq!(curve.lines().count(), 1 + ITERATIONS / 10);
        assert!(!outcome.folder.join(".in-flight.json").exists());
    }
    println!("{kills} kills: {cut_short} runs cut short, {issued_again} events issued again");
    assert!(cut_short >= kills / 2, "only {cut_short} of {kills} runs were cut short");
    assert!(issued_again > 0, "nothing was under way at any kill");
}

/// Every event that the service saw twice is marked. Returns how many there are.
fn check_marks(service: &Service, before: usize, new: &[IterationRecord]) -> usize {
    let mut seen = BTreeMap::<String, usize>::new();
    for rank in &service.seen_at("/rank")[before..] {
        *seen.entry(rank.body["eventId"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let again = new.iter().filter(|record| record.again);
    let marked: BTreeSet<String> = again.map(|record| record.event_id.to_string()).collect();
    let twice = seen.iter().filter(|(_, count)| **count > 1).map(|(id, _)| id.as_str());
    let twice: Vec<&str> = twice.collect();
    assert!(twice.iter().all(|id| marked.contains(*id)), "sent twice and not marked");
    twice.len()
}

#[test]
fn a_stopped_client_goes_on_without_sending_anything_twice() {
    let service = Service::start(|request| {
        if request.ranks == 40 && request.path.ends_with("/rank") {
            // Refused for good: the run fails and is sealed.
            Reply::Answer(403, "", String::new())
        } else {
            Reply::Right
        }
    });
    let trial = Trial::against(&service.url()).phase("iterations: 100, concurrency: 4");
    let output = trial.command(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let outcome = trial.resume();
    outcome.says(0, &[]);
    let records = outcome.read().records;
    assert_eq!(records.len(), 100);
    assert!(records.iter().all(|record| !record.again));
    let ids: BTreeSet<_> =
        service.seen_at("/rank").iter().map(|rank| rank.body["eventId"].to_string()).collect();
    assert_eq!((ids.len(), service.seen_at("/rank").len()), (100, 100));
}
