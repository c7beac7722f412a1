use super::Estimates;

/// How well a log covers a policy. Zeros without examples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overlap {
    /// (Σ w)² / Σ w²: as many events of the policy's own would say as much (Kish 1965).
    pub effective_examples: f64,
    /// The share of events whose action the policy may take.
    pub match_fraction: f64,
    /// The largest weight as a share of all weight.
    pub highest_share: f64,
    /// The mean weight: near one where the log's probabilities are right.
    pub mean_weight: f64,
}

impl Estimates {
    /// How well the log covers the policy.
    pub fn overlap(&self) -> Overlap {
        let (events, weights) = (self.events(), self.weights());
        Overlap {
            effective_examples: ratio(weights * weights, self.squared_weights()),
            match_fraction: ratio(self.matched(), events),
            highest_share: ratio(self.highest_part, weights),
            mean_weight: ratio(weights, events),
        }
    }
}

/// A ratio, zero where there is nothing to divide by.
fn ratio(of: f64, by: f64) -> f64 {
    if by > 0.0 { of / by } else { 0.0 }
}
