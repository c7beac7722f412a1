//! Events with slots: one choice after the other.

use super::Learner;
use crate::features::{Event, Label};
use crate::prediction::Prediction;
use crate::random::merand48;
use crate::slots::{SlotChoice, Slots};

impl Learner {
    /// Predicts the choice for one slot from the actions `offered`, by index ascending.
    ///
    /// # Panics
    /// If the event has no such slot.
    pub fn predict_slot(
        &mut self,
        event: &Event,
        number: usize,
        offered: &[usize],
        prediction: &mut Prediction,
    ) {
        self.observe_slots(event);
        let choice = self.slots.choice(event, number, offered);
        self.predict_choice(&choice, event.actions.len(), prediction);
    }

    /// Predicts a choice, over all `actions` of the event; nothing where nothing is offered.
    fn predict_choice(&mut self, choice: &SlotChoice, actions: usize, prediction: &mut Prediction) {
        if choice.offered.is_empty() {
            *prediction = Prediction::default();
        } else {
            self.predict_one(&choice.event, prediction);
        }
        choice.spread(actions, prediction);
    }

    /// Predicts the choice for the first slot from all that may fill it, or the only choice.
    pub(super) fn predict_first_slot(&mut self, event: &Event, prediction: &mut Prediction) {
        self.predict_slot(event, 0, &event.offered(0, &[]), prediction);
    }

    /// Fills every slot by draws of the learner's own, the first action of each ranking
    /// being the one drawn.
    pub fn predict_slots(&mut self, event: &Event) -> Vec<Prediction> {
        let slots = event.slots.as_ref().map_or(1, |slots| slots.len());
        let mut taken = Vec::new();
        let mut fill = |number| {
            let mut prediction = Prediction::default();
            self.predict_slot(event, number, &event.offered(number, &taken), &mut prediction);
            self.draw(&mut prediction);
            taken.extend(prediction.ranking.first());
            prediction
        };
        (0..slots).map(&mut fill).collect()
    }

    /// Learns the outcome of each slot of an event, and predicts the slots as VW does
    /// meanwhile, each after the ones before it were learned; the first action of each ranking
    /// is the one taken. For a slot whose action is not known, or was not offered, one is
    /// drawn.
    ///
    /// A policy for single choices learns the first slot, and predicts nothing else.
    pub fn learn_slots(&mut self, event: &Event) -> Vec<Prediction> {
        let Some(slots) = event.slots.clone() else { return Vec::new() };
        if !self.slots.enabled {
            let mut prediction = Prediction::default();
            self.predict_first_slot(event, &mut prediction);
            slots[0].outcome.iter().for_each(|outcome| self.learn_slot(event, outcome));
            return vec![prediction];
        }
        self.observe_slots(event);
        let (mut taken, mut predictions) = (Vec::new(), Vec::new());
        for (number, slot) in slots.iter().enumerate() {
            let choice = self.slots.choice(event, number, &event.offered(number, &taken));
            let label = slot.outcome.as_ref().and_then(|outcome| choice.label(outcome));
            let mut prediction = Prediction::default();
            match &label {
                Some(label) => {
                    self.learn_one_predicting(&choice.event, label, &mut prediction);
                    choice.spread(event.actions.len(), &mut prediction);
                }
                None => self.predict_choice(&choice, event.actions.len(), &mut prediction),
            }
            let is_offered = |action: &usize| choice.offered.contains(action);
            match slot.taken().filter(is_offered) {
                Some(action) => prediction.bring_to_front(action),
                None => self.draw(&mut prediction),
            }
            taken.extend(prediction.ranking.first());
            predictions.push(prediction);
        }
        if slots.iter().any(|slot| slot.taken().is_some()) {
            self.costs_to_learn().regression.finish_event(event.weight);
        }
        predictions
    }

    /// Learns the outcome of the first slot, or of the only choice.
    pub(super) fn learn_slot(&mut self, event: &Event, label: &Label) {
        self.observe_slots(event);
        let choice = self.slots.choice(event, 0, &event.offered(0, &[]));
        if let Some(label) = choice.label(label) {
            self.learn_one(&choice.event, &label);
        }
        self.costs_to_learn().regression.finish_event(event.weight);
    }

    /// Makes the index of a slot a feature from now on, if the event is the first with
    /// several slots or with features of a slot.
    pub fn observe_slots(&mut self, event: &Event) {
        let Some(slots) = event.slots.as_ref().filter(|_| self.slots.enabled) else { return };
        let has_features = slots[0].features.letters().any(|letter| !self.event.ignores(letter));
        if slots.len() > 1 || has_features {
            self.see_multi_slot();
        }
    }

    /// Takes over from another learner what it has seen of slots.
    pub(crate) fn sync_slots(&mut self, ahead: &Slots) {
        self.slots.random_state = ahead.random_state;
        if ahead.multi_slot_seen {
            self.see_multi_slot();
        }
    }

    pub(crate) fn see_multi_slot(&mut self) {
        if !self.slots.multi_slot_seen {
            self.slots.multi_slot_seen = true;
            self.event.interact_with_slot_index();
        }
    }

    fn draw(&mut self, prediction: &mut Prediction) {
        if prediction.ranking.is_empty() {
            return;
        }
        let Self { exploration, slots, .. } = self;
        let state = exploration.random_state().unwrap_or(&mut slots.random_state);
        prediction.draw(*state);
        merand48(state);
    }
}
