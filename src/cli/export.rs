//! `runner export`

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use clap::{Args, ValueEnum};

use super::compare::Subject;
use super::error::Error;
use super::exit::Exit;
use super::{output_file, remote_folder, streams};
use export::{Experiment, Observation, observations};
use results::{EXPERIMENT, MANIFEST, ReadError};

/// `runner export`
#[derive(Debug, Clone, Args)]
pub struct ExportArguments {
    /// The folder of a run or of an experiment, or a baseline file.
    #[arg(value_name = "DIR|URL")]
    folder: PathBuf,
    /// Write one long table: a row for each metric of each run, over a whole phase or a window of
    /// it [default: csv, unless `--mlflow` is given].
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// The table; an existing file is replaced, and `-` is stdout [default: export.csv or
    /// export.parquet].
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Add the runs to the MLflow file store in this folder.
    #[arg(long, value_name = "DIR")]
    mlflow: Option<PathBuf>,
    /// The iterations of a window [default: `success_curve.batch` of the scenario].
    #[arg(long, value_name = "N")]
    window: Option<NonZero<u64>>,
}

/// The form of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Comma-separated values.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// Writes results for other programs.
pub fn export(arguments: &ExportArguments) -> Result<Exit, Error> {
    let format = arguments.table();
    let fetched = remote_folder::fetched(std::slice::from_ref(&arguments.folder))?;
    let folder = &fetched.folders[0];
    let subject = Subject::read(folder).map_err(Error::usage)?;
    let window = arguments.window.map_or(subject.curve_batch, NonZero::get);
    if let Some(format) = format {
        write_table(&arguments.file(format), format, observations(&subject.groups, window))?;
    }
    if let Some(store) = &arguments.mlflow {
        let experiment = Experiment {
            scenario: &subject.scenario,
            version: &subject.version,
            written_ms: written_ms(folder),
        };
        let added = export::write_mlflow(store, &experiment, &subject.groups, window)
            .map_err(|error| Error::new(Exit::Results, error))?;
        tell_of_the_store(store, added)?;
    }
    Ok(Exit::Done)
}

impl ExportArguments {
    fn table(&self) -> Option<Format> {
        let is_asked_for = self.out.is_some() || self.mlflow.is_none();
        self.format.or_else(|| is_asked_for.then_some(Format::Csv))
    }

    fn file(&self, format: Format) -> PathBuf {
        let default = match format {
            Format::Csv => "export.csv",
            Format::Parquet => "export.parquet",
        };
        self.out.clone().unwrap_or_else(|| default.into())
    }
}

fn write_table<'a>(
    path: &Path,
    format: Format,
    rows: impl Iterator<Item = Result<Observation<'a>, ReadError>>,
) -> Result<(), Error> {
    match format {
        Format::Csv => output_file::write_with(path, |file| export::write_csv(file, rows))?,
        Format::Parquet => parquet(path, rows)?,
    }
    if output_file::is_stdout(path) {
        return Ok(());
    }
    streams::print(&format!("{}\n", path.display()))
}

#[cfg(feature = "parquet")]
fn parquet<'a>(
    path: &Path,
    rows: impl Iterator<Item = Result<Observation<'a>, ReadError>>,
) -> Result<(), Error> {
    output_file::write_with(path, |file| export::write_parquet(file, rows))
}

#[cfg(not(feature = "parquet"))]
fn parquet<'a>(
    _: &Path,
    _: impl Iterator<Item = Result<Observation<'a>, ReadError>>,
) -> Result<(), Error> {
    let error = Error::usage("this build of `runner` cannot write Parquet files");
    Err(error.help(
        "build it with `--features parquet`, as release archives and wheels are, or write \
         `--format csv`",
    ))
}

fn tell_of_the_store(store: &Path, added: usize) -> Result<(), Error> {
    let runs = if added == 1 { "run" } else { "runs" };
    streams::print(&format!("{}: {added} {runs} added\n", store.display()))
}

/// When results were written, in milliseconds since 1970: the same at every export.
fn written_ms(results: &Path) -> u64 {
    let files = [EXPERIMENT, MANIFEST].map(|name| results.join(name));
    let mut files = files.iter().map(PathBuf::as_path).chain([results]);
    let modified = files.find_map(|path| fs::metadata(path).ok()?.modified().ok());
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
