//! What a saved learner consists of.

use super::Learner;
use crate::explore::ActionFilter;
use crate::regression::OnlineState;

impl Learner {
    /// The state of the generator that the strategy, or the filling of slots, draws from.
    pub(crate) fn random_state(&mut self) -> u64 {
        let slots = self.slots.random_state;
        self.exploration.random_state().map_or(slots, |state| *state)
    }

    pub(crate) fn set_random_state(&mut self, mut state: u64) {
        if let Some(filter) = &mut self.filter {
            filter.seed = ActionFilter::seed(&mut state);
        }
        self.slots.random_state = state;
        if let Some(random_state) = self.exploration.random_state() {
            *random_state = state;
        }
    }

    pub(crate) fn multi_slot_seen(&self) -> bool {
        self.slots.multi_slot_seen
    }

    pub(crate) fn exploration_counter(&mut self) -> Option<u64> {
        self.exploration.counter().copied()
    }

    pub(crate) fn set_exploration_counter(&mut self, count: u64) {
        if let Some(counter) = self.exploration.counter() {
            *counter = count;
        }
    }

    /// The events and the actions that the first cost model counted.
    pub(crate) fn counts(&self) -> (u64, u64) {
        self.costs.first_counts()
    }

    pub(crate) fn set_counts(&mut self, counts: (u64, u64)) {
        self.costs_to_learn().set_first_counts(counts);
    }

    pub(crate) fn online_state(&self) -> OnlineState {
        self.costs.regression.online_state()
    }

    pub(crate) fn set_online_state(&mut self, state: &OnlineState) {
        self.costs_to_learn().regression.set_online_state(state);
    }

    pub(crate) fn weight_width(&self) -> usize {
        self.costs.regression.weight_width()
    }

    pub(crate) fn each_weight(&self, with: impl FnMut(u32, &[f32])) {
        self.costs.regression.each_weight(with);
    }

    pub(crate) fn set_weight(&mut self, index: u32, weight: &[f32]) -> bool {
        self.costs_to_learn().regression.set_weight(index, weight)
    }

    /// Moves what regularization put off into the weights: as VW with `--testonly`, which
    /// predicts other last bits than while it learns.
    pub fn stop_learning(&mut self) {
        self.costs_to_learn().regression.materialize();
    }
}
