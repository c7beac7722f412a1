//! Runs a plan: goes through its phases against a target, and emits what happens.
//!
//! The engine is generic over the clock and the target. It emits
//! [`Progress`](record::Progress) in index order to an observer it knows nothing
//! about. Start reading at [`run()`], then `iterate`.
//!
//! Must not know: results, report, cli.

mod apply_policy;
mod configure;
mod context;
mod evaluate;
mod first_round;
mod iterate;
mod pacing;
mod pause;
mod questions;
mod reset;
mod run;
mod stop;
mod stream;

pub use context::{Made, RunError, StartPoint};
pub use first_round::{Decided, FirstRound};
pub use pause::Operator;
pub use questions::{Decision, Questions};
pub use run::{Ending, run};
pub use stop::{Stop, Stopper};
