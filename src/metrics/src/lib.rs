//! Success curve, latency histograms and counters over records; expectations, parsed
//! and judged.
//!
//! Everything here takes in [`record::Progress`] values and can be asked at any
//! time. [`REGISTRY`] holds every number that a phase can be asked for by name.
//!
//! Must not know: files.

mod column;
mod curve;
mod expectation;
mod gate;
mod history;
mod interval;
mod latency;
mod metric;
mod off_policy;
mod pace;
mod packed;
mod punctuality;
mod rounded;
#[cfg(any(test, feature = "sample"))]
pub mod sample;
mod state;
mod summary;
mod tagged;
mod tally;
mod timeline;
mod window;

pub use curve::{Batch, SuccessCurve};
pub use expectation::{
    Breach, Expectation, ExpectationError, Guards, Holds, Measured, NO_TAGS, PhaseScope, Tags,
    Term, Verdict, judge, judge_so_far,
};
pub use gate::{Decision, Gate, Requirement};
pub use interval::IntervalLatencies;
pub use latency::{
    HIGHEST_US, Latencies, LatencySummary, PercentileLatency, SIGNIFICANT_DIGITS, micros,
};
pub use metric::{
    Definition, Dimension, Direction, Metric, Operation, Quantity, REGISTRY, SlotMetric, Statistic,
    Takes, definition,
};
pub use off_policy::{Agreement, OffPolicy};
pub use packed::Packed;
pub use rounded::rounded;
pub use state::{PhaseState, PhaseStateError};
pub use summary::{
    AppliedPolicy, Estimate, EvaluationSummary, PolicySummary, Summary, SummaryReport,
};
pub use tagged::Tagged;
pub use tally::{PhaseSummary, PhaseTally, SlotSummary, outcome_label};
pub use timeline::{Second, Timeline};
pub use window::last_tenth;
