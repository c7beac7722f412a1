//! The model of a scenario file: one description, from which both the check of a file
//! and the JSON Schema are made, so that the two cannot disagree.
//!
//! Start reading at [`description`].

mod check;
mod description;
mod message;
mod scalar;
mod schema;
mod shape;
#[cfg(test)]
mod tests;

pub(super) use check::{check, check_gates, check_loop};
pub(super) use description::is_feature_name;
pub(super) use scalar::{Share, as_count, as_integer, duration, rate, seed_range, share};
pub use schema::schema;
