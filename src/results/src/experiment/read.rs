//! Reading the folder of an experiment back.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cell::CellRecord;
use super::manifest::{CellStatus, ExperimentManifest};
use super::trace::{Fingerprint, Trace};
use crate::error::ReadError;
use crate::layout::EXPERIMENT;
use crate::read::scenario_text;
use metrics::{PhaseStateError, PhaseTally};
use seed::Seed;

/// The folder of the cells within that of their experiment.
pub(super) const CELLS: &str = "cells";

pub(super) fn cell_path(folder: &Path, key: &str) -> PathBuf {
    folder.join(CELLS).join(format!("{key}.json"))
}

/// An experiment, read back.
#[derive(Debug, Clone)]
pub struct ExperimentResults {
    /// Its path.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: ExperimentManifest,
    /// The cells that are done.
    pub cells: Vec<CellResult>,
}

/// The results of a cell: at most half a byte for each iteration. The rest stays in its file.
#[derive(Debug, Clone)]
pub struct CellResult {
    /// Its index in the manifest.
    pub index: usize,
    /// Its seed.
    pub seed: Seed,
    /// Its phases, reduced.
    pub phases: Arc<[PhaseTally]>,
    /// After how many iterations of each phase a model was exported, in rising order.
    pub model_exports: Arc<BTreeMap<String, Vec<u64>>>,
    /// Where all of it is.
    pub stored: StoredCell,
}

/// The file of a cell that was read, to be read again for what is not kept of it.
#[derive(Debug, Clone)]
pub struct StoredCell {
    path: PathBuf,
    trace: Fingerprint,
}

impl CellResult {
    /// The results of a cell whose file is `path`.
    pub(super) fn of(
        index: usize,
        mut record: CellRecord,
        path: PathBuf,
    ) -> Result<Self, PhaseStateError> {
        let seed = record.seed;
        let model_exports = Arc::new(std::mem::take(&mut record.model_exports));
        let (phases, trace) = record.into_tallies()?;
        let phases = phases.into_iter().map(PhaseTally::reduced).collect();
        let stored = StoredCell { path, trace: trace.fingerprint() };
        Ok(Self { index, seed, phases, model_exports, stored })
    }
}

impl StoredCell {
    /// Whether every context and every choice is that of another cell.
    #[must_use]
    pub fn has_trace_of(&self, other: &Self) -> bool {
        self.trace == other.trace
    }

    /// All of its phases, and its trace.
    ///
    /// # Errors
    /// When the file was changed or removed.
    pub fn read(&self) -> Result<(Vec<PhaseTally>, Trace), ReadError> {
        let malformed = |message: String| {
            let path = self.path.clone();
            ReadError::Malformed { path, line: 1, message }
        };
        let (phases, trace) =
            read_cell(&self.path)?.into_tallies().map_err(|error| malformed(error.to_string()))?;
        if trace.fingerprint() != self.trace {
            return Err(malformed("it was changed while it was read".to_owned()));
        }
        Ok((phases, trace))
    }
}

/// Whether a folder is that of an experiment.
#[must_use]
pub fn is_experiment(folder: &Path) -> bool {
    folder.join(EXPERIMENT).is_file()
}

/// Reads the folder of an experiment, finished or not.
///
/// # Errors
/// When it is not one, or was changed since.
pub fn read_experiment(folder: &Path) -> Result<ExperimentResults, ReadError> {
    ExperimentResults::of(folder, read_manifest(folder)?, &BTreeMap::new())
}

impl ExperimentResults {
    /// The cells that are complete: those in `known`, and those in files.
    pub(super) fn of(
        folder: &Path,
        manifest: ExperimentManifest,
        known: &BTreeMap<usize, CellResult>,
    ) -> Result<Self, ReadError> {
        let entries = manifest.cells.iter().enumerate();
        let complete = entries.filter(|(_, cell)| cell.status == CellStatus::Complete);
        let read = complete.map(|(index, cell)| {
            if let Some(known) = known.get(&index) {
                return Ok(known.clone());
            }
            let path = cell_path(folder, &cell.key);
            let read = CellResult::of(index, read_cell(&path)?, path.clone());
            read.map_err(|error| ReadError::Malformed { path, line: 1, message: error.to_string() })
        });
        let cells = read.collect::<Result<_, ReadError>>()?;
        Ok(Self { folder: folder.to_owned(), manifest, cells })
    }
}

/// The manifest of an experiment, sealed or not, and its scenario. A cell is complete if its
/// file exists.
///
/// # Errors
/// When it is not one, or was changed since.
pub fn survey(folder: &Path) -> Result<(ExperimentManifest, Vec<u8>), ReadError> {
    let mut manifest = read_manifest(folder)?;
    for cell in &mut manifest.cells {
        if cell_path(folder, &cell.key).is_file() {
            cell.status = CellStatus::Complete;
        } else if cell.status == CellStatus::Complete {
            cell.status = CellStatus::Absent;
        }
    }
    Ok((manifest, scenario_text(folder)?))
}

/// The file of a cell, as bytes and parsed.
///
/// # Errors
/// When it is missing, or was changed since.
pub fn cell_file(folder: &Path, key: &str) -> Result<(Vec<u8>, CellRecord), ReadError> {
    let path = cell_path(folder, key);
    let bytes = read_bytes(&path)?;
    let record: CellRecord = parsed(&bytes, path.clone())?;
    if record.key == key {
        return Ok((bytes, record));
    }
    let message = format!("it holds the cell `{}`", record.key);
    Err(ReadError::Malformed { path, line: 1, message })
}

/// The file of a cell, as bytes.
///
/// # Errors
/// When it is missing.
pub fn cell_bytes(folder: &Path, key: &str) -> Result<Vec<u8>, ReadError> {
    read_bytes(&cell_path(folder, key))
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    fs::read(path).map_err(|source| ReadError::Io { path: path.to_owned(), source })
}

/// Reads the manifest of an experiment.
///
/// # Errors
/// When it is not the folder of an experiment.
pub fn read_manifest(folder: &Path) -> Result<ExperimentManifest, ReadError> {
    let path = folder.join(EXPERIMENT);
    match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(ReadError::NoManifest(folder.to_owned()))
        }
        Err(source) => Err(ReadError::Io { path, source }),
        Ok(bytes) => parsed(&bytes, path),
    }
}

pub(super) fn read_cell(path: &Path) -> Result<CellRecord, ReadError> {
    parsed(&read_bytes(path)?, path.to_owned())
}

fn parsed<T: serde::de::DeserializeOwned>(bytes: &[u8], path: PathBuf) -> Result<T, ReadError> {
    serde_json::from_slice(bytes).map_err(|error| ReadError::json(path, &error))
}
