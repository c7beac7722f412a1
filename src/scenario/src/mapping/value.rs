//! Values in an answer of a service: actions, probabilities, numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::path::SingularPath;
use record::Violation;

/// How far a probability may be above one: services that count in 32 bits round.
const ROUNDING: f64 = 1e-6;

/// Where a probability is, and what its number says.
#[derive(Debug, Clone)]
pub(super) struct Probability<S> {
    pub source: S,
    pub scale: Scale,
}

/// A fraction is written as its place alone.
impl<S: Serialize> Serialize for Probability<S> {
    fn serialize<W: Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
        match self.scale {
            Scale::Fraction => self.source.serialize(serializer),
            scale => (&self.source, scale).serialize(serializer),
        }
    }
}

/// What the number of a probability says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// The probability itself.
    Fraction,
    /// A hundred times as much.
    Percent,
    /// Its natural logarithm.
    Log,
}

/// The index of an action by what a service calls it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Lookup(pub Arc<BTreeMap<String, usize>>);

/// How an answer is not what the scenario says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeError {
    /// What kind of violation, for counting.
    pub violation: Violation,
    /// What was found, for a person.
    pub message: String,
}

impl Lookup {
    /// How many actions there are.
    pub fn actions(&self) -> usize {
        self.0.len()
    }

    /// The action that a value stands for; `place` is where it was found.
    pub fn index(&self, value: &Json, place: &str) -> Result<usize, TakeError> {
        let text = text_of(value)
            .ok_or_else(|| json(format!("`{place}` is {}, not an action", kind(value))))?;
        self.0.get(&text).copied().ok_or_else(|| {
            violates(Violation::Action, format!("the action `{}` was not sent", shown(value)))
        })
    }
}

/// What a text, a whole number or a boolean stands for. A number in a text is the same.
pub(super) fn text_of(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Number(number) => match number.as_f64() {
            // Services in dynamic languages write an index as `2.0`.
            Some(float) if number.is_f64() && float.fract() == 0.0 => Some(format!("{float:.0}")),
            _ => Some(number.to_string()),
        },
        _ => None,
    }
}

pub(super) fn found<'a>(answer: &'a Json, path: &SingularPath) -> Result<&'a Json, TakeError> {
    path.find(answer).ok_or_else(|| json(format!("the answer has nothing at `{}`", path.text())))
}

pub(super) fn probability(value: &Json, scale: Scale, place: &str) -> Result<f64, TakeError> {
    let number = number(value, place, "a probability")?;
    let probability = match scale {
        Scale::Fraction => number,
        Scale::Percent => number / 100.0,
        Scale::Log => libm::exp(number),
    };
    if (0.0..=1.0 + ROUNDING).contains(&probability) {
        return Ok(probability.min(1.0));
    }
    let what = match scale {
        Scale::Fraction => "a probability",
        Scale::Percent => "a probability in percent",
        Scale::Log => "the logarithm of a probability",
    };
    Err(violates(Violation::Probability, format!("{number} is not {what}")))
}

/// A number, which services that count in decimals write as a text.
pub(super) fn number(value: &Json, place: &str, what: &str) -> Result<f64, TakeError> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
        .ok_or_else(|| json(format!("`{place}` is {}, not {what}", kind(value))))
}

pub(super) fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(text) if text.is_empty() => "an empty text",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

/// A value of the service, on one line and not longer than a line.
pub(super) fn shown(value: &Json) -> String {
    let text = text_of(value).unwrap_or_else(|| value.to_string());
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

pub(super) fn json(message: String) -> TakeError {
    violates(Violation::Json, message)
}

pub(super) fn violates(violation: Violation, message: String) -> TakeError {
    TakeError { violation, message }
}
