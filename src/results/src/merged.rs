//! The folder of a run that is assembled from the iterations of shards.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::destination::Destination;
use super::entries::Status;
use super::error::CreateError;
use super::files::naming;
use super::growing::OpenModes;
use super::layout::MANIFEST;
use super::lock::FolderLock;
use super::manifest::Manifest;
use super::replay::{self, History, PhaseState};
use super::writer::Results;
use record::{IterationRecord, ObserveError, Observer, Progress};

/// Where to write the new content of `folder`: the folder itself, or a sibling if it holds a
/// run. A sibling that an earlier process left is removed: its sources still exist.
///
/// # Errors
/// When it cannot be removed.
pub fn staging_folder(folder: &Path) -> Result<PathBuf, ObserveError> {
    if !folder.join(MANIFEST).is_file() {
        return Ok(folder.to_owned());
    }
    let staging = sibling(folder, "merging");
    match fs::remove_dir_all(&staging) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(naming(&staging)(error)),
        _ => Ok(staging),
    }
}

/// Replaces `folder` by one that was written to its [`staging_folder`]. At every moment one of
/// them is complete.
///
/// # Errors
/// When one cannot be moved.
pub fn replace_folder(written: &Path, folder: &Path) -> Result<(), ObserveError> {
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

impl Results {
    /// A new folder for the run of `manifest`.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn assemble(
        manifest: Manifest,
        scenario: &[u8],
        folder: &Path,
    ) -> Result<Self, CreateError> {
        let lock = FolderLock::acquire(&Destination::At(folder.to_owned()), &manifest.scenario)?;
        Self::open(lock, manifest, OpenModes::NEW, scenario)
            .map_err(|error| CreateError::Io { path: error.path.into(), source: error.source })
    }

    /// Appends the iterations of merged shards, which are sorted by phase and index.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn append_records(&mut self, records: &[IterationRecord]) -> Result<(), ObserveError> {
        for mut history in replay::phases(&self.manifest, Status::Partial, records) {
            // A phase has not ended if a shard was killed in it.
            for history in &mut history.phases {
                if self.manifest.phases[history.phase.phase].ended_us.is_none() {
                    history.state = PhaseState::Open;
                }
            }
            self.append(&history)?;
        }
        Ok(())
    }

    /// Rows are written in index order; the timeline needs the order in which calls were sent,
    /// which differs a little.
    fn append(&mut self, history: &History<'_>) -> Result<(), ObserveError> {
        let mut sent: Vec<&IterationRecord> = history.records.iter().collect();
        sent.sort_by_key(|record| (record.rank_start, record.iteration));
        history.replay(None, |progress| match progress {
            Progress::Iteration(record) => self.append_iteration(record),
            Progress::PhaseEnded(_) => {
                self.append_timeline(&std::mem::take(&mut sent))?;
                self.observe(progress)
            }
            _ => self.observe(progress),
        })?;
        self.append_timeline(&sent)
    }

    fn append_iteration(&mut self, record: &IterationRecord) -> Result<(), ObserveError> {
        let progress = Progress::Iteration(record.clone());
        self.summary.observe(&progress);
        let batch = self.curve.observe(&progress);
        batch.iter().try_for_each(|batch| self.growing.push_batch(batch))?;
        self.growing.push_iteration(record)
    }

    fn append_timeline(&mut self, sent: &[&IterationRecord]) -> Result<(), ObserveError> {
        for record in sent {
            let seconds = self.timeline.observe(&Progress::Iteration((*record).clone()));
            seconds.iter().try_for_each(|second| self.growing.push_second(second))?;
        }
        Ok(())
    }

    /// Adds the saturation that shards reported to the summary.
    pub fn note_saturation(&mut self) {
        for (phase, reason) in self.manifest.saturation() {
            self.summary.note_saturation(&phase, reason);
        }
    }
}
