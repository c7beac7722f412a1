use std::sync::Arc;

use super::Example;

/// A choice: the context and the actions.
#[derive(Debug, Clone)]
pub struct Event {
    /// The context.
    pub shared: Arc<Example>,
    /// The actions, in their order.
    pub actions: Arc<[Arc<Example>]>,
    /// Whether something is said of the actions, if only that nothing is known of them. Else
    /// they are known by their number, for policies of `--cb_explore`.
    pub listed: bool,
    /// Whether the same examples are likely to come again: what is made of them is worth
    /// keeping.
    pub recurs: bool,
    /// The slots to fill in turn, each with an action of its own; none where one action is
    /// chosen, and at least one otherwise.
    pub slots: Option<Arc<[EventSlot]>>,
    /// How much the event counts: one, but for logs that leave out a share of their events.
    pub weight: f32,
}

/// A slot of an event.
#[derive(Debug, Clone)]
pub struct EventSlot {
    /// What is known of the slot.
    pub features: Arc<Example>,
    /// The indices of the actions that may fill it, but for those that fill the slots before;
    /// empty for all.
    pub included: Vec<usize>,
    /// What came of it; none if that is not known.
    pub outcome: Option<Label>,
    /// The action that filled it, where what came of it is not known; one that does not exist
    /// filled it with another.
    pub taken: Option<usize>,
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
}

impl Event {
    /// How many actions may be chosen; of an event with slots, for the first.
    #[must_use]
    pub fn choices(&self) -> usize {
        match &self.slots {
            None => self.actions.len(),
            Some(_) => self.offered(0, &[]).len(),
        }
    }

    /// Whether both are made of the same examples: not of equal ones, of the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.address() == other.address()
    }

    /// Where its examples are in memory, which no other event can have while it is held.
    pub(crate) fn address(&self) -> (usize, usize) {
        (Arc::as_ptr(&self.shared).addr(), Arc::as_ptr(&self.actions).addr())
    }
}

impl EventSlot {
    /// The action that filled it, if that is known.
    pub(crate) fn taken(&self) -> Option<usize> {
        self.outcome.map(|outcome| outcome.action).or(self.taken)
    }
}
