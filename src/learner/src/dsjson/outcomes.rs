//! `_outcomes`: what came of the slots of an event, slot by slot.

use super::DropReason;
use super::cursor::{Cursor, Kind, Read};
use super::line::{by_action, number, numbers};
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

/// The outcomes of a line.
#[derive(Debug, Default)]
pub struct Outcomes(Vec<Outcome>);

impl Outcomes {
    /// Reads the list.
    pub fn read(cursor: &mut Cursor<'_>) -> Read<Self> {
        cursor.expect(b':')?;
        cursor.expect(b'[')?;
        let (mut first, mut outcomes) = (true, Vec::new());
        while cursor.next_element(&mut first)? {
            outcomes.push(Outcome::read(cursor)?);
        }
        Ok(Self(outcomes))
    }

    /// Whether any says which action was taken.
    pub fn are_known(&self) -> bool {
        self.0.iter().any(Outcome::is_known)
    }

    /// The distribution over all actions that the first slot's was drawn from, if it is known.
    pub fn first_distribution(&self, actions: usize) -> Option<Vec<f32>> {
        let first = self.0.first()?;
        by_action(first.actions.iter().copied(), &first.probabilities, actions)
    }

    /// Gives each slot its outcome.
    pub fn hand_out(self, slots: &mut [EventSlot], actions: usize, weight: f32) -> Read<()> {
        if self.0.len() > slots.len() {
            return Err(DropReason::Slots);
        }
        for (slot, outcome) in slots.iter_mut().zip(self.0) {
            slot.outcome = outcome.label(actions, weight)?;
        }
        Ok(())
    }
}

impl Outcome {
    fn read(cursor: &mut Cursor<'_>) -> Read<Self> {
        let mut outcome = Self::default();
        cursor.expect(b'{')?;
        let mut first = true;
        while let Some(key) = cursor.key(&mut first)? {
            match &*key {
                b"_label_cost" => outcome.cost = number(cursor)?,
                b"_a" => outcome.actions = one_or_more(cursor)?,
                b"_p" => outcome.probabilities = one_or_more(cursor)?,
                b"_original_label_cost" => drop(number(cursor)?),
                key if key.starts_with(b"_label_") => drop(number(cursor)?),
                key if key.starts_with(b"_") => cursor.skip_unread()?,
                // VW takes it for a feature of the slot.
                _ => return Err(DropReason::Slots),
            }
        }
        Ok(outcome)
    }

    fn is_known(&self) -> bool {
        !self.actions.is_empty() && !self.probabilities.is_empty()
    }

    #[expect(clippy::cast_possible_truncation, reason = "VW keeps labels as f32")]
    fn label(&self, actions: usize, weight: f32) -> Read<Option<Label>> {
        let (Some(cost), true) = (self.cost, self.is_known()) else { return Ok(None) };
        if self.actions.len() != self.probabilities.len() {
            return Err(DropReason::Slots);
        }
        let (cost, probability) = (cost as f32, self.probabilities[0] as f32);
        let named = (0..actions).zip(0_u32..).find(|(_, at)| f64::from(*at) == self.actions[0]);
        let (action, _) = named.ok_or(DropReason::LabelIndex)?;
        if !cost.is_finite() {
            return Err(DropReason::Cost);
        }
        if !(probability > 0.0 && probability.is_finite()) {
            return Err(DropReason::Probability);
        }
        Ok(Some(Label { action, cost, probability, weight }))
    }
}

/// An array of numbers, or a number alone.
fn one_or_more(cursor: &mut Cursor<'_>) -> Read<Vec<f64>> {
    let mut all = Vec::new();
    cursor.expect(b':')?;
    match cursor.kind()? {
        Kind::Number => all.push(cursor.number()?),
        _ => numbers(cursor, true, |number| all.push(number))?,
    }
    Ok(all)
}
