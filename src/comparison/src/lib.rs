//! Learning policies compared, honestly: by runs, never by the events in them.
//!
//! Events of one run depend on each other: all of them stand on what the run learned so
//! far. A test that takes them for independent finds a difference between two identical
//! policies in 22 to 71 % of the cases. So the unit is the run: one number for each
//! seed, runs of one seed make a pair, and one run each is a description.
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

pub use baseline::{Baseline, KeptGroup, KeptRun, Provenance};
pub use curve::{CurvePoint, curves, difference_curve};
pub use difference::{Comparison, Difference, Estimate, Finding, compare};
pub use divergence::{Divergence, Parting, divergence, parting};
pub use gate::{GateVerdict, Outcome, judge};
pub use null::{Null, null};
pub use sample::{Footprint, Group, Sample, groups, of_run};
pub use terms::usual_terms;
