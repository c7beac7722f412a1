//! Conditional contextual bandits (`conditional_contextual_bandit.cc`, `cb_sample.cc`): the
//! slots of an event are filled one after the other, each by a contextual bandit over the
//! actions that are left.
//!
//! A slot's event is the context with what is known of the slot and with its number, which
//! interacts with all else. As in VW, numbers and their interactions count only once an
//! event with several slots, or with features of a slot, was seen: until then it is a
//! contextual bandit like any other.
//!
//! A policy for single choices takes an event with slots for the choice of its first.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::features::{
    DEFAULT_SLOT, Event, EventSlot, Example, Feature, Hashing, Label, NamespaceSlot,
    PLACE_NUMBER_SLOT, PLACE_SLOT,
};
use super::model::{Learner, Prediction};
use super::random::{merand48, sample};

/// What is known of slots.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Slots {
    /// Whether the policy fills slots.
    #[serde(skip)]
    filled: bool,
    #[serde(skip)]
    hashing: Hashing,
    /// Whether slots have been told apart so far (`has_seen_multi_slot_example`).
    told_apart: bool,
    /// What actions are drawn from, unless the strategy draws too.
    random_state: u64,
}

/// The choice for one slot, as an event of its own.
struct Filling {
    event: Event,
    /// Which actions of the whole event it offers.
    offered: Vec<usize>,
}

impl Slots {
    pub fn new(filled: bool, hashing: Hashing, random_state: u64) -> Self {
        Self { filled, hashing, told_apart: false, random_state }
    }

    /// Whether more than the context and the actions counts for an event.
    #[inline]
    pub fn concern(&self, event: &Event) -> bool {
        self.told_apart || event.slots.is_some()
    }

    /// The number of a slot, as a feature.
    fn number(&self, number: usize) -> Feature {
        let namespace = self.hashing.namespace(b"_id");
        let index = self.hashing.text(format!("index{number}").as_bytes(), namespace);
        Feature { index: u64::from(index), value: 1.0, masked: true }
    }

    /// The context with what is known of a slot.
    fn shared(&self, context: &Example, slot: Option<&EventSlot>, number: usize) -> Example {
        let mut shared = context.clone();
        for NamespaceSlot { letter, features } in
            slot.into_iter().flat_map(|slot| &slot.features.slots)
        {
            let letter = if *letter == DEFAULT_SLOT { PLACE_SLOT } else { *letter };
            shared.append(letter, features);
        }
        if self.told_apart {
            shared.append(PLACE_NUMBER_SLOT, &[self.number(number)]);
        }
        shared
    }

    /// The choice for a slot from the actions `offered`.
    fn filling(&self, event: &Event, number: usize, offered: &[usize]) -> Filling {
        let slot = event.slots.as_ref().map(|slots| &slots[number]);
        Filling {
            event: Event {
                shared: Arc::new(self.shared(&event.shared, slot, number)),
                actions: offered.iter().map(|action| event.actions[*action].clone()).collect(),
                recurs: false,
                slots: None,
            },
            offered: offered.to_vec(),
        }
    }
}

impl Event {
    /// The actions that may fill a slot once some are taken.
    fn offered(&self, number: usize, taken: &[usize]) -> Vec<usize> {
        let slot = self.slots.as_ref().map(|slots| &slots[number]);
        let includes = |action: &usize| {
            slot.is_none_or(|slot| slot.included.is_empty() || slot.included.contains(action))
        };
        let left = (0..self.actions.len()).filter(|action| !taken.contains(action));
        left.filter(includes).collect()
    }
}

impl Filling {
    /// The label, if its action is offered.
    fn label(&self, label: &Label) -> Option<Label> {
        let action = self.offered.iter().position(|offered| *offered == label.action)?;
        Some(Label { action, ..*label })
    }

    /// Turns a prediction over what is offered into one over all actions.
    fn spread(&self, actions: usize, prediction: &mut Prediction) {
        let over_all = |values: &[f32]| {
            let mut all = vec![0.0; actions];
            self.offered.iter().zip(values).for_each(|(action, value)| all[*action] = *value);
            all
        };
        prediction.pmf = over_all(&prediction.pmf);
        prediction.scores = over_all(&prediction.scores);
        prediction.ranking.iter_mut().for_each(|action| *action = self.offered[*action]);
    }
}

impl Prediction {
    /// What is predicted before anything is known: each of the actions `offered` alike.
    #[must_use]
    pub fn uniform(offered: &[usize], actions: usize) -> Self {
        let mut pmf = vec![0.0; actions];
        #[expect(clippy::cast_precision_loss, reason = "counts of actions")]
        let share = 1.0 / offered.len() as f32;
        offered.iter().for_each(|action| pmf[*action] = share);
        Self { pmf, ranking: offered.to_vec(), scores: vec![0.0; actions] }
    }

    /// Draws one of the ranked actions, puts it first, and lets the probabilities add up to one
    /// (`explore_internal.h`, `sample_after_normalizing`).
    pub fn draw(&mut self, seed: u64) {
        let place = sample(&self.pmf, &self.ranking, seed);
        let total: f32 = self.ranking.iter().map(|action| self.pmf[*action].max(0.0)).sum();
        if total == 0.0 {
            self.pmf[self.ranking[0]] = 1.0;
        } else {
            let normalized = |probability: f32| probability.max(0.0) / total;
            self.pmf.iter_mut().for_each(|probability| *probability = normalized(*probability));
        }
        self.ranking.swap(0, place);
    }
}

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
        self.tell_apart(event);
        let filling = self.slots.filling(event, number, offered);
        if filling.offered.is_empty() {
            *prediction = Prediction::default();
        } else {
            self.predict_one(&filling.event, prediction);
        }
        filling.spread(event.actions.len(), prediction);
    }

    /// The same of the first slot from all that may fill it, or of the only choice.
    pub(super) fn predict_first_slot(&mut self, event: &Event, prediction: &mut Prediction) {
        self.predict_slot(event, 0, &event.offered(0, &[]), prediction);
    }

    /// Fills every slot by draws of the learner's own, the first action of each ranking
    /// being the one drawn.
    pub fn predict_slots(&mut self, event: &Event) -> Vec<Prediction> {
        let slots = event.slots.as_ref().map_or(1, |slots| slots.len());
        let mut taken = Vec::new();
        let mut fill = |number| {
            let prediction = self.drawn(event, number, &taken);
            taken.extend(prediction.ranking.first());
            prediction
        };
        (0..slots).map(&mut fill).collect()
    }

    /// Learns what came of each slot of an event. An action is drawn for those of which that
    /// is not known. Without slots there is nothing to learn.
    pub fn learn_slots(&mut self, event: &Event) {
        let Some(slots) = event.slots.clone() else { return };
        if !self.slots.filled {
            return slots[0].outcome.iter().for_each(|outcome| self.learn_slot(event, outcome));
        }
        self.tell_apart(event);
        let mut taken = Vec::new();
        for (number, slot) in slots.iter().enumerate() {
            let filling = self.slots.filling(event, number, &event.offered(number, &taken));
            match slot.outcome.as_ref().and_then(|outcome| filling.label(outcome)) {
                Some(label) => {
                    self.learn_one(&filling.event, &label);
                    taken.push(filling.offered[label.action]);
                }
                None => taken.extend(self.drawn(event, number, &taken).ranking.first()),
            }
        }
        if let Some(outcome) = slots.iter().find_map(|slot| slot.outcome.as_ref()) {
            self.costs.regression.finish_event(outcome.weight);
        }
    }

    /// Learns what came of the first slot, or of the only choice.
    pub(super) fn learn_slot(&mut self, event: &Event, label: &Label) {
        self.tell_apart(event);
        let filling = self.slots.filling(event, 0, &event.offered(0, &[]));
        if let Some(label) = filling.label(label) {
            self.learn_one(&filling.event, &label);
        }
        self.costs.regression.finish_event(label.weight);
    }

    /// From now on slots are told apart, if those of the event are.
    pub fn tell_apart(&mut self, event: &Event) {
        let Some(slots) = event.slots.as_ref().filter(|_| self.slots.filled) else { return };
        let is_known = slots[0].features.letters().any(|letter| !self.event.ignores(letter));
        if !self.slots.told_apart && (slots.len() > 1 || is_known) {
            self.slots.told_apart = true;
            self.event.interact_with_places();
        }
    }

    /// Knows of slots what another learner knows.
    pub(super) fn take_slots(&mut self, ahead: &Slots) {
        self.slots.random_state = ahead.random_state;
        if ahead.told_apart && !self.slots.told_apart {
            self.slots.told_apart = true;
            self.event.interact_with_places();
        }
    }

    fn drawn(&mut self, event: &Event, number: usize, taken: &[usize]) -> Prediction {
        let mut prediction = Prediction::default();
        self.predict_slot(event, number, &event.offered(number, taken), &mut prediction);
        self.draw(&mut prediction);
        prediction
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
