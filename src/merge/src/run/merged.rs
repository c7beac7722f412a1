//! The merged run.

use std::collections::BTreeMap;
use std::time::Duration;

use metrics::micros;
use results::{Manifest, PhaseEntry, ShardEntry, Status, WallClockEntry};
use timestamp::Timestamp;

/// A notice names shards that began a phase further apart than this: twice the resolution of
/// a timer on a busy machine.
const NOTABLE_SKEW: Duration = Duration::from_millis(20);

/// The manifest of the merged run of these shards.
pub(super) fn manifest(first: &Manifest, entries: Vec<ShardEntry>) -> Manifest {
    let start = entries.iter().map(|entry| entry.start).min();
    let start = start.unwrap_or(first.start);
    let clocks = || entries.iter().map(|entry| &entry.wall_clock);
    let phases = first.phases.iter().enumerate();
    Manifest {
        status: Status::Running,
        complete: false,
        shard: None,
        start,
        stopped_at: None,
        files: BTreeMap::new(),
        phases: phases.map(|(index, phase)| merged(index, phase, &entries, start)).collect(),
        wall_clock: WallClockEntry {
            started: clocks().map(|clock| clock.started).min().unwrap_or(start),
            resumed: Vec::new(),
            ended: clocks().filter_map(|clock| clock.ended).max(),
            host: None,
        },
        shards: entries,
        ..first.clone()
    }
}

/// A phase of all shards: from when the first began to when the last ended.
fn merged(
    index: usize,
    phase: &PhaseEntry,
    entries: &[ShardEntry],
    start: Timestamp,
) -> PhaseEntry {
    let all =
        || entries.iter().map(|entry| (&entry.phases[index], micros(entry.start.since(start))));
    let iterations = all().filter_map(|(phase, _)| phase.iterations);
    let ended: Option<Vec<u64>> =
        all().map(|(phase, later)| Some(phase.ended_us? + later)).collect();
    PhaseEntry {
        iterations: phase.iterations.map(|_| iterations.sum()),
        started_us: all().filter_map(|(phase, later)| Some(phase.started_us? + later)).min(),
        ended_us: ended.and_then(|ended| ended.into_iter().max()),
        asked_rate: all().map(|(phase, _)| phase.asked_rate).sum(),
        ..phase.clone()
    }
}

/// The notices of the shards.
pub(super) fn notices(manifest: &Manifest) -> Vec<String> {
    let skews = manifest.phases.iter().enumerate().filter_map(|(index, phase)| {
        let entries = manifest.shards.iter();
        let starts = entries.filter_map(|entry| {
            Some(entry.start + Duration::from_micros(entry.phases[index].started_us?))
        });
        let skew = starts.clone().max()?.since(starts.min()?);
        let ms = skew.as_millis();
        (skew > NOTABLE_SKEW).then(|| format!("the shards began `{}` {ms} ms apart", phase.name))
    });
    let notices = manifest.shards.iter().flat_map(|entry| {
        entry.notices.iter().map(|notice| format!("shard {}: {notice}", entry.shard))
    });
    skews.chain(notices).collect()
}
