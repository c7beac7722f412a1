//! A folder that is put together of iterations that were made elsewhere.

use std::path::Path;

use super::files::Existing;
use super::growing::WhatIsThere;
use super::manifest::{MANIFEST, Manifest};
use super::place::{Claim, CreateError, Place};
use super::writer::Results;
use crate::record::{IterationRecord, ObserveError, Observer, PhaseRecord, PhaseStarted, Progress};

/// What there is to tell of a phase.
#[derive(Debug)]
pub struct Told<'a> {
    /// When it was, and how often.
    pub phase: PhaseRecord,
    /// Whether it ended.
    pub is_over: bool,
    /// Its iterations, in index order.
    pub records: &'a [IterationRecord],
}

impl Results {
    /// The folder for what `manifest` is about, new or to be written anew.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn assemble(
        manifest: Manifest,
        scenario: &[u8],
        folder: &Path,
    ) -> Result<Self, CreateError> {
        let claim = if folder.join(MANIFEST).is_file() {
            Claim::take_back(folder)?
        } else {
            Claim::take(&Place::At(folder.to_owned()), &manifest.scenario)?
        };
        let dropped = Existing::Dropped;
        let there = WhatIsThere { events: dropped, told: dropped, derived: dropped };
        Self::open(claim, manifest, there, scenario)
            .map_err(|error| CreateError::Io { path: error.path.into(), source: error.source })
    }

    /// Takes in a phase of many shards. Rows come in index order, but that is not quite the
    /// order in which calls were sent, which the timeline needs.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn tell(&mut self, told: &Told<'_>) -> Result<(), ObserveError> {
        let PhaseRecord { phase, started, .. } = told.phase;
        self.observe(&Progress::PhaseStarted(PhaseStarted { phase, at: started }))?;
        for record in told.records {
            let progress = Progress::Iteration(record.clone());
            self.summary.observe(&progress);
            let batch = self.curve.observe(&progress);
            batch.iter().try_for_each(|batch| self.growing.push_batch(batch))?;
            self.growing.push_iteration(record)?;
        }
        let mut sent: Vec<&IterationRecord> = told.records.iter().collect();
        sent.sort_by_key(|record| (record.rank_start, record.iteration));
        for record in sent {
            let seconds = self.timeline.observe(&Progress::Iteration(record.clone()));
            seconds.iter().try_for_each(|second| self.growing.push_second(second))?;
        }
        if told.is_over {
            self.observe(&Progress::PhaseEnded(told.phase.clone()))?;
        }
        Ok(())
    }

    /// Says what each shard said of its own latencies.
    pub fn note_saturation(&mut self) {
        for (phase, reason) in self.manifest.saturation() {
            self.summary.note_saturation(&phase, reason);
        }
    }
}
