//! Which iterations may have been sent: written before they are, so that a resumed run knows
//! what a killed process had under way.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::ReadError;
use super::files::{Durability, naming, replace};
use super::manifest::json;
use record::ObserveError;

const JOURNAL: &str = ".in-flight.json";

/// Iterations of `phase` before `until` may have been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MayBeSent {
    pub phase: usize,
    pub until: u64,
}

pub(super) fn write(folder: &Path, entries: &[MayBeSent]) -> Result<(), ObserveError> {
    replace(&folder.join(JOURNAL), &json(&entries), Durability::Process)
}

/// An entry for each phase under way; none, if nothing was announced.
pub(super) fn read(folder: &Path) -> Result<Vec<MayBeSent>, ReadError> {
    let path = folder.join(JOURNAL);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| ReadError::json(path, &error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(ReadError::Io { path, source }),
    }
}

/// Removes the journal: a sealed folder has nothing under way.
pub(super) fn remove(folder: &Path) -> Result<(), ObserveError> {
    let path = folder.join(JOURNAL);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(naming(&path)(error)),
        _ => Ok(()),
    }
}
