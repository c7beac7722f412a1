use super::Estimate;
use super::counted::Counted;
use crate::{Confidence, Interval, quantile, real};

/// Sums over scores s, each with a count of c events.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Scores {
    /// The number of scores.
    pub lines: u64,
    /// Of c, c·s and c²·s².
    sums: Counted<3, 2>,
}

/// The mean of scores of which each stands for `count` events: Σ c·s / Σ c, and its variance
/// by the delta method, n/(n - 1) · Σ c²(s - mean)² / (Σ c)².
///
/// With every count 1 these are the sample mean and the usual squared standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ratio {
    pub lines: u64,
    /// Σ c and Σ c²
    pub counts: f64,
    pub squared_counts: f64,
    /// Σ c·s and Σ c²·s
    pub scored: f64,
    pub squared_scored: f64,
    /// Σ c²·s²
    pub ccss: f64,
}

impl Scores {
    #[inline]
    pub fn add(&mut self, count: f64, score: f64) {
        self.lines += 1;
        let scored = count * score;
        self.sums.add(count, [count, scored, scored * scored]);
    }

    pub fn ratio(&self) -> Ratio {
        let [counts, scored, ccss] = self.sums.once();
        let [squared_counts, squared_scored] = self.sums.squared();
        Ratio { lines: self.lines, counts, squared_counts, scored, squared_scored, ccss }
    }
}

impl Ratio {
    pub fn lines(&self) -> f64 {
        real(self.lines)
    }

    /// The mean; without scores not a number.
    pub fn mean(&self) -> f64 {
        self.scored / self.counts
    }

    /// Σ c²(s - mean)²
    pub fn spread(&self) -> f64 {
        let mean = self.mean();
        let spread = self.ccss - mean * (2.0 * self.squared_scored - mean * self.squared_counts);
        spread.max(0.0)
    }

    /// The mean and its normal interval; two scores at least.
    pub fn estimate(&self, confidence: Confidence) -> Estimate {
        let n = self.lines();
        let error = libm::sqrt(self.spread() * n / (n - 1.0)) / self.counts;
        let half_width = quantile::normal(confidence.upper_tail()) * error;
        Estimate::new(self.mean(), Interval::around(self.mean(), half_width))
    }
}
