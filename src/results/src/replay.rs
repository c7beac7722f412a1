//! The history of a run, as its folder holds it: the one reader that turns rows back into
//! [`Progress`].

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::entries::{PhaseEntry, Status};
use super::manifest::Manifest;
use protocol::Evaluation;
use record::{IterationRecord, PhaseRecord, PhaseStarted, Progress};

/// Phases that began at one moment: one, or several of iterations.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct History<'a> {
    /// All of them, by their index.
    pub together: Range<usize>,
    /// Those that have started, in the order of the plan.
    pub phases: Vec<PhaseHistory>,
    /// Their iterations, in the order in which they were recorded.
    pub records: &'a [IterationRecord],
}

/// A phase that has started, with what was recorded of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PhaseHistory {
    /// When it started and ended, and how many iterations it made. The end of a phase that
    /// is still open is that of its last call.
    pub phase: PhaseRecord,
    /// How far it went.
    pub state: PhaseState,
}

/// How far a phase went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PhaseState {
    /// Everything it was to do is done.
    Complete,
    /// Its run ended before it was complete.
    Cut,
    /// Its run was killed, or is under way.
    Open,
}

/// The phases of a run that have started, in their order.
///
/// `records` are in the order in which they were recorded, or sorted by phase. They decide over
/// the manifest how far a phase went: of the two, either may be older.
pub(super) fn phases<'a>(
    manifest: &Manifest,
    status: Status,
    records: &'a [IterationRecord],
) -> Vec<History<'a>> {
    let mut made = vec![0_u64; manifest.phases.len()];
    records.iter().for_each(|record| made[record.phase] += 1);
    let mut histories = Vec::new();
    let (mut next, mut rest) = (0, records);
    while next < manifest.phases.len() {
        let together = manifest.together(next);
        next = together.end;
        let (own, later) = rest.split_at(rest.partition_point(|record| record.phase < next));
        rest = later;
        let is_last = rest.is_empty();
        let history = |phase: usize| {
            let entry = &manifest.phases[phase];
            let has_started = entry.started_us.is_some() || made[phase] > 0;
            let state = match status {
                _ if manifest.is_complete(phase, |phase| made[phase]) => PhaseState::Complete,
                Status::Running if is_last => PhaseState::Open,
                _ => PhaseState::Cut,
            };
            let own = own.iter().filter(|record| record.phase == phase);
            has_started.then(|| PhaseHistory { phase: phase_record(phase, entry, own), state })
        };
        let phases: Vec<PhaseHistory> = together.clone().filter_map(history).collect();
        if !phases.is_empty() {
            histories.push(History { together, phases, records: own });
        }
    }
    histories
}

fn phase_record<'a>(
    phase: usize,
    entry: &PhaseEntry,
    records: impl Iterator<Item = &'a IterationRecord> + Clone,
) -> PhaseRecord {
    let at = |us: Option<u64>| us.map(Duration::from_micros);
    let first = records.clone().next().map_or(Duration::ZERO, |record| record.due);
    let started = at(entry.started_us).unwrap_or(first);
    let last_call = records.clone().map(end_of_last_call).max().unwrap_or(started);
    let ended = at(entry.ended_us).unwrap_or(last_call);
    PhaseRecord {
        phase,
        started,
        ended,
        iterations: records.count() as u64,
        asked_rate: entry.asked_rate,
        model_exports: entry.model_exports,
    }
}

fn end_of_last_call(record: &IterationRecord) -> Duration {
    let reward = record.reward_latency.unwrap_or_default();
    let rank = record.rank_latency.unwrap_or_default();
    record.reward_start.map_or(record.rank_start + rank, |start| start + reward)
}

impl History<'_> {
    /// Whether everything that these phases were to do is done.
    pub(super) fn is_complete(&self) -> bool {
        let is_done = |phase: &PhaseHistory| phase.state == PhaseState::Complete;
        self.phases.len() == self.together.len() && self.phases.iter().all(is_done)
    }

    /// Passes on the events of the phases: their start, their iterations, their evaluation, and
    /// the end of those that are not open.
    ///
    /// # Errors
    /// The first error of `observe`.
    pub(super) fn replay<E>(
        &self,
        evaluation: Option<Evaluation>,
        mut observe: impl FnMut(&Progress) -> Result<(), E>,
    ) -> Result<(), E> {
        for history in &self.phases {
            let PhaseRecord { phase, started, .. } = history.phase;
            observe(&Progress::PhaseStarted(PhaseStarted { phase, at: started }))?;
        }
        for record in self.records {
            observe(&Progress::Iteration(record.clone()))?;
        }
        if let Some(evaluation) = evaluation {
            observe(&Progress::Evaluated(Arc::new(evaluation)))?;
        }
        let ended = self.phases.iter().filter(|history| history.state != PhaseState::Open);
        for history in ended {
            observe(&Progress::PhaseEnded(history.phase.clone()))?;
        }
        Ok(())
    }
}
