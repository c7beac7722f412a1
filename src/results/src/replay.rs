//! The history of a run, as its folder holds it: the one reader that turns rows back into
//! [`Progress`].

use std::sync::Arc;
use std::time::Duration;

use super::entries::{PhaseEntry, Status};
use super::manifest::Manifest;
use protocol::Evaluation;
use record::{IterationRecord, PhaseRecord, PhaseStarted, Progress};

/// A phase that has started, with what was recorded of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PhaseHistory<'a> {
    /// When it started and ended, and how many iterations it made. The end of a phase that
    /// is still open is that of its last call.
    pub phase: PhaseRecord,
    /// How far it went.
    pub state: PhaseState,
    /// Its iterations, in index order.
    pub records: &'a [IterationRecord],
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
/// `records` are sorted by phase. They decide over the manifest how far a phase went: of the
/// two, either may be older.
pub(super) fn phases<'a>(
    manifest: &Manifest,
    status: Status,
    records: &'a [IterationRecord],
) -> Vec<PhaseHistory<'a>> {
    let of_phase = |phase: usize| {
        let from = records.partition_point(|record| record.phase < phase);
        let until = records.partition_point(|record| record.phase <= phase);
        &records[from..until]
    };
    let last = records.last().map(|record| record.phase);
    let history = |(phase, entry): (usize, &PhaseEntry)| {
        let records = of_phase(phase);
        let has_started = entry.started_us.is_some() || !records.is_empty();
        let state = match status {
            _ if manifest.is_complete(phase, |phase| of_phase(phase).len() as u64) => {
                PhaseState::Complete
            }
            Status::Running if last <= Some(phase) => PhaseState::Open,
            _ => PhaseState::Cut,
        };
        has_started.then(|| PhaseHistory {
            phase: phase_record(phase, entry, records),
            state,
            records,
        })
    };
    manifest.phases.iter().enumerate().filter_map(history).collect()
}

fn phase_record(phase: usize, entry: &PhaseEntry, records: &[IterationRecord]) -> PhaseRecord {
    let at = |us: Option<u64>| us.map(Duration::from_micros);
    let first = records.first().map_or(Duration::ZERO, |record| record.due);
    let started = at(entry.started_us).unwrap_or(first);
    let last_call = records.iter().map(end_of_last_call).max().unwrap_or(started);
    let ended = at(entry.ended_us).unwrap_or(last_call);
    PhaseRecord {
        phase,
        started,
        ended,
        iterations: records.len() as u64,
        asked_rate: entry.asked_rate,
        model_exports: entry.model_exports,
    }
}

fn end_of_last_call(record: &IterationRecord) -> Duration {
    let reward = record.reward_latency.unwrap_or_default();
    let rank = record.rank_latency.unwrap_or_default();
    record.reward_start.map_or(record.rank_start + rank, |start| start + reward)
}

impl PhaseHistory<'_> {
    /// Passes on the events of the phase: its start, its iterations, its evaluation, and its
    /// end, if it is not open.
    ///
    /// # Errors
    /// The first error of `observe`.
    pub(super) fn replay<E>(
        &self,
        evaluation: Option<Evaluation>,
        mut observe: impl FnMut(&Progress) -> Result<(), E>,
    ) -> Result<(), E> {
        let PhaseRecord { phase, started, .. } = self.phase;
        observe(&Progress::PhaseStarted(PhaseStarted { phase, at: started }))?;
        for record in self.records {
            observe(&Progress::Iteration(record.clone()))?;
        }
        if let Some(evaluation) = evaluation {
            observe(&Progress::Evaluated(Arc::new(evaluation)))?;
        }
        match self.state {
            PhaseState::Open => Ok(()),
            PhaseState::Complete | PhaseState::Cut => {
                observe(&Progress::PhaseEnded(self.phase.clone()))
            }
        }
    }
}
