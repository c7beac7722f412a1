use super::Estimates;
use std::fmt::{Display, Formatter, Result};

/// Below this many examples' worth of weight an estimate hangs on chance.
const FEW_EFFECTIVE: f64 = 50.0;
/// Below this share of matching examples the log is about something else.
const LOW_MATCH: f64 = 0.01;
/// Above this share of all weight one example decides.
const HIGH_SHARE: f64 = 0.1;
/// Further from one, in standard errors, the log's probabilities are wrong.
const FAR_FROM_ONE: f64 = 3.0;

/// How well a log covers a policy. Zeros without examples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Overlap {
    /// (Σ w)² / Σ w²: as many examples of the policy's own would say as much.
    pub effective_examples: f64,
    /// The share of examples whose action the policy may take.
    pub match_fraction: f64,
    /// The largest weight as a share of all weight.
    pub highest_share: f64,
    /// The mean weight: near one where the log's probabilities are right.
    pub mean_weight: f64,
    /// The distance of the mean weight from one, in standard errors.
    pub mean_weight_z: f64,
}

/// Why an estimate should not be trusted as it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Warning {
    /// The effective number of examples is below 50.
    FewEffective(f64),
    /// The policy may take the actions of less than 1 % of the examples.
    LowMatch(f64),
    /// One example carries more than a tenth of all weight.
    HighShare(f64),
    /// The mean weight is further than three standard errors from one.
    MeanWeight {
        /// The mean weight.
        mean: f64,
        /// Its distance from one in standard errors.
        z: f64,
    },
}

impl Display for Warning {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::FewEffective(examples) => {
                write!(f, "the log is worth {examples:.0} examples of this policy, below 50")
            }
            Self::LowMatch(fraction) => {
                write!(f, "only {:.2} % of the examples match the policy", 100.0 * fraction)
            }
            Self::HighShare(share) => {
                write!(f, "one example carries {:.0} % of all weight", 100.0 * share)
            }
            Self::MeanWeight { mean, z } => write!(
                f,
                "weights average {mean:.3} instead of 1 ({z:+.1} standard errors): \
                 the probabilities of the log look wrong"
            ),
        }
    }
}

impl Estimates {
    /// How well the log covers the policy.
    pub fn overlap(&self) -> Overlap {
        let (n, weights, squares) = (self.count(), self.w.value(), self.ww.value());
        Overlap {
            effective_examples: ratio(weights * weights, squares),
            match_fraction: ratio(crate::real(self.matched), n),
            highest_share: ratio(self.highest_weight, weights),
            mean_weight: ratio(weights, n),
            mean_weight_z: self.mean_weight_z(),
        }
    }

    /// What to tell whoever reads an estimate; empty when nothing speaks against it.
    pub fn warnings(&self) -> Vec<Warning> {
        let overlap = self.overlap();
        let z = overlap.mean_weight_z;
        let candidates = [
            (overlap.effective_examples < FEW_EFFECTIVE)
                .then_some(Warning::FewEffective(overlap.effective_examples)),
            (overlap.match_fraction < LOW_MATCH)
                .then_some(Warning::LowMatch(overlap.match_fraction)),
            (overlap.highest_share > HIGH_SHARE)
                .then_some(Warning::HighShare(overlap.highest_share)),
            (z.abs() > FAR_FROM_ONE)
                .then_some(Warning::MeanWeight { mean: overlap.mean_weight, z }),
        ];
        candidates.into_iter().flatten().collect()
    }

    /// Zero for weights that are all one: the logging policy judged by its own log.
    fn mean_weight_z(&self) -> f64 {
        let (n, mean) = (self.count(), ratio(self.w.value(), self.count()));
        let variance = ratio(self.ww.value() - n * mean * mean, n - 1.0).max(0.0);
        let apart = mean - 1.0;
        // Rounding of p/q alone must not look like a standard error.
        if self.examples < 2 || apart.abs() < 1e-12 {
            return 0.0;
        }
        apart / libm::sqrt(variance / n)
    }
}

/// A ratio, zero where there is nothing to divide by.
fn ratio(of: f64, by: f64) -> f64 {
    if by > 0.0 { of / by } else { 0.0 }
}
