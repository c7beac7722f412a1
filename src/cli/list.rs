//! `runner list`

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use clap::Args;

use super::console::{Cell, Paint, Side, Table, count, name};
use super::error::Error;
use super::exit::Exit;
use super::recorded::{self, VerdictCount};
use super::streams;
use results::experiment::{self, ExperimentManifest, is_experiment};
use results::{EXPERIMENT, Manifest, ReadError, Status, is_locked, read_manifest};
use timestamp::Timestamp;

/// `runner list`
#[derive(Debug, Clone, Args)]
pub struct ListArguments {
    /// The folder in which results are.
    #[arg(value_name = "DIR", default_value = "results")]
    folder: PathBuf,
}

/// Results lie so many folders below at the most.
const DEPTH: usize = 3;

/// Lists the results in a folder: what they are, when they were made, and what was judged.
pub fn list(arguments: &ListArguments) -> Result<Exit, Error> {
    let failed = |error| Error::usage(format!("{}: {error}", arguments.folder.display()));
    let mut found = Vec::new();
    collect(&arguments.folder, DEPTH, &mut found).map_err(failed)?;
    if found.is_empty() {
        let folder = arguments.folder.display();
        return Err(Error::usage(format!("`{folder}` holds no results"))
            .help("name the folder that `runner run … --out` wrote to"));
    }
    let columns = ["results", "what", "when", "state", "verdict"];
    let mut table = Table::new(&columns.map(|column| (column, Side::Left)));
    for folder in &found {
        table.row(row(folder));
    }
    streams::tell(&table.text())?;
    Ok(Exit::Done)
}

/// The results in a folder and below, by name.
fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut folders: Vec<PathBuf> = fs::read_dir(folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    for path in folders {
        if is_experiment(&path) || path.join("manifest.json").is_file() {
            found.push(path);
        } else if depth > 1 {
            // A folder that cannot be read holds no results that could be shown.
            _ = collect(&path, depth - 1, found);
        }
    }
    Ok(())
}

fn row(folder: &Path) -> [Cell; 5] {
    let read = if is_experiment(folder) {
        experiment::read_manifest(folder).map(|manifest| of_experiment(folder, &manifest))
    } else {
        read_manifest(folder).map(|manifest| of_run(folder, &manifest))
    };
    let [what, when, state] = read.unwrap_or_else(|error| unreadable(&error));
    let (verdict, paint) = verdict(folder);
    [
        Cell::from(name(&folder.display().to_string())),
        Cell::from(what),
        Cell::painted(when, Paint::Faint),
        Cell::from(state),
        Cell::painted(verdict, paint),
    ]
}

fn unreadable(error: &ReadError) -> [String; 3] {
    [String::new(), String::new(), name(&format!("cannot be read: {error}"))]
}

fn of_run(folder: &Path, manifest: &Manifest) -> [String; 3] {
    let state = match manifest.status {
        Status::Running if is_locked(folder) => "running",
        Status::Running => "killed",
        Status::Complete => "complete",
        Status::Interrupted => "interrupted",
        Status::Failed => "failed",
        Status::Partial => "not all shards",
    };
    let what = format!("{}, seed {}", name(&manifest.scenario), manifest.seed);
    [what, to_the_second(manifest.wall_clock.started), state.to_owned()]
}

/// An experiment contains no time, because its bytes depend on the scenario alone. The time shown is
/// that at which its file was last modified.
fn of_experiment(folder: &Path, manifest: &ExperimentManifest) -> [String; 3] {
    let cells = manifest.cells.len() as u64;
    let what = format!("{}, {} cells", name(&manifest.scenario), count(cells));
    let state = if manifest.complete { "complete" } else { "not complete" };
    [what, written(folder).map_or(String::new(), to_the_second), state.to_owned()]
}

/// When the file of an experiment was last modified; `None` if the file system does not say.
fn written(folder: &Path) -> Option<Timestamp> {
    let modified = fs::metadata(folder.join(EXPERIMENT)).ok()?.modified().ok()?;
    let since = modified.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_unix_micros(0) + since)
}

/// A time without its fraction of a second.
fn to_the_second(time: Timestamp) -> String {
    let micros = time.unix_micros();
    Timestamp::from_unix_micros(micros - micros.rem_euclid(1_000_000)).to_string()
}

fn verdict(folder: &Path) -> (String, Paint) {
    let Ok(counts) = recorded::verdicts(folder) else {
        return ("cannot be read".to_owned(), Paint::Bad);
    };
    let texts: Vec<String> = counts.iter().map(VerdictCount::in_words).collect();
    let paints = || counts.iter().map(VerdictCount::paint);
    let worst =
        [Paint::Bad, Paint::Doubtful].into_iter().find(|worst| paints().any(|of| of == *worst));
    (texts.join(", "), worst.unwrap_or(Paint::Good))
}
