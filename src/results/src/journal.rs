//! Which iterations may have been sent: written before they are, so that what a killed
//! process had under way is known.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

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

pub(super) fn write(folder: &Path, entry: MayBeSent) -> Result<(), ObserveError> {
    replace(&folder.join(JOURNAL), &json(&entry), Durability::Process)
}

/// What was written last, if anything was.
pub(super) fn read(folder: &Path) -> Option<MayBeSent> {
    serde_json::from_slice(&fs::read(folder.join(JOURNAL)).ok()?).ok()
}

/// A sealed folder has nothing under way.
pub(super) fn remove(folder: &Path) -> Result<(), ObserveError> {
    let path = folder.join(JOURNAL);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(naming(&path)(error)),
        _ => Ok(()),
    }
}
