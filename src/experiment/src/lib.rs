//! Runs the cells of an experiment: many virtual worlds at once, on all cores, or runs against
//! live targets, one after the other.
//!
//! Each virtual world has a separate clock, loop and random draws, so neither the order in which
//! cells run nor the number of threads changes a bit of them. Runs against live targets are
//! measurements: they follow each other in the order of the matrix. A cell that fails or panics
//! does not affect the others.
//!
//! Must not know: report, cli.

mod cell;
mod cell_folder;
mod pool;
mod preparation;

pub use cell_folder::CellFolders;
pub use pool::{Completion, Listener, Listeners, Work, run};
