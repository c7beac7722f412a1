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
    /// The merged folder cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The merged folder cannot be written to.
    #[error(transparent)]
    Write(#[from] ObserveError),
    /// The merged folder of a load cannot be created.
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
    /// A folder holds a whole run, not a shard.
    #[error("`{}` is not a shard: it holds a whole run", .0.display())]
    NotCut(PathBuf),
    /// Two folders have different plans.
    #[error("`{}` and `{}` have different plans\n{}", left.display(), right.display(), differences.join("\n"))]
    OtherPlan {
        /// The one.
        left: PathBuf,
        /// The other.
        right: PathBuf,
        /// What differs, a line each.
        differences: Vec<String>,
    },
    /// Two folders have the same part of the work with different results.
    #[error("`{}` and `{}` differ in {what} {place}", left.display(), right.display())]
    Differs {
        /// The one.
        left: PathBuf,
        /// The other.
        right: PathBuf,
        /// The part of the work.
        what: String,
        /// The first difference.
        place: String,
    },
    /// No input folder exists.
    #[error("no input folder exists")]
    Nothing,
    /// A part of the plan is missing.
    #[error("{0}")]
    Missing(Missing),
}

/// What is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}\n{}", lines.join("\n"))]
pub struct Missing {
    /// How much.
    pub what: String,
    /// The missing parts, one line each.
    pub lines: Vec<String>,
    /// The remedy.
    pub help: String,
}
