/// Something that must hold at the end of a run, for example
/// `validation.success_rate >= 0.80`.
#[derive(Debug, Clone)]
pub struct Expectation {
    text: String,
}

/// What an expectation may speak of: a phase of the scenario.
#[derive(Debug, Clone, Copy)]
pub struct PhaseScope<'a> {
    /// The name of the phase.
    pub name: &'a str,
    /// How many iterations it makes; `None` for a phase that makes none.
    pub iterations: Option<u64>,
}

/// Something in an expectation that cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpectationError {
    /// The bytes of the text that are meant.
    pub span: std::ops::Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Expectation {
    /// Parses an expectation about a scenario with these phases.
    ///
    /// # Errors
    /// What cannot be understood, and metrics and phases that do not exist.
    pub fn parse(_text: &str, _phases: &[PhaseScope<'_>]) -> Result<Self, Vec<ExpectationError>> {
        todo!()
    }

    /// The expectation as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}
