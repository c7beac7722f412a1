use std::sync::Arc;

use super::interaction::{FilledSlot, Interaction};
use protocol::{FeatureObject, RankableAction};

/// Estimates the memory that events take. Actions that an event shares with the one before
/// count once: most requests have the same.
#[derive(Debug)]
pub(crate) struct EventSizes {
    /// What an event takes beside its context, its actions, its slots and its choice.
    each: usize,
    actions: Option<Arc<[RankableAction]>>,
    /// Whether they are asked for: to look at every feature of many actions takes its time.
    is_asked: bool,
}

/// A reward of an event.
pub(crate) const REWARD_BYTES: u64 = size_of::<f64>() as u64;

impl EventSizes {
    /// The same for a list that begins anew.
    pub(crate) fn anew(&self) -> Self {
        Self { actions: None, ..*self }
    }

    /// Of events whose windows are open: each with its id in a table, and a choice of its own.
    pub(crate) fn open(is_asked: bool) -> Self {
        Self { each: size_of::<Interaction>() + 144, actions: None, is_asked }
    }

    /// Of events in the log.
    pub(crate) fn in_log(is_asked: bool) -> Self {
        Self { each: 64, actions: None, is_asked }
    }

    /// About how many bytes the next event takes; none, if they are not asked for.
    pub(crate) fn next(&mut self, interaction: &Interaction) -> u64 {
        if !self.is_asked {
            return 0;
        }
        let slots: usize = interaction.slots.iter().map(slot).sum();
        let rewards = size_of_val(&interaction.rewards[..]);
        let choice = interaction.actions.len() * (size_of::<f32>() + size_of::<usize>());
        let context = objects(&interaction.context);
        (self.each + context + self.new_actions(interaction) + slots + rewards + choice) as u64
    }

    fn new_actions(&mut self, interaction: &Interaction) -> usize {
        let is_known = |known: &Arc<_>| Arc::ptr_eq(known, &interaction.actions);
        if self.actions.as_ref().is_some_and(is_known) {
            return 0;
        }
        self.actions = Some(Arc::clone(&interaction.actions));
        interaction.actions.iter().map(action).sum()
    }
}

fn action(action: &RankableAction) -> usize {
    size_of::<RankableAction>() + action.id.len() + objects(&action.features)
}

fn slot(slot: &FilledSlot) -> usize {
    size_of::<FilledSlot>() + slot.id.len() + objects(&slot.features)
}

fn objects(objects: &[FeatureObject]) -> usize {
    objects.iter().map(FeatureObject::bytes).sum()
}
