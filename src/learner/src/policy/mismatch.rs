use super::LearningPolicy;
use crate::features::Event;

/// Why a policy cannot choose for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EventMismatch {
    /// The event has slots, and the policy fills none.
    #[error("has slots, which `--cb_explore_adf` and `--cb_explore` do not fill")]
    Slots,
    /// The event numbers its actions only, and the policy learns from their features.
    #[error("lists no actions in `_multi`, from whose features `--cb_explore_adf` learns")]
    Unlisted,
    /// The policy chooses from a fixed number of actions, and the event has another.
    #[error("has {found} actions, and `--cb_explore {expected}` chooses from {expected}")]
    Actions {
        /// How many the event has.
        found: usize,
        /// How many the policy chooses from.
        expected: usize,
    },
}

impl EventMismatch {
    /// What to do about it.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Slots => "use `--ccb_explore_adf` on logs with slots",
            Self::Unlisted => "use `--cb_explore N` on logs that number their actions",
            Self::Actions { .. } => "use `--cb_explore_adf` where the number of actions varies",
        }
    }
}

impl LearningPolicy {
    /// Whether the policy can choose for an event: VW refuses others, or predicts what is no
    /// choice.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn check_event(&self, event: &Event) -> Result<(), EventMismatch> {
        let (found, settings) = (event.actions.len(), &self.settings);
        if event.slots.is_some() && !settings.slots {
            return Err(EventMismatch::Slots);
        }
        match settings.numbered_actions {
            None if !event.listed => Err(EventMismatch::Unlisted),
            Some(expected) if expected as usize != found => {
                Err(EventMismatch::Actions { found, expected: expected as usize })
            }
            _ => Ok(()),
        }
    }
}
