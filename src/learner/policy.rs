use super::Hashing;

/// A learning policy: Vowpal Wabbit arguments, parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningPolicy {
    arguments: String,
}

/// Something in the arguments that cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PolicyError {
    /// The bytes of the arguments that are meant.
    pub span: std::ops::Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl LearningPolicy {
    /// Parses Vowpal Wabbit arguments.
    ///
    /// # Errors
    /// Everything that cannot be used, in the order of the text.
    pub fn parse(_arguments: &str) -> Result<Self, Vec<PolicyError>> {
        todo!()
    }

    /// The arguments, as they were given, trimmed.
    #[must_use]
    pub fn arguments(&self) -> &str {
        &self.arguments
    }

    /// The value of `--epsilon`, if it is given.
    #[must_use]
    pub fn epsilon(&self) -> Option<f32> {
        todo!()
    }

    /// The same policy with another `--epsilon`; unchanged where the arguments have none.
    #[must_use]
    pub fn with_epsilon(&self, _epsilon: f32) -> Self {
        todo!()
    }

    /// How features become indices under this policy.
    #[must_use]
    pub fn hashing(&self) -> Hashing {
        todo!()
    }
}
