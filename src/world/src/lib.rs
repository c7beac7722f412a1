//! Runs a plan in the world it asks for: whose time passes, and what is called.
//!
//! The engine is generic over the clock and the target; here each pair that a plan can ask for is
//! chosen, and so compiled: crates above this one hold no code that runs once an iteration.
//!
//! Must not know: results, experiments, the command line.

mod served;
mod simulated;
mod world;

pub use simulated::simulate;
pub use world::{Work, block_on, execute, work};
