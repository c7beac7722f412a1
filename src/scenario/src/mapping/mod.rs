//! Compiles how a service is called that is not shaped like Personalizer: every mistake is found
//! here, at its place. What it is compiled to is a [`Mapping`](plan::Mapping).

mod answers;
mod build;
mod compile;
mod known;
mod offer;

pub(super) use build::{World, mapping, refuse_parts};
