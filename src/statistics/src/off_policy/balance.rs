use crate::real;
use crate::sum::Sums;

/// Whether numbers of which the log's probabilities imply mean and variance average to that.
///
/// Weights π(a)/p(a) average one, and 1/p(a) the number of actions with a probability above
/// zero, if the logged actions were drawn with the logged probabilities. The test is
/// Freedman's inequality ("On tail probabilities for martingales", Annals of Probability
/// 1975, theorem 1.6), which holds at any number of events, however rare actions are and
/// however the logging policy learned from earlier events.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Balance {
    examples: u64,
    /// Σ (value - mean), and Σ variances.
    excess_and_variance: Sums<2>,
    /// How far one value can lie above its mean, and below.
    highest: f64,
    lowest: f64,
}

impl Balance {
    /// A balance is off when it is at least as unlikely as this, on its side: three
    /// standard errors of the normal law.
    const UNLIKELY: f64 = 0.001_35;
    /// A mean within this of what it should be is near enough, however many events say so:
    /// probabilities are often written with few digits.
    const NEAR: f64 = 0.01;

    /// Adds a value by its distance from its mean; it has the given variance and lies
    /// between `lowest` below its mean and `highest` above.
    #[inline]
    pub fn add(&mut self, excess: f64, variance: f64, lowest: f64, highest: f64) {
        self.examples += 1;
        self.excess_and_variance.add([excess, variance.max(0.0)]);
        self.highest = self.highest.max(highest);
        self.lowest = self.lowest.max(lowest);
    }

    fn excess(&self) -> f64 {
        self.excess_and_variance.values()[0]
    }

    fn variance(&self) -> f64 {
        self.excess_and_variance.values()[1]
    }

    /// The mean distance from the mean; zero without values.
    pub fn mean_excess(&self) -> f64 {
        if self.examples == 0 { 0.0 } else { self.excess() / real(self.examples) }
    }

    /// The distance of the mean from what it should be, in standard errors; none where
    /// nothing can vary.
    pub fn standard_errors(&self) -> Option<f64> {
        let error = libm::sqrt(self.variance());
        (error > 0.0).then(|| self.excess() / error)
    }

    /// Whether the mean is too far from what it should be for the probabilities to be right.
    /// `unit` is the mean that it should be.
    pub fn is_off(&self, unit: f64) -> bool {
        self.mean_excess().abs() > Self::NEAR * unit && self.tail() < Self::UNLIKELY
    }

    /// An upper bound of the probability of a sum as far out, on its side.
    fn tail(&self) -> f64 {
        let sum = self.excess();
        let jump = if sum > 0.0 { self.highest } else { self.lowest };
        let spread = self.variance() + jump * sum.abs() / 3.0;
        libm::exp(-sum * sum / (2.0 * spread))
    }
}
