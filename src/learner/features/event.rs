use std::sync::Arc;

use super::Example;

/// A choice: the context and the actions.
#[derive(Debug, Clone)]
pub struct Event {
    /// The context.
    pub shared: Arc<Example>,
    /// The actions, in their order.
    pub actions: Arc<[Arc<Example>]>,
    /// Whether the same examples are likely to come again: what is made of them is worth
    /// keeping.
    pub recurs: bool,
}

/// What came of a choice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label {
    /// The index of the action that was taken.
    pub action: usize,
    /// What it cost.
    pub cost: f32,
    /// The probability with which it was taken, in (0, 1].
    pub probability: f32,
    /// How much the event counts: one, but for logs that leave out a share of their
    /// events.
    pub weight: f32,
}

impl Event {
    /// Whether both are made of the same examples: not of equal ones, of the same.
    pub(in crate::learner) fn is(&self, other: &Self) -> bool {
        self.address() == other.address()
    }

    /// Where its examples are in memory, which no other event can have while it is held.
    pub(in crate::learner) fn address(&self) -> (usize, usize) {
        (Arc::as_ptr(&self.shared).addr(), Arc::as_ptr(&self.actions).addr())
    }
}
