use serde::Serialize;

use super::{Expectation, Sign, Term, Test};
use crate::metrics::metric::{Dimension, Metric, Quantity};
use crate::metrics::summary::Summary;
use crate::metrics::tally::PhaseTally;

/// What became of an expectation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// The expectation as it was written.
    pub text: String,
    /// What was observed instead, or indeed.
    pub observed: Option<Quantity>,
    /// Whether it holds.
    pub holds: Holds,
    /// Why there is nothing to judge by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether an expectation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// It does.
    Held,
    /// It does not.
    Failed,
    /// There is nothing to judge by. This is not a pass.
    NoSamples,
}

impl Expectation {
    /// Compares with what happened. A phase that was cut short has no samples: its
    /// numbers are not those that were expected.
    #[must_use]
    pub fn judge(&self, summary: &Summary) -> Verdict {
        let (observed, holds, reason) = match self.observe(summary) {
            Ok(value) => {
                let dimension = self.left.definition.dimension;
                (Some(Quantity { value, dimension }), self.test.holds(value), None)
            }
            Err(reason) => (None, Holds::NoSamples, Some(reason)),
        };
        Verdict { text: self.text.clone(), observed, holds, reason }
    }

    fn observe(&self, summary: &Summary) -> Result<f64, String> {
        let left = self.left.observe(summary)?;
        let Some((sign, right)) = &self.right else { return Ok(left) };
        let right = right.observe(summary)?;
        Ok(match sign {
            Sign::Plus => left + right,
            Sign::Minus => left - right,
        })
    }
}

impl Term {
    fn observe(&self, summary: &Summary) -> Result<f64, String> {
        let phase = &self.phase;
        let tally = summary.phase(phase).ok_or_else(|| format!("phase `{phase}` did not run"))?;
        let (made, planned) = (tally.iterations(), self.iterations);
        if made != planned {
            return Err(format!("phase `{phase}` made {made} of {planned} iterations"));
        }
        if let (true, Some(why)) = (self.is_of_the_service(), tally.saturation()) {
            return Err(why);
        }
        let value = tally.measure(self.definition.metric, self.window.clone());
        value.ok_or_else(|| format!("`{phase}.{}` has no samples", self.definition.name))
    }
}

impl Term {
    /// Whether it says how long the service took, which a runner that was late itself
    /// does not know.
    fn is_of_the_service(&self) -> bool {
        matches!(self.definition.metric, Metric::Latency(..) | Metric::Service(_))
    }

    fn is_of_what_was_dropped(&self, phase: &str) -> bool {
        self.phase == phase && self.definition.metric == Metric::Dropped
    }
}

/// What nobody asked for and everybody expects: nothing is dropped, unless an
/// expectation says how much may be.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
pub fn drops_nobody_expected(summary: &Summary, expectations: &[Expectation]) -> Vec<Verdict> {
    let is_expected = |phase: &str| {
        let terms = |expectation: &'_ Expectation| {
            let right = expectation.right.as_ref().map(|(_, term)| term.clone());
            std::iter::once(expectation.left.clone()).chain(right)
        };
        expectations.iter().flat_map(terms).any(|term| term.is_of_what_was_dropped(phase))
    };
    let phases = summary.phases().iter().filter(|phase| phase.dropped() > 0);
    let verdict = |phase: &PhaseTally| Verdict {
        text: format!("{}.dropped == 0", phase.name()),
        observed: Some(Quantity { value: phase.dropped() as f64, dimension: Dimension::Count }),
        holds: Holds::Failed,
        reason: Some("implied: what is dropped has no latency".to_owned()),
    };
    phases.filter(|phase| !is_expected(phase.name())).map(verdict).collect()
}

impl Test {
    /// Nothing holds of a number that is not one.
    fn holds(self, value: f64) -> Holds {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let is = |bound: f64| value.partial_cmp(&bound);
        let holds = match self {
            Self::AtLeast(bound) => matches!(is(bound), Some(Greater | Equal)),
            Self::Above(bound) => is(bound) == Some(Greater),
            Self::AtMost(bound) => matches!(is(bound), Some(Less | Equal)),
            Self::Below(bound) => is(bound) == Some(Less),
            Self::Equal(bound) => is(bound) == Some(Equal),
            Self::Unequal(bound) => matches!(is(bound), Some(Less | Greater)),
            Self::Within(low, high) => low <= value && value <= high,
        };
        if holds { Holds::Held } else { Holds::Failed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_holds_of_nan() {
        for test in [
            Test::AtLeast(0.0),
            Test::Above(0.0),
            Test::AtMost(0.0),
            Test::Below(0.0),
            Test::Equal(0.0),
            Test::Unequal(0.0),
            Test::Within(f64::MIN, f64::MAX),
        ] {
            assert_eq!(test.holds(f64::NAN), Holds::Failed, "{test:?}");
        }
    }

    #[test]
    fn ends_belong_to_intervals_and_to_weak_inequalities_only() {
        let held =
            [Test::AtLeast(0.5), Test::AtMost(0.5), Test::Equal(0.5), Test::Within(0.5, 0.5)];
        let failed =
            [Test::Above(0.5), Test::Below(0.5), Test::Unequal(0.5), Test::Within(0.6, 1.0)];
        assert!(held.iter().all(|test| test.holds(0.5) == Holds::Held));
        assert!(failed.iter().all(|test| test.holds(0.5) == Holds::Failed));
    }
}
