use super::Estimate;
use super::counted::Counted;
use crate::{Confidence, Interval, Sum, quantile, real};

/// The mean of scores of which each stands for `count` events: Σ c·s / Σ c, and its variance
/// by the delta method, n/(n - 1) · Σ c²(s - mean)² / (Σ c)².
///
/// With every count 1 these are the sample mean and the usual squared standard error.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Ratio {
    /// The number of scores.
    pub lines: u64,
    /// Σ c and Σ c²
    pub counts: Counted,
    /// Σ c·s and Σ c²·s
    pub scored: Counted,
    /// Σ c²·s²
    pub ccss: Sum,
}

impl Ratio {
    pub fn add(&mut self, count: f64, score: f64) {
        self.lines += 1;
        self.counts.add(count, 1.0);
        let scored = self.scored.add(count, score);
        self.ccss.add(scored * scored);
    }

    pub fn lines(&self) -> f64 {
        real(self.lines)
    }

    /// The mean; without scores not a number.
    pub fn mean(&self) -> f64 {
        self.scored.once.value() / self.counts.once.value()
    }

    /// Σ c²(s - mean)²
    pub fn spread(&self) -> f64 {
        let mean = self.mean();
        let (scored, counts) = (self.scored.squared(), self.counts.squared());
        let spread = self.ccss.value() - mean * (2.0 * scored - mean * counts);
        spread.max(0.0)
    }

    /// The mean and its normal interval; two scores at least.
    pub fn estimate(&self, confidence: Confidence) -> Estimate {
        let n = self.lines();
        let error = libm::sqrt(self.spread() * n / (n - 1.0)) / self.counts.once.value();
        let half_width = quantile::normal(confidence.upper_tail()) * error;
        Estimate::new(self.mean(), Interval::around(self.mean(), half_width))
    }
}
