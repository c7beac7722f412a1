//! Success curve, latency histograms and counters over records; expectations, parsed
//! and judged.
//!
//! Must not know: files.

mod expectation;

pub use expectation::{Expectation, ExpectationError, PhaseScope};
