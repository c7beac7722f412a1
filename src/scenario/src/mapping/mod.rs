//! Compiles the calls of a service with a contract of its own to a [`Mapping`](plan::Mapping), and
//! reports every mistake at its place.

mod answers;
mod build;
mod compile;
mod known;
mod offer;

pub(super) use build::{World, mapping, refuse_parts};
