//! Merges the results of shards, and reports what is missing and what contradicts.
//!
//! Merging is a set union: it depends neither on the order of the folders nor on repetition,
//! and a merged folder can be merged again. The merged folder has the bytes that one process
//! would have written.
//!
//! Must not know: the engine, the target, cli.

mod error;
mod experiment;
mod run;

use std::path::Path;

pub use error::{MergeError, Missing};
pub use experiment::MergedExperiment;
pub use run::MergedRun;

use results::experiment::is_experiment;
use results::{MANIFEST, is_unwritten};

/// A merged folder.
pub enum Merged {
    /// The folder of an experiment, to be concluded.
    Experiment(Box<MergedExperiment>),
    /// The folder of a load, to be concluded.
    Run(Box<MergedRun>),
}

/// Merges folders into `out`, which is new, empty, or an earlier merge of the same plan.
/// Without `partial` the whole plan must be present; a folder may be missing if another one
/// has its part.
///
/// # Errors
/// When something cannot be read or written, belongs to another plan, contradicts, or is
/// missing. Nothing is written then.
pub fn merge(folders: &[&Path], out: &Path, partial: bool) -> Result<Merged, MergeError> {
    let there = folders.iter().copied().filter(|folder| !is_unwritten(folder));
    let mut folders: Vec<&Path> = there.collect();
    if is_experiment(out) || out.join(MANIFEST).is_file() {
        folders.push(out);
    }
    let kind = |experiment: bool| folders.iter().find(|folder| is_experiment(folder) == experiment);
    if let (Some(left), Some(right)) = (kind(true), kind(false))
        && right.join(MANIFEST).is_file()
    {
        let (left, right) = (left.to_path_buf(), right.to_path_buf());
        return Err(MergeError::Mixed { left, right });
    }
    if folders.is_empty() {
        return Err(MergeError::Nothing);
    }
    if kind(true).is_some() {
        return experiment::merge(&folders, out, partial).map(Box::new).map(Merged::Experiment);
    }
    run::merge(&folders, out, partial).map(Box::new).map(Merged::Run)
}

/// The first line in which two scenarios differ.
fn texts_differ(left: &[u8], right: &[u8]) -> Option<String> {
    let [left, right] = [left, right].map(String::from_utf8_lossy);
    if left == right {
        return None;
    }
    let same = left.lines().zip(right.lines()).take_while(|(left, right)| left == right).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or_default().trim().to_owned();
    let (left, right) = (line(&left), line(&right));
    Some(format!("  scenario.yaml, from line {}: `{left}` and `{right}`", same + 1))
}
