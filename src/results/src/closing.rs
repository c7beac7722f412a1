use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::entries::Status;
#[cfg(feature = "parquet")]
use super::events;
use super::files::{Durability, Encoding, OnExisting, naming, sync_folder};
#[cfg(feature = "parquet")]
use super::files::{file_name, replace_with};
use super::hgrm::percentile_distribution;
use super::journal;
#[cfg(feature = "parquet")]
use super::layout::EVENTS;
use super::layout::EVENTS_PARQUET;
use super::manifest::{Manifest, json};
use super::table::Table;
use super::tables;
use super::writer::Results;
use metrics::{Latencies, Operation, SummaryReport, Verdict};
use plan::OutputForm;
use record::ObserveError;
use timestamp::Timestamp;

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Closing<'a> {
    /// Complete, interrupted or failed.
    pub status: Status,
    /// The machine's calendar time.
    pub ended: Timestamp,
    /// The verdicts of the expectations.
    pub verdicts: &'a [Verdict],
}

/// The content of `summary.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SummaryDocument {
    /// The name of the scenario.
    pub scenario: String,
    /// The seed of the run.
    pub seed: u64,
    /// How the run ended.
    pub status: Status,
    /// Whether the latencies were simulated.
    pub simulated_latencies: bool,
    /// What happened.
    #[serde(flatten)]
    pub numbers: SummaryReport,
    /// The verdicts of the expectations.
    pub expectations: Vec<Verdict>,
}

/// Writes `events.parquet` in place of the rows of a complete run; returns the file of the rows.
#[cfg(feature = "parquet")]
fn write_parquet(folder: &Path, manifest: &mut Manifest) -> Result<PathBuf, ObserveError> {
    let rows = Encoding::Zstd.path(&folder.join(EVENTS));
    let target = folder.join(EVENTS_PARQUET);
    let types = events::types(events::Columns::of(manifest));
    let checksum = replace_with(&target, |file| {
        let rows = zstd_frames::ZstdReader::new(io::BufReader::new(File::open(&rows)?));
        super::events_parquet::write(rows, &types, file)
    })?;
    manifest.files.remove(&file_name(&rows));
    manifest.files.insert(EVENTS_PARQUET.to_owned(), checksum);
    Ok(rows)
}

#[cfg(not(feature = "parquet"))]
fn write_parquet(folder: &Path, _: &mut Manifest) -> Result<PathBuf, ObserveError> {
    let path = folder.join(EVENTS_PARQUET);
    let message = "this build does not write Parquet files: build it with `--features parquet`";
    Err(naming(&path)(io::Error::other(message)))
}

impl Results {
    /// Ends the folder: writes the histograms and the summary, and the manifest last.
    ///
    /// # Errors
    /// When a file cannot be written. The folder then reads back as that of a killed run.
    pub fn seal(mut self, closing: &Closing<'_>) -> Result<PathBuf, ObserveError> {
        self.close_open_intervals()?;
        self.write_latencies()?;
        self.write_summary(closing)?;
        self.sync_written_files()?;
        let folder = self.lock.folder.clone();
        let mut manifest = self.manifest;
        let made = |phase: usize| self.summary.phases()[phase].iterations();
        manifest.status = closing.status;
        manifest.complete = closing.status == Status::Complete;
        manifest.stopped_at = if manifest.complete { None } else { manifest.next_step(made) };
        manifest.files = self.growing.seal()?;
        manifest.files.append(&mut self.written);
        let replaced = if manifest.complete && manifest.outputs.events == OutputForm::Parquet {
            Some(write_parquet(&folder, &mut manifest)?)
        } else {
            None
        };
        manifest.wall_clock.ended = Some(closing.ended);
        manifest.write(&folder, Durability::Machine)?;
        journal::remove(&folder)?;
        replaced.map_or(Ok(()), |path| fs::remove_file(&path).map_err(naming(&path)))?;
        self.lock.release().and_then(|()| sync_folder(&folder)).map_err(naming(&folder))?;
        Ok(folder)
    }

    /// A phase that was stopped gets its last, smaller batch and second.
    fn close_open_intervals(&mut self) -> Result<(), ObserveError> {
        let batches = self.curve.close();
        batches.iter().try_for_each(|batch| self.growing.push_batch(batch))?;
        let seconds = self.timeline.interrupt();
        seconds.iter().try_for_each(|second| self.growing.push_second(second))
    }

    fn write_latencies(&mut self) -> Result<(), ObserveError> {
        let name = "latency_histogram.csv";
        let path = self.folder().join(name);
        let header = tables::cells(tables::LATENCY_HISTOGRAM);
        let mut table = Table::open(path, &header, Encoding::Plain, OnExisting::Truncate)?;
        for (phase, operation, latencies) in self.latencies() {
            let phase = &self.growing.phases()[phase].name;
            let rows = tables::histogram_rows(phase, operation, latencies);
            rows.iter().try_for_each(|row| table.push(row))?;
        }
        self.written.insert(name.to_owned(), table.seal()?);
        let distribution = |(phase, operation, latencies): (usize, Operation, &Latencies)| {
            let stem = &self.growing.phases()[phase].stem;
            let name = format!("{stem}.{}.hgrm", operation.name());
            (name, percentile_distribution(&latencies.histogram()))
        };
        let distributions: Vec<_> = self.latencies().map(distribution).collect();
        distributions.iter().try_for_each(|(name, text)| self.write_file(name, text.as_bytes()))
    }

    /// The histograms of the run, each with its phase and operation.
    fn latencies(&self) -> impl Iterator<Item = (usize, Operation, &Latencies)> {
        let tallies = self.summary.phases().iter().enumerate();
        tallies.flat_map(|(phase, tally)| {
            let of = move |operation| Some((phase, operation, tally.latencies(operation)?));
            Operation::ALL.into_iter().filter_map(of)
        })
    }

    fn write_summary(&mut self, closing: &Closing<'_>) -> Result<(), ObserveError> {
        let bytes = json(&SummaryDocument {
            scenario: self.manifest.scenario.clone(),
            seed: self.manifest.seed.0,
            status: closing.status,
            simulated_latencies: self.manifest.latencies.simulated,
            numbers: self.summary.report(),
            expectations: closing.verdicts.to_vec(),
        });
        self.write_file("summary.json", &bytes)
    }

    fn sync_written_files(&self) -> Result<(), ObserveError> {
        let sync = |path: &Path| File::open(path).and_then(|file| file.sync_all());
        let mut paths = self.written.keys().map(|name| self.folder().join(name));
        paths.try_for_each(|path| sync(&path).map_err(naming(&path)))
    }
}
