//! From JSON to hashed features, and their interactions.

mod event;
mod event_terms;
mod example;
mod hash;
mod interactions;
mod products;
mod terms;

pub use event::{Event, Label};
pub use event_terms::EventTerms;
pub use example::{Example, ExampleBuilder};
pub use hash::{HashMode, Hashing, uniform_hash};
pub use interactions::Interactions;
pub use terms::{Term, TermMaker, WholeIndices};

/// The slot of the constant feature (`constant.h`).
pub const CONSTANT_SLOT: u8 = 128;

/// The index of the constant feature (`constant.h`).
pub const CONSTANT_INDEX: u32 = 11_650_396;
