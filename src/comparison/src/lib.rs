//! Learning policies compared, honestly: by runs, never by the events in them.
//!
//! Events of one run depend on each other: all of them follow from what the run has learned so
//! far. A test that treats them as independent finds a difference between two identical
//! policies in 22 to 71 % of the cases. So the unit is the run: one number for each
//! seed. Runs of one seed make a pair, and fewer than five pairs are only described.
//!
//! Must not know: the engine, the target, cli.

mod baseline;
mod curve;
mod difference;
mod divergence;
mod gate;
mod null;
mod sample;
mod terms;

pub use baseline::{Baseline, Provenance, write_baseline};
pub use curve::{CurvePoint, difference_curve, mean_curve};
pub use difference::{Comparison, Description, Difference, Estimate, Finding, compare};
pub use divergence::{Divergence, TraceComparison, compare_traces, divergence, is_same_trace};
pub use gate::{
    Designs, GateOutcome, GateVerdict, are_indistinguishable, judge_between, judge_within,
    refuse_identical,
};
pub use null::{NullComparison, null};
pub use sample::{Group, JoinError, RunTrace, Sample, groups, of_run, under_way};
pub use terms::default_terms;
