//! This learner's side: what it predicts in a learn pass over a log.

use learner::{DropReason, DsjsonReader, Learner, LearningPolicy};
use serde::Deserialize;

/// What is predicted for a line, as the bits of 32-bit floats.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prediction {
    /// The probability of each action.
    Pmf(Vec<u32>),
    /// For each slot the actions in their order, with their probabilities.
    Slots(Vec<Vec<(usize, u32)>>),
}

impl Prediction {
    /// Whether both are the same, where what is not a number equals any other such.
    pub fn equals(&self, other: &Self) -> bool {
        let same =
            |a: u32, b: u32| a == b || (f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan());
        match (self, other) {
            (Self::Pmf(mine), Self::Pmf(theirs)) => {
                mine.len() == theirs.len() && mine.iter().zip(theirs).all(|(a, b)| same(*a, *b))
            }
            (Self::Slots(mine), Self::Slots(theirs)) => {
                let equal = |(a, b): (&(usize, u32), &(usize, u32))| a.0 == b.0 && same(a.1, b.1);
                let slot =
                    |(a, b): (&Vec<_>, &Vec<_>)| a.len() == b.len() && a.iter().zip(b).all(equal);
                mine.len() == theirs.len() && mine.iter().zip(theirs).all(slot)
            }
            _ => false,
        }
    }
}

/// Lines with these faults are dropped, though VW reads them: it stops at them, learns infinite
/// weights, or puts what they say elsewhere.
const UNLIKE_VW: [DropReason; 6] = [
    DropReason::LabelIndex,
    DropReason::LabelPlace,
    DropReason::Probability,
    DropReason::Cost,
    DropReason::Slots,
    DropReason::Actions,
];

/// Whether a line came out as in VW; none where the two cannot be compared from here on.
pub fn is_same(found: &Outcome, expected: Option<&Prediction>) -> Option<bool> {
    match (found, expected) {
        (Err(reason), Some(_)) if UNLIKE_VW.contains(reason) => None,
        (Err(_), None) => Some(true),
        // A line without slots and label: under a policy for slots VW predicts nothing.
        (Ok(Prediction::Pmf(_)), Some(Prediction::Pmf(none))) if none.is_empty() => Some(true),
        (Ok(found), Some(expected)) => Some(found.equals(expected)),
        _ => Some(false),
    }
}

/// What is predicted for a line, or why it is dropped.
pub type Outcome = Result<Prediction, DropReason>;

/// Predicts and learns each line.
pub fn replay(policy: &LearningPolicy, lines: &[impl AsRef<str>]) -> Vec<Outcome> {
    let mut learner = Learner::new(policy);
    replay_with(&mut learner, lines)
}

/// The same with a learner that goes on.
pub fn replay_with(learner: &mut Learner, lines: &[impl AsRef<str>]) -> Vec<Outcome> {
    let mut reader = DsjsonReader::new(learner.policy().hashing());
    lines.iter().map(|line| predict_and_learn(learner, &mut reader, line.as_ref())).collect()
}

fn predict_and_learn(learner: &mut Learner, reader: &mut DsjsonReader, line: &str) -> Outcome {
    let logged = reader.read(line.as_bytes()).map_err(|dropped| dropped.reason)?;
    learner.policy().check_event(&logged.event).map_err(|_| DropReason::Actions)?;
    if learner.policy().is_multi_slot() && logged.event.slots.is_some() {
        return Ok(Prediction::Slots(slots(&learner.learn_slots(&logged.event))));
    }
    let mut prediction = learner::Prediction::default();
    match &logged.label {
        Some(label) => learner.learn_predicting(&logged.event, label, &mut prediction),
        None => learner.predict(&logged.event, &mut prediction),
    }
    Ok(Prediction::Pmf(prediction.pmf.iter().map(|p| p.to_bits()).collect()))
}

fn slots(predictions: &[learner::Prediction]) -> Vec<Vec<(usize, u32)>> {
    let slot = |slot: &learner::Prediction| {
        slot.ranking.iter().map(|action| (*action, slot.pmf[*action].to_bits())).collect()
    };
    predictions.iter().map(slot).collect()
}
