//! Values in an answer of a service: actions, probabilities, numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::path::SingularPath;
use record::Violation;

/// How far a probability may be above one: services that count in 32 bits round.
const ROUNDING: f64 = 1e-6;

/// So many actions are named where one is not known.
const MOST_NAMED: usize = 5;

/// Where a probability is, and what its number says.
#[derive(Debug, Clone)]
pub struct Probability<S> {
    /// Where it is.
    pub source: S,
    /// What its number says.
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
pub struct Lookup(pub Arc<BTreeMap<String, usize>>);

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
    pub(super) fn index(&self, value: &Json, place: &str) -> Result<usize, TakeError> {
        let text = text_of(value)
            .ok_or_else(|| json(format!("`{place}` is {}, not an action", kind(value))))?;
        self.0.get(&text).copied().ok_or_else(|| {
            let message =
                format!("the action `{}` was not sent, but {}", shown(value), self.some_actions());
            violates(Violation::Action, message)
        })
    }

    /// The first actions, as the service knows them.
    fn some_actions(&self) -> String {
        let quoted = |name: &String| format!("`{}`", shown(&name.as_str().into()));
        let named: Vec<String> = self.0.keys().take(MOST_NAMED).map(quoted).collect();
        let others = if self.0.len() > MOST_NAMED { ", …" } else { "" };
        named.join(", ") + others
    }
}

/// What a text, a whole number or a boolean stands for. A number in a text is the same.
pub fn text_of(value: &Json) -> Option<String> {
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
    let percents = value.as_str().and_then(|text| text.trim().strip_suffix('%'));
    let number = match percents {
        Some(percents) if scale == Scale::Percent => number(&percents.into(), place, "a number")?,
        Some(_) => {
            let message = format!("`{place}` is \"{}\": say `scale: percent`", shown(value));
            return Err(json(message));
        }
        None => number(value, place, "a probability")?,
    };
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
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    number.ok_or_else(|| json(format!("`{place}` is {}, not {what}", found_at(value))))
}

/// A score: none is above all others, or beside them.
pub(super) fn score(value: &Json, place: &str, what: &str) -> Result<f64, TakeError> {
    let score = number(value, place, what)?;
    if score.is_finite() {
        return Ok(score);
    }
    Err(json(format!("`{place}` is {}, not {what}", found_at(value))))
}

/// What stands at a place; a text as it is.
fn found_at(value: &Json) -> String {
    match value {
        Json::String(text) if !text.is_empty() => format!("\"{}\"", shown(value)),
        _ => kind(value).to_owned(),
    }
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
