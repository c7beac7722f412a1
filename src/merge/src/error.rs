use std::path::PathBuf;

use record::ObserveError;
use results::experiment::OpenError;
use results::{CreateError, ReadError};

/// Why folders cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A folder cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The merged folder cannot be had.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The merged folder cannot be written to.
    #[error(transparent)]
    Write(#[from] ObserveError),
    /// The merged folder of a load cannot be had.
    #[error(transparent)]
    Create(#[from] CreateError),
    /// One is an experiment, the other a run.
    #[error("`{}` holds an experiment, and `{}` a run", left.display(), right.display())]
    Mixed {
        /// The experiment.
        left: PathBuf,
        /// The run.
        right: PathBuf,
    },
    /// A folder is of a run that was not cut.
    #[error("`{}` is no shard: the run in it was not cut", .0.display())]
    NotCut(PathBuf),
    /// Two folders are of different plans.
    #[error("`{}` and `{}` are of different plans\n{}", left.display(), right.display(), differences.join("\n"))]
    OtherPlan {
        /// The one.
        left: PathBuf,
        /// The other.
        right: PathBuf,
        /// What differs, a line each.
        differences: Vec<String>,
    },
    /// Two folders have the same part of the work, and not the same results.
    #[error("`{}` and `{}` differ in {what} {place}", left.display(), right.display())]
    Differs {
        /// The one.
        left: PathBuf,
        /// The other.
        right: PathBuf,
        /// What is there twice.
        what: String,
        /// Where they part.
        place: String,
    },
    /// No folder is there.
    #[error("none of the folders is there")]
    Nothing,
    /// Not all of the plan is there.
    #[error("{0}")]
    Missing(Missing),
}

/// What is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}\n{}", lines.join("\n"))]
pub struct Missing {
    /// How much.
    pub what: String,
    /// What, a line each.
    pub lines: Vec<String>,
    /// What to run.
    pub help: String,
}
