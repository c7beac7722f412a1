//! Events as policies see them.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use learner::{Event, Hashing};
use policy::{Policy, Seen};
use protocol::{FeatureObject, RankableAction};

use crate::FeatureName;

/// How a policy sees events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// In which form.
    pub shape: Shape,
    /// The feature that it does not see, if any.
    pub without: Option<FeatureName>,
}

/// In which form a policy sees events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Hashed, as policies of Vowpal Wabbit do.
    Hashed(Hashing),
    /// As they came: linear policies and programs.
    AsTheyCame,
}

/// An event in the form of a [`View`].
#[derive(Debug, Clone)]
pub enum Viewed {
    /// Hashed.
    Hashed(Event),
    /// As it came.
    AsItCame(SeenEvent),
    /// It has no such form.
    Unseen(Unseen),
}

/// An event as it came.
#[derive(Debug, Clone)]
pub struct SeenEvent {
    /// Its id: random draws for the event are addressed by it.
    pub id: String,
    /// The context.
    pub context: Arc<[FeatureObject]>,
    /// The actions that can be chosen.
    pub actions: Arc<[RankableAction]>,
}

/// Why an event cannot be shown to a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// It has slots to fill.
    Slots,
    /// It numbers its actions only.
    Unlisted,
    /// Its line is not JSON that can be read again.
    Unreadable,
}

impl View {
    /// How a policy sees all features of events.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let shape = match policy {
            Policy::VowpalWabbit(policy) => Shape::Hashed(policy.hashing()),
            Policy::Linear(_) | Policy::Program(_) => Shape::AsTheyCame,
        };
        Self { shape, without: None }
    }
}

impl SeenEvent {
    /// What a model is shown.
    #[must_use]
    pub fn seen(&self) -> Seen<'_> {
        Seen { id: &self.id, context: &self.context, actions: &self.actions }
    }
}

impl Unseen {
    /// What to do about it.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Slots => "use `--ccb_explore_adf` on logs with slots",
            Self::Unlisted => "use `--cb_explore N` on logs that number their actions",
            Self::Unreadable => "expected a line of JSON whose `_multi` lists objects",
        }
    }
}

impl Display for Unseen {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slots => "has slots, which only `--ccb_explore_adf` fills",
            Self::Unlisted => "lists no actions in `_multi`",
            Self::Unreadable => "cannot be shown to the policy as JSON",
        })
    }
}
