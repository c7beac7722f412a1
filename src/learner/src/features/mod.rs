//! From JSON to hashed features, and their interactions.

mod event;
mod event_terms;
mod example;
mod hash;
mod interactions;
mod norm;
mod numbering;
mod products;
mod recurring;
mod terms;

pub use event::{Event, EventSlot, Label};
pub use event_terms::EventTerms;
pub use example::{Example, ExampleBuilder};
pub(crate) use example::{Feature, NamespaceFeatures};
pub use hash::{HashMode, Hashing, uniform_hash};
pub use interactions::Interactions;
pub use numbering::Numbering;
pub use recurring::RecurringEvents;
pub use terms::{Expansion, NormRule, Term, TermMaker, Terms, WeightIndexing, WholeIndices};

/// The namespace of the constant feature (`constant.h`).
pub const CONSTANT_NAMESPACE: u8 = 128;

/// The namespace of a slot's features that have none (`constant.h`,
/// `CCB_SLOT_NAMESPACE`).
pub const SLOT_NAMESPACE: u8 = 139;

/// The namespace of the index of a slot (`constant.h`, `CCB_ID_NAMESPACE`).
pub const SLOT_INDEX_NAMESPACE: u8 = 140;

/// The namespace of features outside of any (`constant.h`, `DEFAULT_NAMESPACE`).
pub const DEFAULT_NAMESPACE: u8 = b' ';

/// The index of the constant feature (`constant.h`).
pub const CONSTANT_INDEX: u32 = 11_650_396;
