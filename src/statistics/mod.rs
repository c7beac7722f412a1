//! Intervals, paired tests and quantile comparison; results carry their warnings.
//!
//! Must not know: files, runs.

mod confidence;
mod moments;
pub mod quantile;
mod sum;

pub use confidence::{Confidence, Interval};
pub use moments::Moments;
pub use sum::Sum;

/// A number of things as a float, for means and the like.
#[expect(clippy::cast_precision_loss, reason = "2^53 examples are out of reach")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}
