//! The numbers of a run while it lasts.
//!
//! [`Telemetry`] takes in what a run emits. [`Telemetry::families`] are its numbers at one
//! moment, which [`prometheus_text`] and [`otlp_json`] write. Labels are phases of the
//! scenario, its expectations, operations and kinds of failures; the number of kinds is bounded.
//!
//! Must not know: the network, files, the engine.

mod family;
mod histogram;
mod numbers;
mod otlp;
mod prometheus;
#[cfg(test)]
mod tests;

pub use family::{Family, Kind, Point, Value};
pub use histogram::Histogram;
pub use numbers::Telemetry;
pub use otlp::{Moment, Resource, otlp_json};
pub use prometheus::{CONTENT_TYPE, prometheus_text};
