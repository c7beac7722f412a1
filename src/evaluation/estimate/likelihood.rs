use super::{Unusable, Weights};
use crate::statistics::{Sum, real};

/// The empirical likelihood estimate, which needs every example again.
///
/// Unlike [`super::Estimates`] it keeps the examples: memory grows with the log, and a
/// merge keeps those of both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Likelihood {
    /// Weight and reward of each example.
    examples: Vec<(f64, f64)>,
}

impl Likelihood {
    /// Adds an example, as [`super::Estimates::add`] does.
    pub fn add(&mut self, probability: f64, logged: f64, reward: f64) {
        self.examples.push((probability / logged, reward));
    }

    /// Adds the examples of another.
    pub fn merge(&mut self, other: &Self) {
        self.examples.extend_from_slice(&other.examples);
    }

    /// The mean reward under the likeliest reweighting of the log whose weights average
    /// one (Karampatziakis, Langford, Mineiro, NeurIPS 2020, arXiv 1906.03323; `mle` of
    /// vw-estimators). `weights` are widened by the weights seen. A point only: its
    /// usual interval is that of [`super::Estimates::cressie_read`].
    ///
    /// # Errors
    ///
    /// [`Unusable`] where the log has too few examples or none that match.
    pub fn value(&self, weights: Weights) -> Result<f64, Unusable> {
        self.usable()?;
        let dual = self.dual(weights);
        let n = self.count();
        let mass = |weight: f64| weight / ((weight - 1.0) * dual + n);
        let used: Sum = self.examples.iter().map(|(w, _)| mass(*w)).collect();
        let earned: Sum = self.examples.iter().map(|(w, r)| mass(*w) * r).collect();
        let logged: Sum = self.examples.iter().map(|(_, r)| *r).collect();
        Ok(earned.value() + (1.0 - used.value()).max(0.0) * logged.value() / n)
    }

    fn usable(&self) -> Result<(), Unusable> {
        if self.examples.len() < 2 {
            return Err(Unusable::TooFew { examples: self.examples.len() as u64 });
        }
        let matched = self.examples.iter().any(|(weight, _)| *weight > 0.0);
        matched.then_some(()).ok_or(Unusable::NoOverlap)
    }

    fn count(&self) -> f64 {
        real(self.examples.len() as u64)
    }

    /// The dual variable β at which the constraint on the mean weight is met, or the end
    /// of its range that is nearer to meeting it.
    fn dual(&self, weights: Weights) -> f64 {
        let [mut lower, mut upper] = self.range(weights);
        let (at_lower, at_upper) = (self.gradient(lower), self.gradient(upper));
        if at_lower * at_upper >= 0.0 {
            return if at_lower < 0.0 { lower } else { upper };
        }
        // The gradient falls in β, so halving until neighbours remain finds its zero.
        loop {
            let middle = f64::midpoint(lower, upper);
            if middle <= lower || middle >= upper {
                return middle;
            }
            if self.gradient(middle) * at_lower > 0.0 { lower = middle } else { upper = middle }
        }
    }

    /// Where every example keeps a mass between nothing and all.
    fn range(&self, weights: Weights) -> [f64; 2] {
        let n = self.count();
        let seen = || self.examples.iter().map(|(weight, _)| *weight);
        let highest = seen().fold(weights.highest, f64::max);
        let lowest = seen().fold(weights.lowest, f64::min);
        let pole = |weight: f64| (n - 1.0) / (1.0 - weight);
        let free = if highest == f64::INFINITY { 0.0 } else { n / (1.0 - highest) };
        let lower = seen().filter(|weight| *weight > 1.0).map(pole).fold(free, f64::max);
        let most = n / (1.0 - lowest);
        let upper = seen().filter(|weight| *weight < 1.0).map(pole).fold(most, f64::min);
        [lower, upper]
    }

    fn gradient(&self, dual: f64) -> f64 {
        let n = self.count();
        let term = |weight: f64| (weight - 1.0) / ((weight - 1.0) * dual + n);
        self.examples.iter().map(|(weight, _)| term(*weight)).collect::<Sum>().value()
    }
}
