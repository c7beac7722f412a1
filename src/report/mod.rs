//! Pictures of a run: SVG.
//!
//! [`success_curve_svg`] shows what the loop learned, [`latency_svg`] how long the calls
//! took. Both take plain values, and give the same bytes for the same values. They are
//! made with the kit in [`chart`].
//!
//! Must not know: the engine, targets.

pub mod chart;
mod latency;
mod success_curve;

pub use latency::{LatencyChart, LatencyCurve, Quantile, latency_svg};
pub use success_curve::{SuccessBatch, SuccessChart, SuccessPhase, success_curve_svg};
