//! From the line of a segment back to the event.

use std::sync::Arc;

use foldhash::HashMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use smallvec::{SmallVec, smallvec};

use crate::interaction::{Activation, Choice, FilledSlot, Interaction};
use crate::joined::{Joined, JoinedReward};
use protocol::{EventId, FeatureObject, FeatureValue, LearningMode, RankableAction};
use timestamp::Timestamp;

/// What DSJSON has no keys for, or not enough digits.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LoopFields {
    mode: LearningMode,
    activation: Activation,
    /// The original and the learned reward.
    reward: (f64, f64),
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    slots: Vec<LoopSlot>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LoopSlot {
    baseline: usize,
    reward: (f64, f64),
}

impl LoopFields {
    pub(crate) fn of(joined: &Joined) -> Self {
        let reward = |reward: &JoinedReward| (reward.original, reward.learned);
        let slots = joined.interaction.slots.iter().zip(&joined.slots);
        let slot = |(slot, joined): (&FilledSlot, &JoinedReward)| LoopSlot {
            baseline: slot.baseline,
            reward: reward(joined),
        };
        Self {
            mode: joined.interaction.mode,
            activation: joined.interaction.activation,
            reward: reward(&joined.reward),
            slots: slots.map(slot).collect(),
        }
    }
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "EventId")]
    event_id: EventId,
    #[serde(rename = "Timestamp")]
    timestamp: Timestamp,
    #[serde(rename = "_skipLearn", default)]
    skip_learn: bool,
    #[serde(default)]
    o: Vec<Observation>,
    #[serde(default)]
    a: Vec<usize>,
    #[serde(default)]
    p: Vec<f32>,
    #[serde(borrow)]
    c: Context<'a>,
    #[serde(rename = "_outcomes", default)]
    outcomes: Vec<SlotOutcome>,
    #[serde(rename = "VWState")]
    state: State,
    runner: LoopFields,
}

#[derive(Deserialize)]
struct Observation {
    #[serde(default)]
    v: Option<f64>,
}

#[derive(Deserialize)]
struct Context<'a> {
    #[serde(rename = "FromUrl")]
    from_url: Arc<[FeatureObject]>,
    #[serde(rename = "_multi", borrow)]
    multi: &'a RawValue,
    #[serde(rename = "_slots", default)]
    slots: Vec<Slot>,
}

#[derive(Deserialize)]
struct Action {
    #[serde(rename = "_tag")]
    tag: Arc<str>,
    j: Arc<[FeatureObject]>,
}

#[derive(Deserialize)]
struct Slot {
    #[serde(rename = "_id")]
    id: String,
    sj: Vec<FeatureObject>,
}

#[derive(Deserialize)]
struct SlotOutcome {
    #[serde(rename = "_a")]
    ranking: Vec<usize>,
    #[serde(rename = "_p")]
    probabilities: Vec<f32>,
    #[serde(rename = "_o")]
    observations: Vec<Observation>,
}

#[derive(Deserialize)]
struct State {
    m: String,
}

/// Reads lines. Actions that events share are parsed and stored once.
#[derive(Debug, Default)]
pub(crate) struct LineReader {
    actions: HashMap<Box<str>, Arc<[RankableAction]>>,
}

/// The number of lists of actions that are shared.
const CAPACITY: usize = 256;

impl LineReader {
    /// The event of a line.
    pub(crate) fn line(&mut self, text: &[u8]) -> serde_json::Result<Joined> {
        let line: Line<'_> = serde_json::from_slice(text)?;
        let actions = self.actions(line.c.multi.get())?;
        event(line, actions)
    }

    fn actions(&mut self, text: &str) -> serde_json::Result<Arc<[RankableAction]>> {
        if let Some(actions) = self.actions.get(text) {
            return Ok(actions.clone());
        }
        let parsed: Vec<Action> = serde_json::from_str(text)?;
        let action = |action: Action| RankableAction { id: action.tag, features: action.j };
        let actions: Arc<[_]> = parsed.into_iter().map(action).collect();
        if self.actions.len() >= CAPACITY {
            self.actions.clear();
        }
        self.actions.insert(text.into(), actions.clone());
        Ok(actions)
    }
}

fn event(line: Line<'_>, actions: Arc<[RankableAction]>) -> serde_json::Result<Joined> {
    let reward = |(original, learned)| JoinedReward { original, learned };
    let ranking: Vec<_> = line.a.iter().map(|action| action.wrapping_sub(1)).collect();
    let slots = slots(line.c.slots, &line.outcomes, &line.runner.slots, actions.len())?;
    let choice = match slots.first() {
        Some(first) => first.choice.clone(),
        None => choice(&ranking, &line.p, actions.len())?,
    };
    Ok(Joined {
        learnable: !line.skip_learn,
        reward: reward(line.runner.reward),
        slots: line.runner.slots.iter().map(|slot| reward(slot.reward)).collect(),
        interaction: Interaction {
            event_id: line.event_id,
            time: line.timestamp,
            context: line.c.from_url,
            actions,
            choice: Arc::new(choice),
            model: line.state.m.parse().ok(),
            mode: line.runner.mode,
            activation: line.runner.activation,
            rewards: rewards(&line.o).collect(),
            slots,
        },
    })
}

fn rewards(observations: &[Observation]) -> impl Iterator<Item = f64> + '_ {
    observations.iter().filter_map(|observation| observation.v)
}

fn slots(
    slots: Vec<Slot>,
    outcomes: &[SlotOutcome],
    fields: &[LoopSlot],
    actions: usize,
) -> serde_json::Result<Vec<FilledSlot>> {
    if slots.len() != outcomes.len() || slots.len() != fields.len() {
        return Err(serde::de::Error::custom("slots without outcomes"));
    }
    let slot = |((slot, outcome), fields): ((Slot, &SlotOutcome), &LoopSlot)| {
        let (included, features) = split_included(slot.sj);
        Ok(FilledSlot {
            id: slot.id,
            features: features.into(),
            included,
            baseline: fields.baseline,
            choice: choice(&outcome.ranking, &outcome.probabilities, actions)?,
            rewards: rewards(&outcome.observations).collect(),
        })
    };
    slots.into_iter().zip(outcomes).zip(fields).map(slot).collect()
}

/// Separates `{"_inc": [..]}` from the features of a slot.
fn split_included(objects: Vec<FeatureObject>) -> (Vec<usize>, Vec<FeatureObject>) {
    let is_list = |object: &FeatureObject| object.0.first().is_some_and(|(key, _)| key == "_inc");
    let (lists, features): (Vec<_>, Vec<_>) = objects.into_iter().partition(is_list);
    let index = |value: &FeatureValue| match value {
        FeatureValue::Number(number) => usize::try_from(number.as_u64()?).ok(),
        _ => None,
    };
    let values = lists.iter().flat_map(|object| &object.0).flat_map(|(_, value)| match value {
        FeatureValue::List(values) => values.as_slice(),
        _ => &[],
    });
    (values.filter_map(index).collect(), features)
}

/// A choice over all actions, from the ranked ones and their probabilities.
fn choice(ranking: &[usize], probabilities: &[f32], actions: usize) -> serde_json::Result<Choice> {
    let is_valid = !ranking.is_empty()
        && ranking.len() == probabilities.len()
        && ranking.iter().all(|action| *action < actions);
    if !is_valid {
        return Err(serde::de::Error::custom("a ranking of other actions"));
    }
    let mut pmf: SmallVec<_> = smallvec![0.0; actions];
    ranking.iter().zip(probabilities).for_each(|(action, share)| pmf[*action] = *share);
    Ok(Choice { pmf, ranking: ranking.iter().copied().collect() })
}
