//! A folder that is put together of iterations that were made elsewhere.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::naming;
use super::growing::WhatIsThere;
use super::manifest::{MANIFEST, Manifest};
use super::place::{Claim, CreateError, Place};
use super::writer::Results;
use record::{IterationRecord, ObserveError, Observer, PhaseRecord, PhaseStarted, Progress};

/// Where to write what is to stand in `folder`: there, or beside it if a run is in it. What
/// an earlier process left beside it was made of what is still there.
///
/// # Errors
/// When what was left cannot be removed.
pub fn beside(folder: &Path) -> Result<PathBuf, ObserveError> {
    if !folder.join(MANIFEST).is_file() {
        return Ok(folder.to_owned());
    }
    let beside = sibling(folder, "merging");
    match fs::remove_dir_all(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(naming(&beside)(error)),
        _ => Ok(beside),
    }
}

/// Puts a folder that was written beside another in its place. At every moment one of them
/// is there as a whole.
///
/// # Errors
/// When it cannot be moved.
pub fn put_in_place(written: &Path, folder: &Path) -> Result<(), ObserveError> {
    if written == folder {
        return Ok(());
    }
    let before = sibling(folder, "before");
    fs::rename(folder, &before).map_err(naming(folder))?;
    fs::rename(written, folder).map_err(naming(written))?;
    fs::remove_dir_all(&before).map_err(naming(&before))
}

fn sibling(folder: &Path, what: &str) -> PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    folder.with_file_name(format!(".{name}.{what}"))
}

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
    /// A new folder for what `manifest` is about.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn assemble(
        manifest: Manifest,
        scenario: &[u8],
        folder: &Path,
    ) -> Result<Self, CreateError> {
        let claim = Claim::take(&Place::At(folder.to_owned()), &manifest.scenario)?;
        Self::open(claim, manifest, WhatIsThere::NOTHING, scenario)
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
