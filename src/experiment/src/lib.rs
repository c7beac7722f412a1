//! Runs the cells of an experiment: many virtual worlds at once, on all cores.
//!
//! A cell is a world of its own, with a clock, a loop and draws of its own, so neither
//! the order in which cells are run nor the number of threads changes a bit of them. A
//! cell that fails, or panics, fails alone.
//!
//! Must not know: report, cli.

mod cell;
mod pool;
mod whole;

pub use pool::{Listener, Outcome, run};
pub use whole::WholeCells;
