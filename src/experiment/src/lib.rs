//! Runs the cells of an experiment: many virtual worlds at once, on all cores.
//!
//! Each cell has a separate clock, loop and random draws, so neither the order in which
//! cells run nor the number of threads changes a bit of them. A cell that fails or panics
//! does not affect the others.
//!
//! Must not know: report, cli.

mod cell;
mod cell_folder;
mod pool;

pub use cell_folder::CellFolders;
pub use pool::{Completion, Listener, Work, run};
