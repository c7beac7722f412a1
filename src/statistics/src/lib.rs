//! Intervals, t tests, bands, and off-policy estimation; results carry their warnings.
//!
//! Must not know: files, runs.

mod band;
mod confidence;
mod excess;
mod limit;
mod mixture;
mod moments;
mod multiplicity;
pub mod off_policy;
mod paired;
mod power;
pub mod propensity;
pub mod quantile;
mod sequential;
mod sign_flip;
mod sum;

pub use band::{Band, band};
pub use confidence::{Confidence, Interval};
pub use excess::Excess;
pub use limit::{Limit, LimitRange, LimitSearch};
pub use moments::Moments;
pub use multiplicity::holm;
pub use paired::{Analysis, FEWEST_RUNS, Runs, Spread, TTest};
pub use power::{Planning, power};
pub use sequential::{Look, Sequential};
pub use sign_flip::{SignFlip, sign_flip};
pub use sum::Sum;

/// A number of things as a float, for means and the like.
#[expect(clippy::cast_precision_loss, reason = "2^53 examples are out of reach")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}
