use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::cell::CellRecord;
use super::manifest::{CellEntry, CellStatus, ExperimentManifest};
use super::read::{
    CELLS, CellResult, ExperimentResults, cell_path, is_experiment, read_cell, read_manifest,
};
use super::tables;
use crate::destination::Destination;
use crate::error::{CreateError, ReadError};
use crate::files::{Durability, naming, replace, sync_folder};
use crate::layout::EXPERIMENT;
use crate::lock::FolderLock;
use crate::manifest::json;
use record::ObserveError;
use scenario::Experiment;
use shard::Shard;

/// The folder of an experiment that is being written.
pub struct ExperimentFolder {
    lock: FolderLock,
    manifest: ExperimentManifest,
    /// The results of the cells that this process ran: their files need not be read back.
    done: BTreeMap<usize, CellResult>,
}

/// Why a folder cannot be used for an experiment.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be created or locked.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// It holds another experiment.
    #[error("`{}` holds the experiment `{found}`, not `{wanted}`", folder.display())]
    Other {
        /// The folder.
        folder: PathBuf,
        /// The name of the scenario in it.
        found: String,
        /// The name of the scenario that is to be run.
        wanted: String,
    },
    /// It holds a shard of another plan, or another shard.
    #[error("`{}` holds {what} of `{scenario}` as it was planned then", folder.display())]
    OtherShard {
        /// The folder.
        folder: PathBuf,
        /// Which shard is in it.
        what: String,
        /// The name of the scenario in it.
        scenario: String,
    },
    /// What it holds cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It cannot be written to.
    #[error(transparent)]
    Write(#[from] ObserveError),
}

/// The text of the scenario, without secrets.
fn text(experiment: &Experiment) -> Vec<u8> {
    experiment.redactor().redact(&experiment.scenario().source.text).into_bytes()
}

impl ExperimentFolder {
    /// A new folder, of all cells or of those of a shard.
    ///
    /// # Errors
    /// When it cannot be created or written to.
    pub fn create(
        experiment: &Experiment,
        shard: Option<Shard>,
        destination: &Destination,
    ) -> Result<Self, OpenError> {
        let lock = FolderLock::acquire(destination, &experiment.scenario().name)?;
        Self::of(lock, ExperimentManifest::of(experiment, shard)).start(&text(experiment))
    }

    /// The folder of an experiment of the same name, finished or not: its cells that are
    /// still wanted are kept, all others are taken out.
    ///
    /// # Errors
    /// When it is not one, or cannot be locked or written to.
    pub fn reopen(
        experiment: &Experiment,
        shard: Option<Shard>,
        folder: &Path,
    ) -> Result<Self, OpenError> {
        let found = read_manifest(folder)?;
        let wanted = &experiment.scenario().name;
        if found.scenario != *wanted {
            let (folder, wanted) = (folder.to_owned(), wanted.clone());
            return Err(OpenError::Other { folder, found: found.scenario, wanted });
        }
        let lock = FolderLock::relock(folder)?;
        let reopened = Self::of(lock, ExperimentManifest::of(experiment, shard));
        reopened.remove_unwanted_cells()?;
        reopened.start(&text(experiment))
    }

    /// The folder of a shard, new or as it was left: a shard that is run again keeps what it
    /// did.
    ///
    /// # Errors
    /// When it holds something else, or cannot be locked or written to.
    pub fn of_shard(
        experiment: &Experiment,
        shard: Shard,
        folder: &Path,
    ) -> Result<Self, OpenError> {
        if !is_experiment(folder) {
            return Self::create(experiment, Some(shard), &Destination::At(folder.to_owned()));
        }
        let (found, wanted) =
            (read_manifest(folder)?, ExperimentManifest::of(experiment, Some(shard)));
        if found.shard != wanted.shard || found.plan() != wanted.plan() {
            let what = found.shard.map_or("the whole".to_owned(), |shard| format!("shard {shard}"));
            let folder = folder.to_owned();
            return Err(OpenError::OtherShard { folder, what, scenario: found.scenario });
        }
        Self::reopen(experiment, Some(shard), folder)
    }

    /// The folder of the experiment that `plan` is about, new or as it was left, with this
    /// scenario.
    ///
    /// # Errors
    /// When it cannot be created or written to.
    pub fn assemble(
        plan: ExperimentManifest,
        scenario: &[u8],
        folder: &Path,
    ) -> Result<Self, OpenError> {
        let lock = if is_experiment(folder) {
            FolderLock::relock(folder)?
        } else {
            FolderLock::acquire(&Destination::At(folder.to_owned()), &plan.scenario)?
        };
        Self::of(lock, plan).start(scenario)
    }

    fn of(lock: FolderLock, manifest: ExperimentManifest) -> Self {
        Self { lock, manifest, done: BTreeMap::new() }
    }

    /// The manifest is written first, so that a process that is killed here leaves a folder that
    /// can be resumed. A cell whose file cannot be read is run again.
    fn start(mut self, scenario: &[u8]) -> Result<Self, OpenError> {
        let there = |key: &str| read_cell(&self.path_of(key)).is_ok_and(|cell| cell.key == key);
        let complete: Vec<bool> = self.manifest.cells.iter().map(|cell| there(&cell.key)).collect();
        for (cell, complete) in self.manifest.cells.iter_mut().zip(complete) {
            cell.status = if complete { CellStatus::Complete } else { CellStatus::Absent };
        }
        self.write_manifest()?;
        let cells = self.cells();
        fs::create_dir_all(&cells).map_err(naming(&cells))?;
        self.write("scenario.yaml", scenario)?;
        Ok(self)
    }

    /// The cells that are to be run in this folder and are not done, by their index in the
    /// manifest.
    #[must_use]
    pub fn due(&self) -> Vec<usize> {
        let cells = self.manifest.cells.iter().zip(self.manifest.own()).enumerate();
        let due = cells.filter(|(_, (cell, own))| *own && cell.status != CellStatus::Complete);
        due.map(|(index, _)| index).collect()
    }

    /// Ends the experiment with its first `seeds` seeds: the other cells are deleted.
    ///
    /// # Errors
    /// When a cell cannot be deleted.
    pub fn end_after(&mut self, seeds: u64) -> Result<(), ObserveError> {
        let blocks = self.manifest.blocks();
        let end = blocks.iter().position(|block| *block >= seeds).unwrap_or(blocks.len());
        self.manifest.cells.truncate(end);
        self.done.retain(|index, _| *index < end);
        self.remove_unwanted_cells()
    }

    fn remove_unwanted_cells(&self) -> Result<(), ObserveError> {
        let folder = self.cells();
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(naming(&folder))?,
        };
        for entry in entries {
            let entry = entry.map_err(naming(&folder))?;
            let path = entry.path();
            let wanted = self.manifest.cells.iter().any(|cell| self.path_of(&cell.key) == path);
            if !wanted {
                fs::remove_file(&path).map_err(naming(&path))?;
            }
        }
        Ok(())
    }

    /// Its path.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.lock.folder
    }

    /// Its manifest.
    #[must_use]
    pub fn manifest(&self) -> &ExperimentManifest {
        &self.manifest
    }

    /// Writes a cell that is done; `index` is its index in the manifest. Returns its result,
    /// unless the record is inconsistent.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn store_cell(
        &mut self,
        index: usize,
        cell: CellRecord,
    ) -> Result<Option<&CellResult>, ObserveError> {
        self.store_cell_file(index, &json(&cell))?;
        // An inconsistent record is reported when its file is read back.
        let path = self.path_of(&self.manifest.cells[index].key);
        if let Ok(result) = CellResult::of(index, cell, path) {
            self.done.insert(index, result);
        }
        Ok(self.done.get(&index))
    }

    /// Writes the file of a cell that is done.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn store_cell_file(&mut self, index: usize, bytes: &[u8]) -> Result<(), ObserveError> {
        let path = self.path_of(&self.manifest.cells[index].key);
        replace(&path, bytes, Durability::Process)?;
        self.manifest.cells[index].status = CellStatus::Complete;
        Ok(())
    }

    /// Notes that a cell could not be done.
    pub fn note_failed(&mut self, index: usize, reason: String) {
        self.manifest.cells[index].status = CellStatus::Failed(reason);
    }

    /// Writes a file of the folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ObserveError> {
        replace(&self.folder().join(name), bytes, Durability::Process)
    }

    /// The results of the cells that are done.
    ///
    /// # Errors
    /// When it was changed since.
    pub fn results(&self) -> Result<ExperimentResults, ReadError> {
        ExperimentResults::of(self.folder(), self.manifest.clone(), &self.done)
    }

    /// Writes the table of cells, and the manifest last.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn seal(mut self, results: &ExperimentResults) -> Result<PathBuf, ObserveError> {
        let folder = self.folder().to_owned();
        let table = tables::cells(&self.manifest, &results.cells);
        self.write("cells.csv", &table.map_err(naming(&folder.join("cells.csv")))?)?;
        let complete = |cell: &CellEntry| cell.status == CellStatus::Complete;
        self.manifest.complete = self.manifest.cells.iter().all(complete);
        self.write_manifest()?;
        let released = self.lock.release().and_then(|()| sync_folder(&folder));
        released.map_err(naming(&folder))?;
        Ok(folder)
    }

    fn write_manifest(&self) -> Result<(), ObserveError> {
        self.write(EXPERIMENT, &json(&self.manifest))
    }

    fn cells(&self) -> PathBuf {
        self.folder().join(CELLS)
    }

    fn path_of(&self, key: &str) -> PathBuf {
        cell_path(self.folder(), key)
    }
}
