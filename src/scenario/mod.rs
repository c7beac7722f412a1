//! From a YAML file to a [`Plan`]: everything that can be known before a call is sent.
//!
//! Three stages: document (YAML with positions) → scenario (valid in itself) → plan
//! (files read, policies parsed, limits checked). Every mistake found on the way is
//! reported, all at once, each at its line. Nothing runs before a plan exists.
//!
//! Must not know: the network, the engine.

mod delay;
pub mod plan;

pub use plan::Plan;
