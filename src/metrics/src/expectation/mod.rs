//! `expect:` of a scenario: a line such as `validation.success_rate >= 0.80`.
//!
//! ```text
//! expectation = expression operator value | expression "in" value ".." value
//! expression  = metric [("+" | "-") metric]
//! metric      = phase "." name ["[" window "]"] | phase ".iterations_to[" percentage "]"
//! window      = [from] ".." [to] | ("first" | "last") (count | percentage)
//! operator    = ">=" | ">" | "<=" | "<" | "==" | "!="
//! value       = 0.8 | 80% | 100ms | 50/s
//! ```
//!
//! `{region: eu}` in place of the first phase stands for each phase with this tag.
//!
//! Both ends of an interval belong to it. Iterations count from 0, and the end of a
//! window does not belong to it.

mod abort;
mod judge;
mod parse;
mod tagged;
mod value;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

pub use abort::{Breach, Guards};
pub use judge::{Holds, Verdict, judge, judge_so_far};

use super::metric::Definition;

/// Something that must hold at the end of a run, for example
/// `validation.success_rate >= 0.80`.
#[derive(Debug, Clone)]
pub struct Expectation {
    text: String,
    left: Term,
    right: Option<(Sign, Term)>,
    test: Test,
    /// When it fails beyond doubt so long after its phase began, the run ends.
    abort: Option<(abort::Limit, Duration)>,
}

/// A metric of a phase, or of a part of it, for example
/// `validation.success_rate[last 25%]`.
#[derive(Debug, Clone)]
pub struct Term {
    text: String,
    phase: String,
    definition: Definition,
    /// How many iterations the phase makes.
    iterations: u64,
    /// The iterations that are meant, if not all.
    window: Option<Range<u64>>,
    /// The success rate to be reached.
    threshold: Option<f64>,
}

/// A metric of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured {
    /// The number.
    Value(f64),
    /// What was waited for did not come within so many iterations: it takes more.
    MoreThan(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Test {
    AtLeast(f64),
    Above(f64),
    AtMost(f64),
    Below(f64),
    Equal(f64),
    Unequal(f64),
    Within(f64, f64),
}

/// What an expectation may speak of: a phase of the scenario.
#[derive(Debug, Clone, Copy)]
pub struct PhaseScope<'a> {
    /// The name of the phase.
    pub name: &'a str,
    /// How many iterations it makes; `None` for a phase that makes none.
    pub iterations: Option<u64>,
    /// How many slots each iteration fills; zero, if it chooses a single action.
    pub slots: usize,
    /// Its tags.
    pub tags: &'a Tags,
}

/// Names and values that go with the numbers of a phase.
pub type Tags = BTreeMap<String, String>;

/// The tags of a phase that has none.
pub static NO_TAGS: Tags = Tags::new();

/// Something in an expectation that cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpectationError {
    /// The bytes of the text that are meant.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Term {
    /// Parses a metric of one of these phases.
    ///
    /// # Errors
    /// What cannot be understood, and metrics, phases and windows that do not exist.
    pub fn parse(text: &str, phases: &[PhaseScope<'_>]) -> Result<Self, Vec<ExpectationError>> {
        parse::parse_term(text, phases)
    }

    /// The metric as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads a difference of this metric, such as `2%` of a share or `5ms` of a latency, in
    /// the unit of the metric.
    ///
    /// # Errors
    /// A text that is no value of this dimension, and a difference that no two values have.
    pub fn value(&self, text: &str) -> Result<f64, ExpectationError> {
        let (span, dimension) = (0..text.len(), self.definition.dimension);
        let value = value::parse_value(text, span.clone(), dimension)?;
        value::check_range(value, text, span, dimension, Some(Sign::Minus))?;
        Ok(value)
    }

    /// The phase.
    #[must_use]
    pub fn phase(&self) -> &str {
        &self.phase
    }

    /// The metric.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.definition
    }
}

impl Expectation {
    /// Parses an expectation about a scenario with these phases.
    ///
    /// # Errors
    /// What cannot be understood, and metrics and phases that do not exist.
    pub fn parse(text: &str, phases: &[PhaseScope<'_>]) -> Result<Self, Vec<ExpectationError>> {
        parse::parse(text, phases)
    }

    /// Parses an expectation that may be of several phases: `{region: eu}.rank.p99 < 50ms` is one
    /// of each phase with this tag.
    ///
    /// # Errors
    /// What cannot be understood, and metrics, phases and tags that do not exist.
    pub fn parse_each(
        text: &str,
        phases: &[PhaseScope<'_>],
    ) -> Result<Vec<Self>, Vec<ExpectationError>> {
        tagged::parse(text, phases)
    }

    /// The expectation as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the metric is compared with, in its unit; none for an interval.
    #[must_use]
    pub fn threshold(&self) -> Option<f64> {
        match self.test {
            Test::AtLeast(bound)
            | Test::Above(bound)
            | Test::AtMost(bound)
            | Test::Below(bound)
            | Test::Equal(bound)
            | Test::Unequal(bound) => Some(bound),
            Test::Within(..) => None,
        }
    }
}

#[cfg(test)]
mod tests;
