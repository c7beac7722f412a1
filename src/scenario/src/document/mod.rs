//! Texts as trees in which every key and every value knows its place.
//!
//! [`yaml`] is the only module that speaks to the YAML library, [`json`] reads data sets
//! of any size. What the two give is the same [`Node`].

mod interpolation;
pub(super) mod json;
mod name;
mod node;
mod overrides;
mod split_number;
pub(super) mod yaml;

pub(super) use interpolation::interpolate;
pub(super) use name::{ItemName, flat_items, item_names};
pub(super) use node::{Entry, Node, Value, refuse_duplicates};
pub(super) use overrides::{apply_overrides, set};
