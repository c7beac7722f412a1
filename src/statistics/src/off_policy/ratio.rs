use super::Estimate;
use crate::{Confidence, Interval, Sum, quantile, real};

/// The mean of scores of which each stands for `count` events: Σ c·s / Σ c, and its variance
/// by the delta method, n/(n - 1) · Σ c²(s - mean)² / (Σ c)².
///
/// With every count 1 these are the sample mean and the usual squared standard error.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Ratio {
    /// The number of scores.
    pub lines: u64,
    /// Σ c
    pub c: Sum,
    /// Σ c²
    pub cc: Sum,
    /// Σ c·s
    pub cs: Sum,
    /// Σ c²·s
    pub ccs: Sum,
    /// Σ c²·s²
    pub ccss: Sum,
}

impl Ratio {
    pub fn add(&mut self, count: f64, score: f64) {
        let scored = count * score;
        self.lines += 1;
        self.c.add(count);
        self.cc.add(count * count);
        self.cs.add(scored);
        self.ccs.add(count * scored);
        self.ccss.add(scored * scored);
    }

    pub fn lines(&self) -> f64 {
        real(self.lines)
    }

    /// The mean; without scores not a number.
    pub fn mean(&self) -> f64 {
        self.cs.value() / self.c.value()
    }

    /// Σ c²(s - mean)²
    pub fn spread(&self) -> f64 {
        let mean = self.mean();
        let spread = self.ccss.value() - mean * (2.0 * self.ccs.value() - mean * self.cc.value());
        spread.max(0.0)
    }

    /// The mean and its normal interval; two scores at least.
    pub fn estimate(&self, confidence: Confidence) -> Estimate {
        let n = self.lines();
        let error = libm::sqrt(self.spread() * n / (n - 1.0)) / self.c.value();
        let half_width = quantile::normal(confidence.upper_tail()) * error;
        Estimate::new(self.mean(), Interval::around(self.mean(), half_width))
    }
}
