//! A kill may cut a file anywhere.

use std::fs;
use std::sync::OnceLock;

use metrics::SuccessCurve;
use proptest::prelude::*;
use record::{IterationRecord, Progress};
use results::read;

use crate::world::{BATCH, create, iteration, story, tell};

const ITERATIONS: [u64; 2] = [60, 25];

fn all() -> Vec<IterationRecord> {
    let first = (0..ITERATIONS[0]).map(|index| iteration(0, index));
    first.chain((0..ITERATIONS[1]).map(|index| iteration(2, index))).collect()
}

/// The manifest and the events of a run that was killed at its very end.
fn killed() -> &'static [Vec<u8>; 2] {
    static KILLED: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    KILLED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let mut results = create(folder.path(), ITERATIONS);
        tell(&mut results, &story(ITERATIONS));
        drop(results);
        ["manifest.json", "events.csv"].map(|name| fs::read(folder.path().join(name)).unwrap())
    })
}

proptest! {
    /// Wherever events.csv ends, what is read is a prefix: as many records as there
    /// are whole rows, and the batches that they complete.
    #[test]
    fn a_cut_file_reads_back_as_a_prefix(cut in 0..=killed()[1].len()) {
        let [manifest, events] = killed();
        let (kept, folder) = (&events[..cut], tempfile::tempdir().unwrap());
        fs::write(folder.path().join("manifest.json"), manifest).unwrap();
        fs::write(folder.path().join("events.csv"), kept).unwrap();

        let run = read(folder.path()).unwrap();
        let all = all();
        prop_assert_eq!(&run.records[..], &all[..run.records.len()]);
        // Each row holds one line break inside quotes.
        let breaks = String::from_utf8_lossy(kept).matches('\n').count();
        prop_assert_eq!(run.records.len(), breaks.saturating_sub(1) / 2);
        let first = (run.records.len() as u64).min(ITERATIONS[0]);
        let second = run.records.len() as u64 - first;
        let last_batch = u64::from(second == ITERATIONS[1]);
        prop_assert_eq!(run.curve.len() as u64, first / BATCH + second / BATCH + last_batch);
    }
}

/// A run that is killed between checkpoints loses what was not checked, and no more.
#[test]
fn a_killed_run_reads_back_as_far_as_its_last_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let mut results = create(folder.path(), [5000, 0]);
    let records = || (0..700).map(|index| iteration(0, index));
    let told: Vec<_> = records().map(Progress::Iteration).collect();
    tell(&mut results, &told[..10]);
    assert_eq!(read(folder.path()).unwrap().records.len(), 0);
    tell(&mut results, &[Progress::Checkpoint]);
    assert_eq!(read(folder.path()).unwrap().records.len(), 10);
    tell(&mut results, &told[10..]);
    drop(results);
    let run = read(folder.path()).unwrap();
    assert_eq!(run.records, records().take(10 + 2 * 256).collect::<Vec<_>>());
    let mut curve = SuccessCurve::new(BATCH);
    let told = run.records.iter().cloned().map(Progress::Iteration);
    let expected: Vec<_> = told.filter_map(|progress| curve.observe(&progress)).collect();
    assert_eq!(run.curve, expected);
    let stopped_at = run.stopped_at.unwrap();
    assert_eq!((stopped_at.phase.as_str(), stopped_at.iteration), ("=baseline", Some(522)));
}
