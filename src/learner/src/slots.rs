//! Conditional contextual bandits (`conditional_contextual_bandit.cc`, `cb_sample.cc`): the
//! slots of an event are filled one after the other, each by a contextual bandit over the
//! actions that are left.
//!
//! A slot's event is the context with the slot's features and its index, which interacts
//! with all else. As in VW, the index and its interactions count only once an event with
//! several slots, or with features of a slot, was seen: until then it is a contextual bandit
//! like any other.
//!
//! A policy for single choices takes an event with slots for the choice of its first.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::features::{
    DEFAULT_NAMESPACE, Event, Example, Feature, Hashing, Label, NamespaceFeatures,
    SLOT_INDEX_NAMESPACE, SLOT_NAMESPACE,
};
use crate::prediction::Prediction;

/// The state of the reduction from slots to single choices.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Slots {
    /// Whether the policy is for events with several slots.
    #[serde(skip)]
    pub enabled: bool,
    #[serde(skip)]
    hashing: Hashing,
    /// Whether the index of a slot is a feature by now (`has_seen_multi_slot_example`).
    pub multi_slot_seen: bool,
    /// What actions are drawn from, unless the strategy draws too.
    pub random_state: u64,
}

/// The choice for one slot, as an event without slots.
pub(crate) struct SlotChoice {
    pub event: Event,
    /// Which actions of the whole event it offers.
    pub offered: Vec<usize>,
}

impl Slots {
    pub fn new(enabled: bool, hashing: Hashing, random_state: u64) -> Self {
        Self { enabled, hashing, multi_slot_seen: false, random_state }
    }

    /// Whether more than the context and the actions counts for an event.
    #[inline]
    pub fn concern(&self, event: &Event) -> bool {
        self.multi_slot_seen || event.slots.is_some()
    }

    /// The index of a slot, as a feature.
    fn index(&self, number: usize) -> Feature {
        let namespace = self.hashing.namespace(b"_id");
        let index = self.hashing.text(format!("index{number}").as_bytes(), namespace);
        Feature { index: u64::from(index), value: 1.0, masked: true }
    }

    /// The context with the features of a slot. The namespaces of the slots before it stay in
    /// the list of VW's example, empty: they say where those of this slot go
    /// (`remove_slot_features`).
    fn shared(&self, event: &Event, number: usize) -> Example {
        let mut shared = Example::clone(&event.shared);
        if let Some(slots) = &event.slots {
            let namespaces = |slot: usize| slots[slot].features.namespaces.iter();
            for before in (0..number).flat_map(namespaces) {
                shared.append_and_remove(letter(before), &before.features);
            }
            let order: Vec<_> = (0..number).flat_map(namespaces).map(letter).collect();
            let position = |features: &&NamespaceFeatures| {
                let position = order.iter().position(|known| *known == letter(features));
                position.unwrap_or(order.len())
            };
            let mut own: Vec<_> = namespaces(number).collect();
            own.sort_by_key(position);
            own.into_iter()
                .for_each(|features| shared.append(letter(features), &features.features));
        }
        if self.multi_slot_seen {
            shared.append(SLOT_INDEX_NAMESPACE, &[self.index(number)]);
        }
        shared
    }

    /// The choice for a slot from the actions `offered`.
    pub fn choice(&self, event: &Event, number: usize, offered: &[usize]) -> SlotChoice {
        SlotChoice {
            event: Event {
                shared: Arc::new(self.shared(event, number)),
                actions: offered.iter().map(|action| event.actions[*action].clone()).collect(),
                recurs: false,
                slots: None,
                listed: event.listed,
                weight: event.weight,
            },
            offered: offered.to_vec(),
        }
    }
}

/// The namespace that a slot's features have in the context.
fn letter(features: &NamespaceFeatures) -> u8 {
    if features.letter == DEFAULT_NAMESPACE { SLOT_NAMESPACE } else { features.letter }
}

impl Event {
    /// The actions that may fill a slot once some are taken.
    pub(crate) fn offered(&self, number: usize, taken: &[usize]) -> Vec<usize> {
        let slot = self.slots.as_ref().map(|slots| &slots[number]);
        let includes = |action: &usize| {
            slot.is_none_or(|slot| slot.included.is_empty() || slot.included.contains(action))
        };
        let left = (0..self.actions.len()).filter(|action| !taken.contains(action));
        left.filter(includes).collect()
    }
}

impl SlotChoice {
    /// The label, if its action is offered.
    pub fn label(&self, label: &Label) -> Option<Label> {
        let action = self.offered.iter().position(|offered| *offered == label.action)?;
        Some(Label { action, ..*label })
    }

    /// Turns a prediction over what is offered into one over all actions.
    pub fn spread(&self, actions: usize, prediction: &mut Prediction) {
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
