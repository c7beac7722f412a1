use serde::{Deserialize, Serialize};

use super::{Expectation, Measured, Sign, Term, Test};
use crate::metric::{Dimension, Metric, Quantity};
use crate::summary::Summary;
use crate::tally::PhaseTally;

/// The result of judging an expectation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The expectation as it was written.
    pub text: String,
    /// The observed value.
    pub observed: Option<Quantity>,
    /// Whether it holds.
    pub holds: Holds,
    /// Why there is no observed value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether an expectation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// It does.
    Held,
    /// It does not.
    Failed,
    /// There is nothing to judge by. This is not a pass.
    NoSamples,
}

/// Judges a run: each expectation in the order given, and then the implied ones that fail.
#[must_use]
pub fn judge(expectations: &[Expectation], summary: &Summary) -> Vec<Verdict> {
    let judged = expectations.iter().map(|expectation| expectation.judge(summary));
    judged.chain(implied(summary, expectations)).collect()
}

/// Judges a run that goes on, each phase by the iterations that it has made. The `reason` of such a
/// verdict says how many these are.
#[must_use]
pub fn judge_so_far(expectations: &[Expectation], summary: &Summary) -> Vec<Verdict> {
    let judged = expectations.iter().map(|expectation| {
        let verdict = expectation.judge(summary);
        let so_far = expectation.of_what_was_made(summary).judge(summary);
        match so_far.holds {
            Holds::NoSamples => verdict,
            Holds::Held | Holds::Failed => Verdict { reason: verdict.reason, ..so_far },
        }
    });
    judged.chain(implied(summary, expectations)).collect()
}

impl Expectation {
    /// The same, as if its phases made no more iterations than they have.
    fn of_what_was_made(&self, summary: &Summary) -> Self {
        let cut = |term: &Term| {
            let made = summary.phase(&term.phase).map_or(0, PhaseTally::iterations);
            Term { iterations: made, ..term.clone() }
        };
        let right = self.right.as_ref().map(|(sign, term)| (*sign, cut(term)));
        Self { left: cut(&self.left), right, ..self.clone() }
    }

    /// Compares with what happened. A phase that was cut short has no samples: its
    /// numbers are not those that were expected.
    fn judge(&self, summary: &Summary) -> Verdict {
        let (observed, holds, reason) = match self.observe(summary) {
            Ok(value) => {
                let dimension = self.left.definition.dimension;
                (Some(Quantity { value, dimension }), self.test.holds(value), None)
            }
            Err(reason) => (None, Holds::NoSamples, Some(reason)),
        };
        Verdict { text: self.text.clone(), observed, holds, reason }
    }

    fn terms(&self) -> impl Iterator<Item = &Term> {
        std::iter::once(&self.left).chain(self.right.as_ref().map(|(_, term)| term))
    }

    fn observe(&self, summary: &Summary) -> Result<f64, String> {
        let left = self.left.measure(summary.phases())?;
        let Some((sign, right)) = &self.right else { return Ok(left) };
        let right = right.measure(summary.phases())?;
        Ok(match sign {
            Sign::Plus => left + right,
            Sign::Minus => left - right,
        })
    }
}

impl Term {
    /// The metric in a run of these phases. A phase that was cut short has no samples.
    ///
    /// # Errors
    /// Why there is nothing to measure.
    pub fn measure(&self, phases: &[PhaseTally]) -> Result<f64, String> {
        self.reached(self.observe(phases)?)
    }

    /// The number of what was measured.
    ///
    /// # Errors
    /// When what was waited for did not come.
    pub fn reached(&self, measured: Measured) -> Result<f64, String> {
        match measured {
            Measured::Value(value) => Ok(value),
            Measured::MoreThan(iterations) => {
                Err(format!("`{}` was not reached in {iterations} iterations", self.text))
            }
        }
    }

    /// Whether it can be measured in these phases. A phase with a reduced history lacks some measures.
    #[must_use]
    pub fn is_known_of(&self, phases: &[PhaseTally]) -> bool {
        let mut phases = phases.iter().filter(|tally| tally.name() == self.phase);
        self.window.is_none() || phases.all(|tally| tally.has_windows_of(self.definition.metric))
    }

    /// The same, where it is said too of what was not reached that it takes more than the
    /// phase has.
    ///
    /// # Errors
    /// Why there is nothing to measure.
    pub fn observe(&self, phases: &[PhaseTally]) -> Result<Measured, String> {
        let phase = &self.phase;
        let tally = phases.iter().find(|tally| tally.name() == phase);
        let tally = tally.ok_or_else(|| format!("phase `{phase}` did not run"))?;
        let (made, planned) = (tally.iterations(), self.iterations);
        if made != planned {
            return Err(format!("phase `{phase}` made {made} of {planned} iterations"));
        }
        if let (true, Some(why)) = (self.is_of_the_service(), tally.saturation()) {
            return Err(why);
        }
        if let Some(threshold) = self.threshold {
            return Ok(reached(tally.iterations_to(threshold), made));
        }
        if !self.is_known_of(phases) {
            return Err(format!("`{}` is not known of windows of reduced results", self.text));
        }
        let value = tally.measure(self.definition.metric, self.window.clone());
        let value = value.map(Measured::Value);
        value.ok_or_else(|| format!("`{phase}.{}` has no samples", self.definition.name))
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
fn reached(after: Option<u64>, of: u64) -> Measured {
    after.map_or(Measured::MoreThan(of as f64), |after| Measured::Value(after as f64))
}

impl Term {
    /// Whether it says how long the service took, which a runner that was late itself
    /// does not know.
    fn is_of_the_service(&self) -> bool {
        matches!(self.definition.metric, Metric::Latency(..) | Metric::Service(_))
    }
}

/// Expectations that hold without being written: nothing is dropped and no answer breaks
/// the contract, unless an expectation limits it. Only failures are returned.
fn implied(summary: &Summary, expectations: &[Expectation]) -> Vec<Verdict> {
    let is_said = |phase: &str, metric: Metric| {
        let mut terms = expectations.iter().flat_map(Expectation::terms);
        terms.any(|term| term.phase == phase && term.definition.metric == metric)
    };
    let of = |phase: &PhaseTally| {
        [
            (Metric::Dropped, "dropped", phase.dropped(), "what is dropped has no latency"),
            (Metric::Violations, "violations", phase.violations(), "wrong answers teach nothing"),
        ]
        .into_iter()
        .filter(|(metric, _, count, _)| *count > 0 && !is_said(phase.name(), *metric))
        .map(|(_, name, count, why)| failed_implicitly(phase.name(), name, count, why))
        .collect::<Vec<_>>()
    };
    summary.phases().iter().flat_map(of).collect()
}

#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
fn failed_implicitly(phase: &str, metric: &str, count: u64, why: &str) -> Verdict {
    Verdict {
        text: format!("{phase}.{metric} == 0"),
        observed: Some(Quantity { value: count as f64, dimension: Dimension::Count }),
        holds: Holds::Failed,
        reason: Some(format!("implied: {why}")),
    }
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
    use record::Progress;

    use super::Holds::{Failed, Held, NoSamples};
    use super::*;
    use crate::expectation::{NO_TAGS, PhaseScope};

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

    /// What holds so far is not what holds: the reason stays. A phase that has not begun has nothing
    /// to be judged by.
    #[test]
    fn what_a_phase_has_made_is_judged_so_far() {
        use crate::sample::{iteration, phase_ended, phase_started};
        let scope = |name| PhaseScope { name, iterations: Some(10), slots: 0, tags: &NO_TAGS };
        let phases = [scope("first"), scope("second"), scope("third")];
        let texts = [
            "first.success_rate > 0.9",
            "second.success_rate > 0.9",
            "second.success_rate < 0.9",
            "second.success_rate[8..] < 0.9",
            "third.success_rate > 0.9",
        ];
        let expectations = texts.map(|text| Expectation::parse(text, &phases).unwrap());
        let mut summary = Summary::new(phases);
        for phase in 0..2 {
            summary.observe(&phase_started(phase));
            let made = if phase == 0 { 10 } else { 4 };
            for number in 0..made {
                summary.observe(&Progress::Iteration(iteration(phase, number, true)));
            }
        }
        summary.observe(&phase_ended(0));
        let so_far = judge_so_far(&expectations, &summary);
        let holds: Vec<Holds> = so_far.iter().map(|verdict| verdict.holds).collect();
        assert_eq!(holds, [Held, Held, Failed, NoSamples, NoSamples], "{so_far:#?}");
        assert_eq!(so_far[0].reason, None);
        let reason = Some("phase `second` made 4 of 10 iterations");
        assert!(so_far[1..4].iter().all(|verdict| verdict.reason.as_deref() == reason));
        let at_the_end = judge(&expectations, &summary);
        assert_eq!((at_the_end[0].holds, at_the_end[1].holds), (Held, NoSamples));
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
