//! The folder of an experiment: a file for each cell, and tables of all of them.
//!
//! A cell is a file by its key, put in place as a whole when it is done. So a folder
//! can be gone on with at any time, and what it holds does not depend on the order in
//! which cells were done, nor by how many threads.

mod cell;
mod manifest;
mod tables;
mod trace;

pub use cell::CellRecord;
pub use manifest::{CellEntry, CellStatus, EXPERIMENT, ExperimentManifest, VariantEntry};
pub use trace::{Trace, Traced, Tracer};

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::{Durability, naming, replace, sync_folder};
use super::manifest::json;
use super::place::{Claim, CreateError, Place};
use super::read::{ReadError, scenario_text};
use crate::metrics::PhaseTally;
use crate::record::ObserveError;
use crate::scenario::Experiment;
use crate::shard::Shard;

/// The folder of an experiment that is being written.
pub struct ExperimentFolder {
    claim: Claim,
    manifest: ExperimentManifest,
}

/// Why a folder cannot be used for an experiment.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be had.
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

const CELLS: &str = "cells";

fn text(experiment: &Experiment) -> &[u8] {
    experiment.scenario().source.text.as_bytes()
}

impl ExperimentFolder {
    /// A new folder, of all cells or of those of a shard.
    ///
    /// # Errors
    /// When it cannot be had or written to.
    pub fn create(
        experiment: &Experiment,
        shard: Option<Shard>,
        place: &Place,
    ) -> Result<Self, OpenError> {
        let claim = Claim::take(place, &experiment.scenario().name)?;
        Self { claim, manifest: ExperimentManifest::of(experiment, shard) }.begun(text(experiment))
    }

    /// The folder of an experiment of the same name, finished or not: its cells that are
    /// still wanted are kept, all others are taken out.
    ///
    /// # Errors
    /// When it is none, or cannot be had or written to.
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
        let claim = Claim::take_back(folder)?;
        let reopened = Self { claim, manifest: ExperimentManifest::of(experiment, shard) };
        reopened.remove_what_is_not_wanted()?;
        reopened.begun(text(experiment))
    }

    /// The folder of a shard, new or as it was left: a shard that is run again keeps what it
    /// did.
    ///
    /// # Errors
    /// When it is of something else, or cannot be had or written to.
    pub fn of_shard(
        experiment: &Experiment,
        shard: Shard,
        folder: &Path,
    ) -> Result<Self, OpenError> {
        if !is_experiment(folder) {
            return Self::create(experiment, Some(shard), &Place::At(folder.to_owned()));
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
    /// When it cannot be had or written to.
    pub fn assemble(
        plan: ExperimentManifest,
        scenario: &[u8],
        folder: &Path,
    ) -> Result<Self, OpenError> {
        let claim = if is_experiment(folder) {
            Claim::take_back(folder)?
        } else {
            Claim::take(&Place::At(folder.to_owned()), &plan.scenario)?
        };
        Self { claim, manifest: plan }.begun(scenario)
    }

    /// The manifest is written first, so that whoever is killed here leaves a folder to go on
    /// with.
    fn begun(mut self, scenario: &[u8]) -> Result<Self, OpenError> {
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

    /// The cells that are to be run in this folder and are not done, by their place in the
    /// manifest.
    #[must_use]
    pub fn due(&self) -> Vec<usize> {
        let cells = self.manifest.cells.iter().zip(self.manifest.own()).enumerate();
        let due = cells.filter(|(_, (cell, own))| *own && cell.status != CellStatus::Complete);
        due.map(|(index, _)| index).collect()
    }

    fn remove_what_is_not_wanted(&self) -> Result<(), ObserveError> {
        let folder = self.cells();
        let Ok(entries) = fs::read_dir(&folder) else { return Ok(()) };
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

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.claim.folder
    }

    /// What it is about, and how its cells stand.
    #[must_use]
    pub fn manifest(&self) -> &ExperimentManifest {
        &self.manifest
    }

    /// Keeps a cell that is done; `index` is its place among the cells of the manifest.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&mut self, index: usize, cell: &CellRecord) -> Result<(), ObserveError> {
        replace(&self.path_of(&cell.key), &json(cell), Durability::Process)?;
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

    /// What is done, read back.
    ///
    /// # Errors
    /// When it was changed since.
    pub fn results(&self) -> Result<ExperimentResults, ReadError> {
        ExperimentResults::of(self.folder(), self.manifest.clone())
    }

    /// Writes the table of what is done, and the manifest last.
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
        let released = self.claim.release().and_then(|()| sync_folder(&folder));
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

fn cell_path(folder: &Path, key: &str) -> PathBuf {
    folder.join(CELLS).join(format!("{key}.json"))
}

/// An experiment, read back.
#[derive(Debug, Clone)]
pub struct ExperimentResults {
    /// Where it is.
    pub folder: PathBuf,
    /// What it is about.
    pub manifest: ExperimentManifest,
    /// What became of the cells that are done.
    pub cells: Vec<CellResult>,
}

/// What became of a cell.
#[derive(Debug, Clone)]
pub struct CellResult {
    /// Its place in the manifest.
    pub index: usize,
    /// What was kept of it.
    pub record: CellRecord,
    /// Its phases, to be measured.
    pub phases: Vec<PhaseTally>,
}

/// Whether a folder is that of an experiment.
#[must_use]
pub fn is_experiment(folder: &Path) -> bool {
    folder.join(EXPERIMENT).is_file()
}

/// Reads the folder of an experiment, finished or not.
///
/// # Errors
/// When it is none, or was changed since.
pub fn read_experiment(folder: &Path) -> Result<ExperimentResults, ReadError> {
    ExperimentResults::of(folder, read_manifest(folder)?)
}

impl ExperimentResults {
    fn of(folder: &Path, manifest: ExperimentManifest) -> Result<Self, ReadError> {
        let entries = manifest.cells.iter().enumerate();
        let complete = entries.filter(|(_, cell)| cell.status == CellStatus::Complete);
        let read = complete.map(|(index, cell)| {
            let path = cell_path(folder, &cell.key);
            let record = read_cell(&path)?;
            let phases = record.tallies().map_err(|error| ReadError::Malformed {
                path,
                line: 1,
                message: error.to_string(),
            })?;
            Ok(CellResult { index, record, phases })
        });
        let cells = read.collect::<Result<_, ReadError>>()?;
        Ok(Self { folder: folder.to_owned(), manifest, cells })
    }
}

/// Reads what there is of an experiment, sealed or not, with its scenario: a cell is done
/// if its file is there.
///
/// # Errors
/// When it is none, or was changed since.
pub fn gather(folder: &Path) -> Result<(ExperimentResults, Vec<u8>), ReadError> {
    let mut manifest = read_manifest(folder)?;
    for cell in &mut manifest.cells {
        if cell_path(folder, &cell.key).is_file() {
            cell.status = CellStatus::Complete;
        } else if cell.status == CellStatus::Complete {
            cell.status = CellStatus::Absent;
        }
    }
    Ok((ExperimentResults::of(folder, manifest)?, scenario_text(folder)?))
}

fn read_manifest(folder: &Path) -> Result<ExperimentManifest, ReadError> {
    let path = folder.join(EXPERIMENT);
    match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(ReadError::NoManifest(folder.to_owned()))
        }
        Err(source) => Err(ReadError::Io { path, source }),
        Ok(bytes) => parsed(&bytes, path),
    }
}

fn read_cell(path: &Path) -> Result<CellRecord, ReadError> {
    let bytes = fs::read(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })?;
    parsed(&bytes, path.to_owned())
}

fn parsed<T: serde::de::DeserializeOwned>(bytes: &[u8], path: PathBuf) -> Result<T, ReadError> {
    serde_json::from_slice(bytes).map_err(|error| ReadError::Malformed {
        path,
        line: error.line() as u64,
        message: error.to_string(),
    })
}
