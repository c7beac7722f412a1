use std::fmt::{Display, Formatter};

use super::LogPlace;
use crate::FailureCause;

/// A policy that could not be replayed to the end: nothing of it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFailure {
    /// The name of the policy.
    pub policy: String,
    /// The event at which it failed.
    pub place: LogPlace,
    /// Why it failed.
    pub cause: FailureCause,
}

impl Display for PolicyFailure {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let LogPlace { log, line, .. } = &self.place;
        write!(f, "{log}:{line}: {}", self.cause)
    }
}
