//! `_outcomes`: what came of the slots of an event, slot by slot.

use super::DropReason;
use super::cursor::{Cursor, Read};
use super::line::{NO_COST, by_action, number, numbers};
use crate::features::{EventSlot, Label};

/// What a line says of one slot.
#[derive(Debug, Clone, Default)]
struct Outcome {
    cost: Option<f64>,
    /// `_a`, the actions as they were ranked.
    actions: Vec<f64>,
    /// `_p`, their probabilities.
    probabilities: Vec<f64>,
}

/// The outcomes of a line, one a slot; none where the action is not known.
#[derive(Debug, Default)]
pub struct Outcomes(Vec<Option<Outcome>>);

impl Outcomes {
    /// Reads the list. As in VW, what an outcome says that names no action is left for the
    /// next (`LabelObjectState::EndObject`).
    pub fn read(cursor: &mut Cursor<'_>) -> Read<Self> {
        cursor.expect(b':')?;
        cursor.expect(b'[')?;
        let (mut first, mut outcomes, mut pending) = (true, Vec::new(), Outcome::default());
        while cursor.next_element(&mut first)? {
            pending.read(cursor)?;
            outcomes.push(pending.is_known().then(|| std::mem::take(&mut pending)));
        }
        Ok(Self(outcomes))
    }

    /// Whether any says which action was taken.
    pub fn are_known(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }

    /// The distribution over all actions that the first slot's was drawn from, if it is known.
    pub fn first_distribution(&self, actions: usize) -> Option<Vec<f32>> {
        let first = self.0.first()?.as_ref()?;
        by_action(first.actions.iter().copied(), &first.probabilities, actions)
    }

    /// Gives each slot its outcome.
    pub fn hand_out(self, slots: &mut [EventSlot]) -> Read<()> {
        if self.0.len() > slots.len() {
            return Err(DropReason::Slots);
        }
        for (slot, outcome) in slots.iter_mut().zip(self.0) {
            if let Some(outcome) = outcome {
                outcome.hand_out(slot)?;
            }
        }
        Ok(())
    }
}

impl Outcome {
    fn read(&mut self, cursor: &mut Cursor<'_>) -> Read<()> {
        cursor.expect(b'{')?;
        let mut first = true;
        while let Some(key) = cursor.key(&mut first)? {
            match &*key {
                b"_label_cost" => self.cost = number(cursor)?,
                b"_a" => numbers(cursor, |action| self.actions.push(action))?,
                b"_p" => numbers(cursor, |share| self.probabilities.push(share))?,
                b"_original_label_cost" => drop(number(cursor)?),
                other if other.starts_with(b"_label_") => drop(number(cursor)?),
                other if other.starts_with(b"_") => cursor.skip_unread_key(&key)?,
                // VW takes it for a feature of the slot.
                _ => return Err(DropReason::Slots),
            }
        }
        Ok(())
    }

    fn is_known(&self) -> bool {
        !self.actions.is_empty() && !self.probabilities.is_empty()
    }

    #[expect(clippy::cast_possible_truncation, reason = "VW keeps labels as f32")]
    fn hand_out(self, slot: &mut EventSlot) -> Read<()> {
        if self.actions.len() != self.probabilities.len() {
            return Err(DropReason::Slots);
        }
        let action = index(self.actions[0]);
        let Some(cost) = self.cost.map(|cost| cost as f32).filter(|cost| *cost != NO_COST) else {
            slot.taken = Some(action);
            return Ok(());
        };
        let probability = self.probabilities[0] as f32;
        if !cost.is_finite() {
            return Err(DropReason::Cost);
        }
        if !(probability > 0.0 && probability.is_finite()) {
            return Err(DropReason::Probability);
        }
        slot.outcome = Some(Label { action, cost, probability });
        Ok(())
    }
}

/// An index as VW reads it, as an unsigned integer: what is none is that of no action.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
pub fn index(number: f64) -> usize {
    let is_index = number > -1.0 && number < f64::from(u32::MAX) + 1.0;
    if is_index { number as usize } else { usize::MAX }
}
