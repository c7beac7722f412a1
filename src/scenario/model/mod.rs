//! The model of a scenario file: one description, from which both the check of a file
//! and the JSON Schema are made, so that the two cannot disagree.
//!
//! Start reading at [`description`].

mod check;
mod description;
mod scalar;
mod schema;
mod shape;

pub(super) use check::{as_count, as_integer, check};
pub(super) use scalar::{Share, duration, rate, share};
pub use schema::schema;
