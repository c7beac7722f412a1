//! Reading a folder back, however its run ended.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::events;
use super::experiment::is_experiment;
use super::files::end_of_whole_rows;
use super::manifest::{MANIFEST, Manifest, Status, StoppedAt};
use super::place::is_locked;
use super::tables;
use metrics::{Batch, SuccessCurve, Summary};
use record::{IterationRecord, ModelCheck, PhaseRecord, PhaseStarted, Progress};

/// A folder, read back.
#[derive(Debug, Clone)]
pub struct RunFolder {
    /// Where it is.
    pub folder: PathBuf,
    /// What it is about.
    pub manifest: Manifest,
    /// The iterations, in the order in which they were recorded. Times are whole
    /// microseconds.
    pub records: Vec<IterationRecord>,
    /// The success curve of these iterations. A batch that was not finished is absent.
    pub curve: Vec<Batch>,
    /// Where the run stopped, if it is not complete.
    pub stopped_at: Option<StoppedAt>,
    /// Whether a run is writing to the folder now.
    pub is_under_way: bool,
    /// What a person should know, a sentence each.
    pub notes: Vec<String>,
}

/// Why a folder cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no manifest: it is not a results folder, or nothing was written.
    #[error("`{}` is not a results folder: it has no {MANIFEST}{}", .0.display(), within(.0))]
    NoManifest(PathBuf),
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds what was not written by a run.
    #[error("{}:{line}: {message}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
}

/// The results folders within a folder that is none: one of them is what was meant.
fn within(folder: &Path) -> String {
    let folders = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_results = |inner: &PathBuf| inner.join(MANIFEST).is_file() || is_experiment(inner);
    let mut found: Vec<String> =
        folders.filter(is_results).map(|inner| format!("`{}`", inner.display())).collect();
    found.sort();
    match &found[..] {
        [] => String::new(),
        [one] => format!("\nhelp: name the results in it: {one}"),
        [first, ..] => format!("\nhelp: name one of the {} in it, such as {first}", found.len()),
    }
}

/// Reads the folder of a run, however it ended. A row that was torn by a kill is
/// dropped with a note.
///
/// # Errors
/// When it is not the folder of a run, or was changed since.
pub fn read(folder: &Path) -> Result<RunFolder, ReadError> {
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
    note_how_it_ended(&manifest, is_under_way, stopped_at.as_ref(), &mut notes);
    let folder = folder.to_owned();
    Ok(RunFolder { folder, manifest, records, curve, stopped_at, is_under_way, notes })
}

impl RunFolder {
    /// The numbers of the iterations that are there. When rewards were sent is not
    /// known exactly; everything else is as it was.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::new(self.manifest.scopes());
        replay(&self.manifest, &self.records, |progress| summary.observe(progress));
        for (phase, reason) in self.manifest.saturation() {
            summary.note_saturation(&phase, reason);
        }
        summary
    }
}

fn read_manifest(folder: &Path) -> Result<Manifest, ReadError> {
    let path = folder.join(MANIFEST);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ReadError::NoManifest(folder.to_owned()));
        }
        Err(source) => return Err(ReadError::Io { path, source }),
        Ok(bytes) => bytes,
    };
    serde_json::from_slice(&bytes).map_err(|error| ReadError::Malformed {
        path,
        line: error.line() as u64,
        message: error.to_string(),
    })
}

fn read_records(
    folder: &Path,
    manifest: &Manifest,
    notes: &mut Vec<String>,
) -> Result<Vec<IterationRecord>, ReadError> {
    let path = folder.join("events.csv");
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(ReadError::Io { path, source }),
        Ok(bytes) => bytes,
    };
    let whole = &bytes[..end_of_whole_rows(&bytes)];
    if whole.len() < bytes.len() {
        notes.push("the last row of events.csv was torn, and left out".to_owned());
    }
    let phase_index = |name: &str| manifest.phases.iter().position(|phase| phase.name == name);
    let dimensions = manifest.context.len();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(whole);
    let rows = reader.records().map(|row| {
        let row = row.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            ReadError::Malformed { path: path.clone(), line, message: error.to_string() }
        })?;
        events::record(&row, dimensions, phase_index).map_err(|message| {
            let line = row.position().map_or(0, csv::Position::line);
            ReadError::Malformed { path: path.clone(), line, message }
        })
    });
    rows.collect()
}

/// The checks of the model that were written to the folder.
///
/// # Errors
/// When they cannot be read.
pub fn model_checks(folder: &Path, manifest: &Manifest) -> Result<Vec<ModelCheck>, ReadError> {
    let path = folder.join("model_checks.csv");
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(ReadError::Io { path, source }),
        Ok(bytes) => bytes,
    };
    let phase = |name: &str| manifest.phases.iter().position(|phase| phase.name == name);
    let mut reader = csv::Reader::from_reader(&bytes[..end_of_whole_rows(&bytes)]);
    let rows = reader.records().map(|row| tables::model_check(&row.ok()?, phase));
    let message = "no check of a model".to_owned();
    let checks = rows.collect::<Option<_>>();
    checks.ok_or(ReadError::Malformed { path, line: 1, message })
}

/// The scenario that a folder keeps.
///
/// # Errors
/// When it cannot be read.
pub fn scenario_text(folder: &Path) -> Result<Vec<u8>, ReadError> {
    let path = folder.join("scenario.yaml");
    fs::read(&path).map_err(|source| ReadError::Io { path, source })
}

/// What a person was told while the run lasted; nothing, before it is sealed.
#[must_use]
pub fn notices(folder: &Path) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Told {
        notices: Vec<String>,
    }
    let told = fs::read(folder.join("summary.json")).ok();
    let told = told.and_then(|bytes| serde_json::from_slice::<Told>(&bytes).ok());
    told.map_or_else(Vec::new, |told| told.notices)
}

fn records_of(records: &[IterationRecord], phase: usize) -> u64 {
    records.iter().filter(|record| record.phase == phase).count() as u64
}

/// The curve is made again from the iterations: its own file may be a flush behind.
fn rebuild_curve(manifest: &Manifest, records: &[IterationRecord]) -> Vec<Batch> {
    let mut curve = SuccessCurve::new(manifest.curve_batch);
    let mut batches = Vec::new();
    replay(manifest, records, |progress| batches.extend(curve.observe(progress)));
    batches
}

/// Tells what happened once more. A phase is over when all its iterations are there,
/// when a later one has some, and when the run is: rows say so, for a file may have
/// lost more than the manifest.
fn replay(manifest: &Manifest, records: &[IterationRecord], mut observe: impl FnMut(&Progress)) {
    let last_phase = records.last().map(|record| record.phase);
    for phase_records in records.chunk_by(|left, right| left.phase == right.phase) {
        let phase = phase_records[0].phase;
        let entry = &manifest.phases[phase];
        let started = entry.started_us.map_or(phase_records[0].due, Duration::from_micros);
        observe(&Progress::PhaseStarted(PhaseStarted { phase, at: started }));
        for record in phase_records {
            observe(&Progress::Iteration(record.clone()));
        }
        let iterations = phase_records.len() as u64;
        let is_over = Some(phase) != last_phase
            || manifest.status != Status::Running
            || entry.iterations == Some(iterations);
        if is_over {
            let ended =
                entry.ended_us.map_or_else(|| last_moment(phase_records), Duration::from_micros);
            observe(&Progress::PhaseEnded(PhaseRecord { phase, started, ended, iterations }));
        }
    }
}

fn last_moment(records: &[IterationRecord]) -> Duration {
    let end = |record: &IterationRecord| {
        let reward = record.reward_latency.unwrap_or_default();
        record.reward_start.map_or(record.rank_start, |start| start + reward)
    };
    records.iter().map(end).max().unwrap_or_default()
}

fn note_how_it_ended(
    manifest: &Manifest,
    is_under_way: bool,
    stopped_at: Option<&StoppedAt>,
    notes: &mut Vec<String>,
) {
    let how = match manifest.status {
        Status::Complete => return,
        Status::Running if is_under_way => "the run is under way",
        Status::Running => "the run was killed",
        Status::Interrupted => "the run was stopped",
        Status::Failed => "the run failed",
        Status::Partial => {
            notes.push("some of its shards are not merged".to_owned());
            return;
        }
    };
    let place = stopped_at.map_or_else(String::new, |at| match at.iteration {
        Some(iteration) => format!(" in phase `{}` before iteration {iteration}", at.phase),
        None => format!(" in phase `{}`", at.phase),
    });
    notes.push(format!("{how}{place}"));
}
