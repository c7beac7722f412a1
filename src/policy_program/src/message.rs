//! What is said to a program, and what it answers. Each message is a line of JSON.

use std::sync::Arc;

use protocol::{FeatureObject, RankableAction};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::trouble::Trouble;

/// The version of the protocol.
const PROTOCOL: u32 = 1;

/// How far the sum of probabilities may be from one.
const TOLERANCE: f64 = 1e-4;

/// A line that is sent.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Request<'a> {
    /// The first.
    Hello { protocol: u32, seed: u64 },
    /// Which action?
    Rank { id: &'a str, context: Merged<'a>, actions: &'a RawValue },
    /// What came of earlier choices.
    Learn { events: Learned<'a> },
    /// What have you learned?
    Save,
    /// What another process of the program had learned.
    Load { state: &'a str },
    /// The last.
    End,
}

impl Request<'_> {
    pub fn hello(seed: u64) -> Self {
        Self::Hello { protocol: PROTOCOL, seed }
    }

    /// The request in words.
    pub fn name(&self) -> String {
        match self {
            Self::Hello { .. } => "`hello`".to_owned(),
            Self::Rank { id, .. } => format!("`rank` of event `{id}`"),
            Self::Learn { events } => format!("`learn` of {} events", events.events.len()),
            Self::Save => "`save`".to_owned(),
            Self::Load { .. } => "`load`".to_owned(),
            Self::End => "`end`".to_owned(),
        }
    }

    /// Writes the line, with its end.
    pub fn write(&self, line: &mut Vec<u8>) {
        line.clear();
        serde_json::to_writer(&mut *line, self).expect("features are finite");
        line.push(b'\n');
    }
}

/// An event and what came of it, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LearnedEvent {
    /// The id of the event.
    pub id: String,
    /// The context.
    pub context: Arc<[FeatureObject]>,
    /// The actions.
    pub actions: Arc<[RankableAction]>,
    /// The index of the chosen action.
    pub chosen: usize,
    /// The probability with which it was chosen.
    pub probability: f32,
    /// The reward.
    pub reward: f64,
}

/// Events as a program is told them, and the text of the actions of each.
pub(crate) struct Learned<'a> {
    pub events: &'a [LearnedEvent],
    pub actions: &'a [Arc<RawValue>],
}

impl Serialize for Learned<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Event<'a> {
            id: &'a str,
            context: Merged<'a>,
            actions: &'a RawValue,
            chosen: usize,
            probability: f32,
            reward: f64,
        }
        serializer.collect_seq(self.events.iter().zip(self.actions).map(|(event, actions)| Event {
            id: &event.id,
            context: Merged(&event.context),
            actions,
            chosen: event.chosen,
            probability: event.probability,
            reward: event.reward,
        }))
    }
}

/// Objects of features as one.
pub(crate) struct Merged<'a>(pub &'a [FeatureObject]);

impl Serialize for Merged<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.0.iter().flat_map(|object| &object.0);
        serializer.collect_map(entries.map(|(key, value)| (key, value)))
    }
}

/// The text of actions. Most events offer the same list as the one before.
#[derive(Debug, Default)]
pub(crate) struct ActionTexts {
    last: Option<(Arc<[RankableAction]>, Arc<RawValue>)>,
}

impl ActionTexts {
    pub fn of(&mut self, actions: &Arc<[RankableAction]>) -> Arc<RawValue> {
        if let Some((last, text)) = &self.last
            && Arc::ptr_eq(last, actions)
        {
            return Arc::clone(text);
        }
        let text: Arc<RawValue> =
            to_raw_value(&Actions(actions)).expect("features are finite").into();
        self.last = Some((Arc::clone(actions), Arc::clone(&text)));
        text
    }
}

/// Actions with their features.
struct Actions<'a>(&'a [RankableAction]);

impl Serialize for Actions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Action<'a> {
            id: &'a str,
            features: Merged<'a>,
        }
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for action in self.0 {
            let features = Merged(&action.features);
            list.serialize_element(&Action { id: &action.id, features })?;
        }
        list.end()
    }
}

/// What the program says of itself.
#[derive(Deserialize)]
pub(crate) struct Hello {
    #[serde(rename = "type")]
    kind: String,
    pub name: String,
    /// Whether it answers `save` and `load`.
    #[serde(default)]
    pub saves: bool,
}

#[derive(Deserialize)]
struct Probabilities {
    probabilities: Vec<f64>,
}

#[derive(Deserialize)]
struct Acknowledged {
    ok: bool,
}

#[derive(Deserialize)]
struct Saved {
    state: String,
}

/// The answer of a program that gives up.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Reads the answer to `hello`.
pub(crate) fn hello(line: &[u8]) -> Result<Hello, Trouble> {
    let expected = r#"{"type":"hello","name":"…"}"#;
    let answer: Hello = read(line, expected)?;
    let is_hello = answer.kind == "hello";
    is_hello.then_some(answer).ok_or_else(|| unexpected(line, expected))
}

/// Reads the answer to `save`.
pub(crate) fn saved(line: &[u8]) -> Result<String, Trouble> {
    read(line, r#"{"state":"…"}"#).map(|Saved { state }| state)
}

/// Reads the answer to `learn` or `load`.
pub(crate) fn acknowledged(line: &[u8]) -> Result<(), Trouble> {
    let expected = r#"{"ok":true}"#;
    let answer: Acknowledged = read(line, expected)?;
    answer.ok.then_some(()).ok_or_else(|| unexpected(line, expected))
}

/// Reads the answer to `rank`: a distribution over so many actions.
pub(crate) fn probabilities(line: &[u8], actions: usize) -> Result<Vec<f64>, Trouble> {
    let answer: Probabilities = read(line, r#"{"probabilities":[…]}"#)?;
    let mut probabilities = answer.probabilities;
    if probabilities.len() != actions {
        return Err(Trouble::Count { found: probabilities.len(), expected: actions });
    }
    let wrong = probabilities.iter().position(|probability| !(0.0..=1.0).contains(probability));
    if let Some(index) = wrong {
        return Err(Trouble::Range { place: index + 1, found: probabilities[index] });
    }
    let sum: f64 = probabilities.iter().sum();
    if (sum - 1.0).abs() > TOLERANCE {
        return Err(Trouble::Sum(sum));
    }
    probabilities.iter_mut().for_each(|probability| *probability /= sum);
    Ok(probabilities)
}

fn read<'a, T: Deserialize<'a>>(line: &'a [u8], expected: &'static str) -> Result<T, Trouble> {
    if let Ok(answer) = serde_json::from_slice(line) {
        return Ok(answer);
    }
    if let Ok(Refusal { error }) = serde_json::from_slice(line) {
        return Err(Trouble::Said(error));
    }
    Err(unexpected(line, expected))
}

fn unexpected(line: &[u8], expected: &'static str) -> Trouble {
    let Ok(text) = std::str::from_utf8(line) else { return Trouble::NotText };
    // Python's `json` writes these, though JSON has no such numbers.
    let no_number = ["NaN", "Infinity"].into_iter().find(|word| {
        text.starts_with('{')
            && text.split(['[', ',', ' ', ':', '-', ']']).any(|part| part == *word)
    });
    match no_number {
        Some(word) => Trouble::NoNumber(word),
        None => Trouble::Unexpected { expected, found: text.trim_end().to_owned() },
    }
}
