//! The line of an event with slots, as `vw --ccb_explore_adf --dsjson` reads it.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::read::LoopFields;
use super::{Action, Model, Object, Objects, Observation, State, action};
use crate::interaction::{Activation, FilledSlot, Interaction};
use crate::joined::{Joined, JoinedReward, cost};
use protocol::{EventId, FeatureObject};
use timestamp::Timestamp;

/// VW assigns outcomes to the slots of `c`, so `_outcomes` comes after it.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "Timestamp")]
    timestamp: Timestamp,
    #[serde(rename = "Version")]
    version: &'static str,
    #[serde(rename = "EventId")]
    event_id: &'a EventId,
    #[serde(rename = "_skipLearn", skip_serializing_if = "std::ops::Not::not")]
    skip_learn: bool,
    c: Context<'a>,
    #[serde(rename = "_outcomes")]
    outcomes: Vec<SlotOutcome<'a>>,
    #[serde(rename = "VWState")]
    state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    runner: Option<LoopFields>,
}

#[derive(Serialize)]
struct Context<'a> {
    #[serde(rename = "FromUrl")]
    from_url: Objects<'a>,
    #[serde(rename = "_multi")]
    multi: Vec<Action<'a>>,
    #[serde(rename = "_slots")]
    slots: Vec<Slot<'a>>,
}

#[derive(Serialize)]
struct Slot<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    sj: SlotContent<'a>,
}

/// The features of a slot, and the actions that may fill it.
struct SlotContent<'a>(&'a FilledSlot);

#[derive(Serialize)]
struct Included<'a> {
    #[serde(rename = "_inc")]
    included: &'a [usize],
}

#[derive(Serialize)]
struct SlotOutcome<'a> {
    #[serde(rename = "_label_cost")]
    label_cost: f32,
    #[serde(rename = "_id")]
    id: &'a str,
    /// From zero.
    #[serde(rename = "_a")]
    ranking: &'a [usize],
    #[serde(rename = "_p")]
    probabilities: Vec<f32>,
    #[serde(rename = "_o")]
    observations: Vec<Observation<'a>>,
    #[serde(rename = "_original_label_cost")]
    original_label_cost: f32,
}

/// Appends the line, without its line break.
pub(crate) fn push(joined: &Joined, runner: Option<LoopFields>, lines: &mut Vec<u8>) {
    let interaction = &joined.interaction;
    let outcomes = interaction.slots.iter().zip(&joined.slots);
    let line = Line {
        timestamp: interaction.time,
        version: "1",
        event_id: &interaction.event_id,
        skip_learn: !joined.learnable,
        c: context(interaction),
        outcomes: outcomes.map(|(slot, reward)| outcome(interaction, slot, reward)).collect(),
        state: State { m: Model(interaction.model) },
        runner,
    };
    serde_json::to_writer(lines, &line).expect("names are texts and numbers finite");
}

fn context(interaction: &Interaction) -> Context<'_> {
    Context {
        from_url: Objects(&interaction.context),
        multi: interaction.actions.iter().map(action).collect(),
        slots: interaction
            .slots
            .iter()
            .map(|slot| Slot { id: &slot.id, sj: SlotContent(slot) })
            .collect(),
    }
}

fn outcome<'a>(
    interaction: &'a Interaction,
    slot: &'a FilledSlot,
    reward: &JoinedReward,
) -> SlotOutcome<'a> {
    let event_id = &interaction.event_id;
    let observation = |v: &f64| Observation { v: Some(*v), event_id, action_taken: false };
    let activation = Observation { v: None, event_id, action_taken: true };
    let activated = interaction.activation == Activation::Activated;
    let choice = &slot.choice;
    SlotOutcome {
        label_cost: cost(reward.learned),
        id: &slot.id,
        ranking: &choice.ranking,
        probabilities: choice.ranking.iter().map(|action| choice.pmf[*action]).collect(),
        observations: slot
            .rewards
            .iter()
            .map(observation)
            .chain(activated.then_some(activation))
            .collect(),
        original_label_cost: cost(reward.original),
    }
}

impl Serialize for SlotContent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Element<'a> {
            Features(Object<'a>),
            Included(Included<'a>),
        }
        let FilledSlot { features, included, .. } = self.0;
        let features: &Arc<[FeatureObject]> = features;
        let features = features.iter().map(|object| Element::Features(Object(object)));
        let included = (!included.is_empty()).then_some(Element::Included(Included { included }));
        serializer.collect_seq(features.chain(included))
    }
}
