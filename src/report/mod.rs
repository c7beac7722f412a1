//! Pictures of a run, as SVG: deterministic bytes, real text, light and dark.
//!
//! Inputs are plain data; [`chart`] is the kit that pictures are made of.
//!
//! Must not know: the engine, targets.

pub mod chart;

mod latency;
mod success;

pub use latency::{LatencyChart, LatencyLine, latency_svg};
pub use success::{Reference, SuccessChart, SuccessPanel, success_curve_svg};
