//! Reading a folder back, however its run ended.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::closing::SummaryDocument;
use super::entries::{Status, StoppedAt};
use super::error::ReadError;
use super::events;
use super::files::{Encoding, end_of_whole_rows, file_name};
use super::growing::encoding;
use super::layout::{EVENTS, EVENTS_PARQUET, EXPERIMENT, MANIFEST};
use super::lock::is_locked;
use super::manifest::Manifest;
use super::replay;
use super::tables;
use metrics::{Batch, SuccessCurve, Summary};
use plan::OutputForm;
use record::{IterationRecord, ModelCheck, ModelExport, Progress};
use zstd_frames::whole_frames;

/// The folder of a run, read back.
#[derive(Debug, Clone)]
pub struct RunFolder {
    /// Its path.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// The iterations, in the order of the phases and of their indices. Times are whole
    /// microseconds.
    pub records: Vec<IterationRecord>,
    /// The success curve of these iterations. An unfinished batch is absent.
    pub curve: Vec<Batch>,
    /// Where the run stopped, if it is not complete.
    pub stopped_at: Option<StoppedAt>,
    /// How it ended, if it is not complete: `the run was killed in phase `play``.
    pub ending: Option<String>,
    /// Whether a run is writing to the folder now.
    pub is_under_way: bool,
    /// Notes for a person, a sentence each.
    pub notes: Vec<String>,
}

/// Reads the folder of a run, however it ended. A row that was torn by a kill is
/// dropped with a note.
///
/// # Errors
/// When it is not the folder of a run, holds no iterations, or was changed since.
pub fn read(folder: &Path) -> Result<RunFolder, ReadError> {
    let mut run = read_as_recorded(folder)?;
    if run.manifest.outputs.events == OutputForm::None {
        return Err(ReadError::NoEvents(folder.to_owned()));
    }
    run.records.sort_by_key(|record| record.phase);
    Ok(run)
}

/// The same, of a run that may hold no iterations, too; those of parallel phases among each other,
/// as they were recorded.
pub(super) fn read_as_recorded(folder: &Path) -> Result<RunFolder, ReadError> {
    let manifest = read_manifest(folder)?;
    let mut notes = Vec::new();
    let records = read_records(folder, &manifest, &mut notes)?;
    let curve = rebuild_curve(&manifest, &records);
    let made = |phase: usize| records_of(&records, phase);
    let stopped_at = match (&manifest.stopped_at, manifest.complete) {
        (_, true) => None,
        (Some(stopped_at), _) => Some(stopped_at.clone()),
        (None, _) => manifest.next_step(made),
    };
    let is_under_way = manifest.status == Status::Running && is_locked(folder);
    let ending = ending(&manifest, is_under_way, stopped_at.as_ref());
    let folder = folder.to_owned();
    Ok(RunFolder { folder, manifest, records, curve, stopped_at, ending, is_under_way, notes })
}

impl RunFolder {
    /// The summary of the recorded iterations. The moments at which rewards were sent are
    /// approximate: a folder does not hold them.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = self.manifest.summary();
        replay_all(&self.manifest, &self.records, |progress| summary.observe(progress));
        for (phase, reason) in self.manifest.saturation() {
            summary.note_saturation(&phase, reason);
        }
        summary
    }
}

/// The folders of the runs within a folder that is no run, in the order of their names; none, if
/// an experiment is among them.
#[must_use]
pub fn runs_within(folder: &Path) -> Vec<PathBuf> {
    let holds = |folder: &Path, file: &str| folder.join(file).is_file();
    let inner = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut inner: Vec<PathBuf> = inner.collect();
    if holds(folder, MANIFEST) || inner.iter().any(|inner| holds(inner, EXPERIMENT)) {
        return Vec::new();
    }
    inner.retain(|inner| holds(inner, MANIFEST));
    inner.sort();
    inner
}

/// Reads the manifest of a run.
///
/// # Errors
/// When it is not the folder of a run.
pub fn read_manifest(folder: &Path) -> Result<Manifest, ReadError> {
    let path = folder.join(MANIFEST);
    let bytes = read_if_present(&path)?;
    let bytes = bytes.ok_or_else(|| ReadError::NoManifest(folder.to_owned()))?;
    serde_json::from_slice(&bytes).map_err(|error| ReadError::json(path, &error))
}

fn read_records(
    folder: &Path,
    manifest: &Manifest,
    notes: &mut Vec<String>,
) -> Result<Vec<IterationRecord>, ReadError> {
    let Some(encoding) = encoding(manifest.outputs.events) else { return Ok(Vec::new()) };
    if manifest.outputs.events == OutputForm::Parquet && manifest.complete {
        return read_parquet(&folder.join(EVENTS_PARQUET), manifest);
    }
    let path = encoding.path(&folder.join(EVENTS));
    let mut bytes = read_if_present(&path)?.unwrap_or_default();
    let held = bytes.len();
    let whole = match encoding {
        Encoding::Plain => end_of_whole_rows(&bytes),
        Encoding::Zstd => {
            let frames = whole_frames(&bytes)
                .map_err(|source| ReadError::Io { path: path.clone(), source })?;
            bytes = frames.content;
            frames.end
        }
    };
    if whole < held {
        let name = file_name(&path);
        notes.push(format!("the last row of {name} is incomplete, and ignored"));
    }
    if encoding == Encoding::Plain {
        bytes.truncate(whole);
    }
    let whole = &bytes[..];
    let malformed = |position: Option<&csv::Position>, message: String| ReadError::Malformed {
        path: path.clone(),
        line: position.map_or(0, csv::Position::line),
        message,
    };
    let columns = events::Columns::of(manifest);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(whole);
    let mut records: Vec<IterationRecord> = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| malformed(error.position(), error.to_string()))?;
        let record = events::record(&row, columns, |name| manifest.phase_index(name))
            .map_err(|message| malformed(row.position(), message))?;
        let is_later =
            |last: usize| last > record.phase && !manifest.are_parallel(last, record.phase);
        if records.last().is_some_and(|last| is_later(last.phase)) {
            let message = format!("phase `{}` comes after a later phase", &row[0]);
            return Err(malformed(row.position(), message));
        }
        records.push(record);
    }
    Ok(records)
}

#[cfg(not(feature = "parquet"))]
fn read_parquet(path: &Path, _: &Manifest) -> Result<Vec<IterationRecord>, ReadError> {
    Err(ReadError::NoParquet(path.to_owned()))
}

#[cfg(feature = "parquet")]
fn read_parquet(path: &Path, manifest: &Manifest) -> Result<Vec<IterationRecord>, ReadError> {
    let failed = |source| ReadError::Io { path: path.to_owned(), source };
    let columns = events::Columns::of(manifest);
    let rows = super::events_parquet::read(path).map_err(failed)?;
    let record = |(row, line): (io::Result<csv::StringRecord>, u64)| {
        let record =
            events::record(&row.map_err(failed)?, columns, |name| manifest.phase_index(name));
        let malformed = |message| ReadError::Malformed { path: path.to_owned(), line, message };
        record.map_err(malformed)
    };
    rows.zip(1..).map(record).collect()
}

fn read_if_present(path: &Path) -> Result<Option<Vec<u8>>, ReadError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ReadError::Io { path: path.to_owned(), source }),
    }
}

/// What `summary.json` holds; `None`, if the run did not get so far.
///
/// # Errors
/// When it cannot be read.
pub fn read_summary(folder: &Path) -> Result<Option<SummaryDocument>, ReadError> {
    let path = folder.join("summary.json");
    let Some(bytes) = read_if_present(&path)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| ReadError::json(path, &error))
}

/// The checks of the model, as `model_checks.csv` holds them.
///
/// # Errors
/// When they cannot be read.
pub fn model_checks(folder: &Path, manifest: &Manifest) -> Result<Vec<ModelCheck>, ReadError> {
    read_table(&folder.join("model_checks.csv"), |row| {
        tables::model_check(row, |name| manifest.phase_index(name))
    })
}

/// The exports of models, as `model_exports.csv` holds them.
///
/// # Errors
/// When they cannot be read.
pub fn model_exports(folder: &Path, manifest: &Manifest) -> Result<Vec<ModelExport>, ReadError> {
    read_table(&folder.join("model_exports.csv"), |row| {
        tables::model_export(row, |name| manifest.phase_index(name))
    })
}

/// The whole rows of a file; none, if it does not exist.
fn read_table<T>(
    path: &Path,
    decode: impl Fn(&csv::StringRecord) -> Option<T>,
) -> Result<Vec<T>, ReadError> {
    let bytes = read_if_present(path)?.unwrap_or_default();
    let malformed = |position: Option<&csv::Position>, message: String| ReadError::Malformed {
        path: path.to_owned(),
        line: position.map_or(0, csv::Position::line),
        message,
    };
    let mut reader = csv::Reader::from_reader(&bytes[..end_of_whole_rows(&bytes)]);
    let rows = reader.records().map(|row| {
        let row = row.map_err(|error| malformed(error.position(), error.to_string()))?;
        decode(&row).ok_or_else(|| malformed(row.position(), "a cell cannot be read".to_owned()))
    });
    rows.collect()
}

/// The scenario of a run or an experiment, as its folder holds it.
///
/// # Errors
/// When it cannot be read.
pub fn scenario_text(folder: &Path) -> Result<Vec<u8>, ReadError> {
    let path = folder.join("scenario.yaml");
    fs::read(&path).map_err(|source| ReadError::Io { path, source })
}

/// The notices of a run; none, if its folder has no summary yet.
///
/// # Errors
/// When the summary cannot be read.
pub fn notices(folder: &Path) -> Result<Vec<String>, ReadError> {
    #[derive(serde::Deserialize)]
    struct Notices {
        notices: Vec<String>,
    }
    let path = folder.join("summary.json");
    let Some(bytes) = read_if_present(&path)? else { return Ok(Vec::new()) };
    let summary: Result<Notices, _> = serde_json::from_slice(&bytes);
    summary.map(|summary| summary.notices).map_err(|error| ReadError::json(path, &error))
}

fn records_of(records: &[IterationRecord], phase: usize) -> u64 {
    records.iter().filter(|record| record.phase == phase).count() as u64
}

/// The curve is computed again from the iterations: its own file may be a flush behind.
fn rebuild_curve(manifest: &Manifest, records: &[IterationRecord]) -> Vec<Batch> {
    let mut curve = SuccessCurve::new(manifest.curve_batch);
    let mut batches = Vec::new();
    replay_all(manifest, records, |progress| batches.extend(curve.observe(progress)));
    batches
}

/// Replays what was recorded. Evaluations are read from their own files.
fn replay_all(
    manifest: &Manifest,
    records: &[IterationRecord],
    mut observe: impl FnMut(&Progress),
) {
    for history in replay::phases(manifest, manifest.status, records) {
        let replayed: Result<(), Infallible> = history.replay(None, |progress| {
            observe(progress);
            Ok(())
        });
        replayed.unwrap_or_else(|never| match never {});
    }
}

/// How a run that is not complete ended.
fn ending(
    manifest: &Manifest,
    is_under_way: bool,
    stopped_at: Option<&StoppedAt>,
) -> Option<String> {
    let how = match manifest.status {
        Status::Complete => return None,
        Status::Running if is_under_way => "the run is under way",
        Status::Running => "the run was killed",
        Status::Interrupted => "the run was stopped",
        Status::Failed => "the run failed",
        Status::Partial => return Some("not all of its shards are merged".to_owned()),
    };
    let place = stopped_at.map_or_else(String::new, |at| match at.iteration {
        Some(iteration) => format!(" in phase `{}` before iteration {iteration}", at.phase),
        None => format!(" in phase `{}`", at.phase),
    });
    Some(format!("{how}{place}"))
}
