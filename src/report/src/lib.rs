//! Pictures of a run, SVG, and reports, HTML.
//!
//! [`success_curve_svg`] shows what the loop learned, [`latency_svg`] how long the calls
//! took, [`line_svg`] anything that goes on over time, [`limit_svg`] a search for a limit. All take plain values, and give the
//! same bytes for the same values. They are made with the kit in [`chart`]; [`html`] makes
//! pages of them.
//!
//! Must not know: the engine, targets.

pub mod chart;
pub mod html;
mod latency;
mod limit_chart;
mod line_chart;
mod lines;
mod success_curve;

pub use latency::{LatencyChart, LatencyCurve, Quantile, latency_svg};
pub use limit_chart::{FoundLimit, LimitChart, LimitTrial, limit_svg};
pub use line_chart::{LineChart, LinePart, LinePoint, LineSeries, Unit};
pub use lines::{Layout, line_svg};
pub use success_curve::{SuccessBatch, SuccessChart, SuccessPhase, success_curve_svg};
