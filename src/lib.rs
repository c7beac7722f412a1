//! `runner` drives Rank → Reward experiments against a Personalizer-compatible
//! service, or against the learning loop it carries inside.
//!
//! The rooms, ground floor first. A room uses rooms above it in this list, never
//! below; `tests/architecture.rs` keeps it so.

pub mod seed;

pub mod clock;

pub mod diagnostic;

pub mod shard;

pub mod store;

pub mod statistics;

pub mod protocol;

pub mod record;

pub mod metrics;

pub mod learner;

pub mod evaluation;

pub mod scenario;

pub mod submit;

pub mod learning_loop;

pub mod results;

pub mod comparison;

pub mod merge;

pub mod target;

pub mod engine;

pub mod experiment;

pub mod report;

pub mod cli;
