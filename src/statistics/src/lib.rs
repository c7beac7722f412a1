//! Intervals, paired tests and quantile comparison; results carry their warnings.
//!
//! Must not know: files, runs.

mod band;
mod confidence;
mod mcnemar;
mod moments;
mod multiplicity;
pub mod off_policy;
mod paired;
mod proportion;
pub mod quantile;
mod sign_flip;
mod sum;
mod wilcoxon;

pub use band::{Band, band};
pub use confidence::{Confidence, Interval};
pub use mcnemar::mcnemar;
pub use moments::Moments;
pub use multiplicity::{benjamini_hochberg, holm};
pub use paired::{Caution, TTest, paired_t, welch_t};
pub use proportion::Proportion;
pub use sign_flip::{SignFlip, max_t, sign_flip};
pub use sum::Sum;
pub use wilcoxon::{Wilcoxon, wilcoxon};

/// A number of things as a float, for means and the like.
#[expect(clippy::cast_precision_loss, reason = "2^53 examples are out of reach")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}
