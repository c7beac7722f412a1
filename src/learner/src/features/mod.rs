//! From JSON to hashed features, and their interactions.

mod event;
mod event_terms;
mod example;
mod hash;
mod interactions;
mod products;
mod terms;

pub use event::{Event, EventSlot, Label};
pub use event_terms::EventTerms;
pub use example::{Example, ExampleBuilder};
pub(crate) use example::{Feature, Slot as NamespaceSlot};
pub use hash::{HashMode, Hashing, uniform_hash};
pub use interactions::Interactions;
pub use terms::{Places, Term, TermMaker, WholeIndices};

/// The slot of the constant feature (`constant.h`).
pub const CONSTANT_SLOT: u8 = 128;

/// The slot of what is known of a place to fill and has no namespace (`constant.h`,
/// `CCB_SLOT_NAMESPACE`).
pub const PLACE_SLOT: u8 = 139;

/// The slot of the number of a place to fill (`constant.h`, `CCB_ID_NAMESPACE`).
pub const PLACE_NUMBER_SLOT: u8 = 140;

/// The slot of what has no namespace (`constant.h`, `DEFAULT_NAMESPACE`).
pub const DEFAULT_SLOT: u8 = b' ';

/// The index of the constant feature (`constant.h`).
pub const CONSTANT_INDEX: u32 = 11_650_396;
