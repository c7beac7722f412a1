//! Offline evaluation: what would another learning policy have earned on a log?
//!
//! [`validate()`] replays learning policies on a [`Log`] by progressive validation,
//! [`discover()`] searches for better ones, [`Aggregate`] adds up what the contract
//! reports of each. Pure: a log in, numbers out; threads only make it faster.
//!
//! Must not know: files, the loop, the wire.

mod aggregate;
pub mod analysis;
mod discover;
mod log;
mod parallel;
pub mod run;
mod validate;

pub use aggregate::{Aggregate, WINDOW, window};
pub use discover::{Discovered, discover, held_out_from};
pub use log::Log;
pub use validate::{PolicyTrace, validate};
