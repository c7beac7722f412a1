//! The folder of an experiment: a file for each cell, and tables of all of them.
//!
//! A cell is a file named by its key, and is written atomically when it is done. So an
//! experiment can be resumed at any time, and its folder does not depend on the order in
//! which cells were done, or on the number of threads.

mod cell;
mod folder;
mod manifest;
mod read;
mod tables;
mod trace;

pub use cell::CellRecord;
pub use folder::{ExperimentFolder, OpenError};
pub use manifest::{CellEntry, CellStatus, ExperimentManifest, VariantEntry};
pub use read::{
    CellResult, ExperimentResults, StoredCell, cell_bytes, cell_file, is_experiment,
    read_experiment, read_manifest, survey,
};
pub use trace::{Trace, Traced, Tracer};
