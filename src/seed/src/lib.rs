//! Randomness with an address.
//!
//! Every draw of a run is a pure function of (seed, phase, iteration, purpose):
//! it does not matter how many draws were made before, by whom, or in which order.
//! So the population of requests is the same at any concurrency, rate, target and
//! shard count, and a new kind of draw moves no other.
//!
//! The generator is `ChaCha8`; the conversions from its bits are written out here
//! because distributions of random-number crates may change between versions.
//!
//! Must not know: what is drawn for.

mod address;
mod draws;
mod source;

pub use address::{PhaseKey, Purpose, Seed};
pub use draws::Draws;
pub use source::Source;
