//! Shards put together again: what is there, what is missing, what contradicts.
//!
//! Merging is a union of facts, so it does not depend on the order of the folders, nor on
//! whether one is there twice, and a merged folder is merged like any other. What is written
//! is what one process would have written.
//!
//! Must not know: the engine, the target, cli.

mod error;
mod experiment;

use std::path::Path;

pub use error::{MergeError, Missing};
pub use experiment::MergedExperiment;

use crate::results::experiment::is_experiment;

/// What came of merging.
pub enum Merged {
    /// The folder of an experiment, to be concluded.
    Experiment(MergedExperiment),
}

/// Merges folders into `out`, which is new, empty, or a merge of the same plan that goes on.
/// Without `partial` all of the plan must be there.
///
/// # Errors
/// When something cannot be read or written, belongs to another plan, contradicts, or is
/// missing. Nothing is written then.
pub fn merge(folders: &[&Path], out: &Path, partial: bool) -> Result<Merged, MergeError> {
    let mut folders = folders.to_vec();
    if is_experiment(out) {
        folders.push(out);
    }
    experiment::merge(&folders, out, partial).map(Merged::Experiment)
}
