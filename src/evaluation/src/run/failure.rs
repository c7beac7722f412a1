use std::any::Any;
use std::fmt::{Display, Formatter};

use super::LogPlace;
use learner::EventMismatch;

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

/// Why a policy could not be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureCause {
    /// The log is not for this policy.
    Event(EventMismatch),
    /// A panic, with its message: a bug of the learner.
    Panic(String),
}

impl FailureCause {
    /// From what a panic left behind.
    pub(super) fn of_panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Self::Panic(text.unwrap_or_default())
    }
}

impl Display for PolicyFailure {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let LogPlace { log, line, .. } = &self.place;
        match &self.cause {
            FailureCause::Event(mismatch) => write!(f, "{log}:{line}: the event {mismatch}"),
            FailureCause::Panic(message) => {
                write!(f, "{log}:{line}: the learner panicked: {message}")
            }
        }
    }
}
