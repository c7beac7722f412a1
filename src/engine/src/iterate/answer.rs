//! Validates the answer to Rank against its request.

use std::sync::Arc;

use smallvec::{SmallVec, smallvec};

use super::super::stream::{Stream, StreamEvent};
use protocol::{EventId, MultiSlotRankRequest, MultiSlotRankResponse, RankResponse, RankedAction};
use record::{FailureKind, Violation};
use target::CallError;

/// So many actions of a request are checked without an allocation.
const FEW: usize = 64;

/// How far the sum of the probabilities may be from one: they are sent in 32 bits.
const SUM_TOLERANCE: f64 = 0.01;

/// The position of an action in the request, and its probability.
type Ranked = (usize, f32);

/// A valid answer to Rank. Actions are positions in the request.
pub(crate) struct RankAnswer {
    pub chosen: usize,
    /// The probability with which it was chosen, if the service says it.
    pub probability: Option<f32>,
    /// The most probable action, if the service says what it ranked.
    pub favourite: Option<usize>,
}

/// Reads an answer. What a target took from an answer of another shape is validated there.
///
/// # Errors
/// How the answer breaks the contract. Such an answer is not rewarded: the service would learn
/// from a mistake.
pub(crate) fn read(
    stream: &Stream<'_>,
    event: &StreamEvent<'_>,
    answer: target::RankAnswer,
) -> Result<RankAnswer, CallError> {
    match answer {
        target::RankAnswer::Contract(response) => of_contract(stream, event, &response),
        target::RankAnswer::Decided(decision) => of_ranking(decision.chosen, &decision.ranking),
        target::RankAnswer::Taken { action, probability, favourite, .. } => {
            Ok(RankAnswer { chosen: action, probability, favourite })
        }
    }
}

/// Reads an answer for the slots of an event: an action for each, by its position in the request.
///
/// # Errors
/// How the answer breaks the contract.
pub(super) fn read_slots(
    stream: &Stream<'_>,
    event: &StreamEvent<'_>,
    request: &MultiSlotRankRequest,
    response: &MultiSlotRankResponse,
) -> Result<Vec<usize>, CallError> {
    check_event(event, &response.event_id)?;
    let (answered, sent) = (&response.slots, &request.slots);
    let is_same = answered.len() == sent.len()
        && answered.iter().zip(sent).all(|(answered, sent)| answered.id == sent.id);
    if !is_same {
        let ids = answered.iter().map(|slot| shown(&slot.id)).collect::<Vec<_>>().join("`, `");
        let message =
            format!("the slots of the answer are `{ids}`, {} others were sent", sent.len());
        return Err(violation(Violation::Action, message));
    }
    let mut chosen = Vec::with_capacity(sent.len());
    for (slot, sent) in answered.iter().zip(sent) {
        let what = format!("the action of slot `{}`,", slot.id);
        let position = known(stream, event, &slot.reward_action_id, &what)?;
        let refusal = if chosen.contains(&position) {
            "is that of another slot too"
        } else if sent.excluded_actions.iter().any(|id| **id == *slot.reward_action_id) {
            "is excluded from it"
        } else {
            chosen.push(position);
            continue;
        };
        let message = format!("{what} `{}`, {refusal}", shown(&slot.reward_action_id));
        return Err(violation(Violation::Action, message));
    }
    Ok(chosen)
}

fn check_event(event: &StreamEvent<'_>, answered: &EventId) -> Result<(), CallError> {
    if *answered == event.event_id {
        return Ok(());
    }
    let message = format!("the answer is for event `{}`", shown(&answered.to_string()));
    Err(violation(Violation::Event, message))
}

fn of_contract(
    stream: &Stream<'_>,
    event: &StreamEvent<'_>,
    response: &RankResponse,
) -> Result<RankAnswer, CallError> {
    check_event(event, &response.event_id)?;
    let chosen = known(stream, event, &response.reward_action_id, "the chosen action")?;
    of_ranking(chosen, &positions(stream, event, response)?)
}

/// Reads an answer by its ranking, which is empty if the service ranks nothing.
fn of_ranking(chosen: usize, ranking: &[Ranked]) -> Result<RankAnswer, CallError> {
    let probability = check_probabilities(chosen, ranking)?;
    Ok(RankAnswer { chosen, probability, favourite: favourite(ranking) })
}

/// The most probable action; of several, the one that is ranked first.
fn favourite(ranking: &[Ranked]) -> Option<usize> {
    let best = ranking.iter().reduce(|best, other| if other.1 > best.1 { other } else { best });
    best.map(|(position, _)| *position)
}

fn known(
    stream: &Stream<'_>,
    event: &StreamEvent<'_>,
    id: &Arc<str>,
    what: &str,
) -> Result<usize, CallError> {
    stream
        .position(event, id)
        .ok_or_else(|| violation(Violation::Action, format!("{what} `{}` was not sent", shown(id))))
}

/// The position in the request of each ranked action. A ranking must be empty or contain every action
/// once.
fn positions(
    stream: &Stream<'_>,
    event: &StreamEvent<'_>,
    response: &RankResponse,
) -> Result<SmallVec<[Ranked; FEW]>, CallError> {
    let (ranked, sent) = (response.ranking.len(), event.actions());
    if ranked == 0 {
        return Ok(SmallVec::new());
    }
    if ranked != sent {
        let message = format!("{ranked} actions are ranked, {sent} were sent");
        return Err(violation(Violation::Action, message));
    }
    let mut seen: SmallVec<[bool; FEW]> = smallvec![false; sent];
    let place = |action: &RankedAction| {
        let position = known(stream, event, &action.id, "the ranked action")?;
        if std::mem::replace(&mut seen[position], true) {
            let message = format!("`{}` is ranked twice", shown(&action.id));
            return Err(violation(Violation::Action, message));
        }
        Ok((position, action.probability))
    };
    response.ranking.iter().map(place).collect()
}

/// The probability with which the chosen action was chosen.
fn check_probabilities(chosen: usize, ranking: &[Ranked]) -> Result<Option<f32>, CallError> {
    if ranking.is_empty() {
        return Ok(None);
    }
    if let Some((_, odd)) = ranking.iter().find(|ranked| !(0.0..=1.0).contains(&ranked.1)) {
        return Err(violation(Violation::Probability, format!("{odd} is not a probability")));
    }
    let sum: f64 = ranking.iter().map(|ranked| f64::from(ranked.1)).sum();
    if (sum - 1.0).abs() > SUM_TOLERANCE {
        let message = format!("the probabilities add up to {sum}");
        return Err(violation(Violation::Probability, message));
    }
    let of_chosen = ranking.iter().find(|(position, _)| *position == chosen);
    match of_chosen.map(|(_, probability)| *probability) {
        Some(0.0) => {
            let message = "the chosen action has probability 0".to_owned();
            Err(violation(Violation::Probability, message))
        }
        probability => Ok(probability),
    }
}

/// A text of the service, on one line and not longer than a line.
fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

fn violation(kind: Violation, message: String) -> CallError {
    CallError { kind: FailureKind::Protocol(kind), message }
}
