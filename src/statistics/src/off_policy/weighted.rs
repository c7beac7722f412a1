//! Inverse propensity scoring: plain, clipped, self-normalised.

use super::{Estimate, Estimates, Unusable};
use crate::{Confidence, Interval, quantile};

impl Estimates {
    /// (1/n) Σ w·r with the normal interval, vw-estimators' `gaussian`: unbiased where
    /// the log's probabilities are right and above zero (Horvitz, Thompson 1952). May
    /// leave the range of rewards.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the log has too few examples or none that match.
    pub fn ips(&self, confidence: Confidence) -> Result<Estimate, Unusable> {
        self.normal_mean(self.wr.value(), self.wwrr.value(), confidence)
    }

    /// (1/n) Σ min(w, cap)·r with the normal interval: less spread, and too low where
    /// rewards are positive.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the log has too few examples or none that match.
    pub fn clipped_ips(&self, confidence: Confidence) -> Result<Estimate, Unusable> {
        self.normal_mean(self.clipped.value(), self.clipped_squares.value(), confidence)
    }

    /// Σ w·r / Σ w with the interval of the delta method (Swaminathan, Joachims 2015):
    /// a mean of rewards, never outside their range; its interval may be.
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the log has too few examples or none that match.
    pub fn snips(&self, confidence: Confidence) -> Result<Estimate, Unusable> {
        self.usable()?;
        let (n, weights) = (self.count(), self.w.value());
        let value = self.wr.value() / weights;
        // Σ (w(r - V))², by its parts.
        let squares =
            self.wwrr.value() - value * (2.0 * self.wwr.value() - value * self.ww.value());
        let error = libm::sqrt(squares.max(0.0) * n / (n - 1.0)) / weights;
        Ok(around(value, error, confidence))
    }

    fn normal_mean(
        &self,
        sum: f64,
        squares: f64,
        confidence: Confidence,
    ) -> Result<Estimate, Unusable> {
        self.usable()?;
        let n = self.count();
        let variance = (squares - sum * sum / n) / (n - 1.0);
        Ok(around(sum / n, libm::sqrt(variance.max(0.0) / n), confidence))
    }
}

/// The normal interval of a value with a standard error.
fn around(value: f64, error: f64, confidence: Confidence) -> Estimate {
    let half_width = quantile::normal(confidence.upper_tail()) * error;
    Estimate::new(value, Interval::around(value, half_width))
}
