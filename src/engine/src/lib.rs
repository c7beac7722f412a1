//! Runs a plan: walks its phases against a target, and says what happened.
//!
//! The engine is generic over the clock and the target. It emits
//! [`Progress`](record::Progress) in index order to an observer it knows nothing
//! about. Start reading at [`run()`], then `iterate`.
//!
//! Must not know: results, report, cli.

mod apply_policy;
mod configure;
mod evaluate;
mod iterate;
mod pause;
mod reset;
mod run;
mod stop;

pub mod pacing;
pub mod stream;

pub use pause::Operator;
pub use run::{Beginning, Ending, RunError, run};
pub use stop::{Stop, Stopper};
