use std::sync::Arc;

use super::interaction::{FilledSlot, Interaction};
use super::joined::Joined;
use protocol::{FeatureObject, RankableAction};

/// Estimates the memory that events take. Actions that an event shares with the one before
/// count once: most requests have the same.
#[derive(Debug, Default)]
pub(crate) struct EventSizes {
    actions: Option<Arc<[RankableAction]>>,
}

/// What an event takes beside its context, its actions and its slots: itself, its id in a table,
/// and its choice.
const EVENT: usize = size_of::<Joined>() + 96;

/// A reward of an event.
pub(crate) const REWARD_BYTES: u64 = size_of::<f64>() as u64;

impl EventSizes {
    /// About how many bytes the next event takes.
    pub(crate) fn next(&mut self, interaction: &Interaction) -> u64 {
        let slots: usize = interaction.slots.iter().map(slot).sum();
        let rewards = size_of_val(&interaction.rewards[..]);
        let choice = interaction.actions.len() * (size_of::<f32>() + size_of::<usize>());
        let context = objects(&interaction.context);
        (EVENT + context + self.new_actions(interaction) + slots + rewards + choice) as u64
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
