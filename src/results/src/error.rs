use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::layout::{EXPERIMENT, MANIFEST};
use scenario::where_it_may_be;

/// Why a folder cannot be used for results.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Results are never overwritten.
    #[error("`{}` is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// Another run writes there.
    #[error("another run is writing to `{}`", .0.display())]
    Locked(PathBuf),
    /// It cannot be created, or not written to.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Why a folder cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It has no manifest.
    #[error("`{}` is not a results folder: {}", .0.display(), what_it_is(.0))]
    NoManifest(PathBuf),
    /// Its scenario keeps no iterations.
    #[error(
        "`{}` holds no iterations: its scenario has `outputs: {{ events: none }}`\nhelp: \
         `runner show` prints its summary; for the rest run it again with \
         `--set outputs.events=csv.zst`",
        .0.display()
    )]
    NoEvents(PathBuf),
    /// Its iterations are in a form that this build does not read.
    #[error(
        "{}: this build does not read Parquet files\nhelp: build it with `--features parquet`, or \
         take the archive or the wheel",
        .0.display()
    )]
    NoParquet(PathBuf),
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file has content that no run writes.
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

impl ReadError {
    /// The error of a file that is not the JSON that it should be.
    pub(crate) fn json(path: PathBuf, error: &serde_json::Error) -> Self {
        Self::Malformed { path, line: error.line() as u64, message: error.to_string() }
    }
}

/// Says what stands at a path that is not a results folder.
fn what_it_is(path: &Path) -> String {
    if path.exists() {
        format!("it has no {MANIFEST}{}", within(path))
    } else {
        format!("it does not exist; {}", where_it_may_be(path))
    }
}

/// The results folders within a folder that is none: one of them was probably meant.
fn within(folder: &Path) -> String {
    let folders = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_results =
        |inner: &PathBuf| inner.join(MANIFEST).is_file() || inner.join(EXPERIMENT).is_file();
    let mut found: Vec<String> =
        folders.filter(is_results).map(|inner| format!("`{}`", inner.display())).collect();
    found.sort();
    match &found[..] {
        [] => String::new(),
        [one] => format!("\nhelp: name the results in it: {one}"),
        [first, ..] => format!("\nhelp: name one of the {} in it, such as {first}", found.len()),
    }
}
