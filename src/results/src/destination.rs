use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::file_stem;
use seed::Seed;
use shard::Shard;

/// Where the results of a run go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// To `<root>/<scenario>/<run>`, or, where that is taken, to `<run>-2`, `<run>-3` …
    Under {
        /// The folder of all results, `results` by custom.
        root: PathBuf,
        /// What to call the run, `seed-42` for example.
        run: String,
    },
    /// To this folder, which must be empty or missing.
    At(PathBuf),
}

/// The default folder of a shard.
#[must_use]
pub fn shard_folder(root: &Path, scenario: &str, shard: Shard) -> PathBuf {
    scenario_folder(root, scenario).join(shard_name(shard))
}

/// The default folder of all results of a scenario.
#[must_use]
pub fn scenario_folder(root: &Path, scenario: &str) -> PathBuf {
    root.join(file_stem(scenario))
}

/// The name of the folder of a shard.
#[must_use]
pub fn shard_name(shard: Shard) -> String {
    format!("shard-{}-of-{}", shard.number(), shard.count())
}

/// The folder of a cell that is written as a whole run, below `root`.
#[must_use]
pub fn cell_folder(root: &Path, variant: &str, seed: Seed) -> PathBuf {
    root.join(file_stem(variant)).join(format!("seed-{seed}"))
}

/// Whether a folder is missing, or has no files of a run.
#[must_use]
pub fn is_unwritten(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            let is_hidden =
                |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
            entries.all(|entry| entry.is_ok_and(is_hidden))
        }
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}
