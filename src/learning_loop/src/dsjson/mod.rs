mod context;
pub(crate) mod read;
mod slots;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use self::context::{ContextTexts, LineContext};
use self::read::LoopFields;
use super::interaction::{Activation, Choice, Interaction};
use super::joined::{Joined, cost};
use policy::is_feature;
use protocol::{EventId, FeatureObject, FeatureValue, RankableAction};
use timestamp::Timestamp;

/// The line of a joined event that `vw --dsjson` reads.
///
/// VW attaches the label when `c` closes, so the keys of the label come before it.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "_label_cost")]
    label_cost: f32,
    #[serde(rename = "_label_probability")]
    label_probability: f32,
    /// From one.
    #[serde(rename = "_label_Action")]
    label_action: usize,
    /// From zero.
    #[serde(rename = "_labelIndex")]
    label_index: usize,
    #[serde(rename = "_skipLearn", skip_serializing_if = "std::ops::Not::not")]
    skip_learn: bool,
    o: Observations<'a>,
    #[serde(rename = "Timestamp")]
    timestamp: Timestamp,
    #[serde(rename = "Version")]
    version: &'static str,
    #[serde(rename = "EventId")]
    event_id: &'a EventId,
    a: Ranked<'a>,
    c: LineContext<'a>,
    p: Probabilities<'a>,
    #[serde(rename = "VWState")]
    state: State,
    #[serde(rename = "_original_label_cost")]
    original_label_cost: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    runner: Option<LoopFields>,
}

/// A reward or an activation.
#[derive(Serialize)]
struct Observation<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<f64>,
    #[serde(rename = "EventId")]
    event_id: &'a EventId,
    #[serde(rename = "ActionTaken")]
    action_taken: bool,
}

#[derive(Serialize)]
struct Action<'a> {
    #[serde(rename = "_tag")]
    tag: &'a str,
    i: Identity<'a>,
    j: Objects<'a>,
}

#[derive(Serialize)]
struct Identity<'a> {
    constant: u8,
    id: &'a str,
}

#[derive(Serialize)]
struct State {
    m: Model,
}

/// When the model that chose was exported.
struct Model(Option<Timestamp>);

/// The actions as they were ranked, from one.
struct Ranked<'a>(&'a Choice);

/// Their probabilities.
struct Probabilities<'a>(&'a Choice);

struct Observations<'a>(&'a Interaction);

/// Writes lines. Contexts and actions that events share are serialized once.
#[derive(Debug, Default)]
pub(crate) struct LineWriter {
    contexts: ContextTexts,
    /// Whether lines have the fields of a segment.
    is_for_segments: bool,
}

impl LineWriter {
    /// Writes the lines of segments, which can be read back.
    pub(crate) fn for_segments() -> Self {
        Self { is_for_segments: true, ..Self::default() }
    }

    /// Appends the line of an event, and its line break.
    pub fn push(&mut self, joined: &Joined, lines: &mut Vec<u8>) {
        if joined.interaction.slots.is_empty() {
            let fields = self.is_for_segments.then(|| LoopFields::of(joined));
            let line = line(joined, self.contexts.of(&joined.interaction), fields);
            serde_json::to_writer(&mut *lines, &line).expect("names are texts and numbers finite");
        } else {
            let fields = self.is_for_segments.then(|| LoopFields::of(joined));
            slots::push(joined, fields, lines);
        }
        lines.push(b'\n');
    }
}

fn line<'a>(joined: &'a Joined, c: LineContext<'a>, runner: Option<LoopFields>) -> Line<'a> {
    let interaction = &joined.interaction;
    Line {
        label_cost: cost(joined.reward.learned),
        label_probability: interaction.probability(),
        label_action: interaction.chosen() + 1,
        label_index: interaction.chosen(),
        skip_learn: !joined.learnable,
        o: Observations(interaction),
        timestamp: interaction.time,
        version: "1",
        event_id: &interaction.event_id,
        a: Ranked(&interaction.choice),
        c,
        p: Probabilities(&interaction.choice),
        state: State { m: Model(interaction.model) },
        original_label_cost: cost(joined.reward.original),
        runner,
    }
}

fn action(action: &RankableAction) -> Action<'_> {
    let i = Identity { constant: 1, id: &action.id };
    Action { tag: &action.id, i, j: Objects(&action.features) }
}

/// Features without the keys that mean something else to VW: a visitor's `_labelIndex`
/// must not become the label.
struct Objects<'a>(&'a [FeatureObject]);

struct Object<'a>(&'a FeatureObject);

struct Value<'a>(&'a FeatureValue);

impl Serialize for Observations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event_id = &self.0.event_id;
        let reward = |v: &f64| Observation { v: Some(*v), event_id, action_taken: false };
        let activation = Observation { v: None, event_id, action_taken: true };
        let activated = self.0.activation == Activation::Activated;
        let rewards = self.0.rewards.iter().map(reward);
        serializer.collect_seq(rewards.chain(activated.then_some(activation)))
    }
}

impl Serialize for Model {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(exported) => exported.serialize(serializer),
            None => serializer.serialize_str("N/A"),
        }
    }
}

impl Serialize for Ranked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.ranking.iter().map(|action| action + 1))
    }
}

impl Serialize for Probabilities<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut numbers = serializer.serialize_seq(Some(self.0.ranking.len()))?;
        // Most have the probability of the one before, whose text is made once.
        let mut last: Option<(f32, Option<Box<RawValue>>)> = None;
        for probability in self.0.ranking.iter().map(|action| self.0.pmf[*action]) {
            match &mut last {
                Some((number, text)) if number.to_bits() == probability.to_bits() => {
                    let make = || to_raw_value(&probability).expect("a number has a text");
                    numbers.serialize_element(text.get_or_insert_with(make))?;
                }
                last => {
                    numbers.serialize_element(&probability)?;
                    *last = Some((probability, None));
                }
            }
        }
        numbers.end()
    }
}

impl Serialize for Objects<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut objects = serializer.serialize_seq(Some(self.0.len()))?;
        for object in self.0 {
            objects.serialize_element(&Object(object))?;
        }
        objects.end()
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in self.0.0.iter().filter(|(key, _)| is_feature(key)) {
            map.serialize_entry(key, &Value(value))?;
        }
        map.end()
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            FeatureValue::Object(object) => Object(object).serialize(serializer),
            other => other.serialize(serializer),
        }
    }
}
