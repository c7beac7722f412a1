//! Forms of values without parts.

use serde_json::{Value as Json, json};

use super::message;
use super::notation::{COUNT_PATTERN, POSITIVE_COUNT_PATTERN, count as plain_count, whole};
use super::{Form, Mapped, Owner, Reading};
use crate::document::{Node, Value};
use diagnostic::nearest;

/// A reference to the environment may stand for any scalar.
const REFERENCE: &str = r"\$\{";

/// A form of values without parts.
pub(crate) trait Scalar {
    type Value;

    /// Whether a node is of the right kind. A reference to the environment always is.
    fn is_kind(&self, value: &Value) -> bool;

    /// The value of a node, if it is allowed.
    fn value(&self, node: &Node) -> Option<Self::Value>;

    fn expected(&self) -> String;

    fn hint(&self, node: &Node) -> Option<String>;

    fn schema(&self) -> Json;
}

impl<S: Scalar> Form for S {
    type Value = S::Value;

    fn fits(&self, node: &Node) -> bool {
        matches!(node.value, Value::Interpolated(_)) || self.is_kind(&node.value)
    }

    fn read(&self, node: &Node, owner: Owner<'_>, reading: &mut Reading<'_>) -> Option<S::Value> {
        let value = self.value(node);
        if value.is_none() {
            let (expected, hint) = (Scalar::expected(self), Scalar::hint(self, node));
            reading.refuse(message::refused(node, &expected, hint, owner));
        }
        value
    }

    fn expected(&self) -> String {
        Scalar::expected(self)
    }

    fn hint(&self, node: &Node) -> Option<String> {
        Scalar::hint(self, node)
    }

    fn schema(&self) -> Json {
        Scalar::schema(self)
    }
}

fn or_reference(schema: &Json) -> Json {
    json!({ "anyOf": [schema, { "type": "string", "pattern": REFERENCE }] })
}

fn text_with(pattern: &str) -> Json {
    json!({ "type": "string", "pattern": format!("{pattern}|{REFERENCE}") })
}

fn quoted(node: &Node) -> Option<String> {
    matches!(node.value, Value::Number(_) | Value::Bool(_))
        .then(|| format!("put it in quotes: `\"{}\"`", node.place.text()))
}

/// For notations of which nothing else is ever meant.
pub(crate) const fn no_hint(_: &Node) -> Option<String> {
    None
}

/// `true` or `false`.
pub(crate) struct Boolean;

pub(crate) const BOOLEAN: Boolean = Boolean;

impl Scalar for Boolean {
    type Value = bool;

    fn is_kind(&self, value: &Value) -> bool {
        matches!(value, Value::Bool(_))
    }

    fn value(&self, node: &Node) -> Option<bool> {
        node.boolean()
    }

    fn expected(&self) -> String {
        "`true` or `false`".to_owned()
    }

    fn hint(&self, node: &Node) -> Option<String> {
        matches!(node.text()?, "yes" | "on" | "no" | "off")
            .then(|| "YAML 1.2 knows `true` and `false` only".to_owned())
    }

    fn schema(&self) -> Json {
        or_reference(&json!({ "type": "boolean" }))
    }
}

/// A whole number that is not negative. May be written with `_` between digits.
#[derive(Clone, Copy)]
pub(crate) struct Count {
    least: u64,
    most: u64,
    /// What to do about a zero.
    zero: Option<&'static str>,
    /// What else may have been meant.
    otherwise: fn(&Node) -> Option<String>,
}

/// A whole number from `least` to `most`.
pub(crate) const fn count(least: u64, most: u64) -> Count {
    Count { least, most, zero: None, otherwise: |_| None }
}

/// A whole number from `least` to `most`, as a size in memory.
pub(crate) fn size(least: u64, most: u64) -> Mapped<Count, fn(u64) -> usize> {
    count(least, most).map(|number| usize::try_from(number).unwrap_or(usize::MAX))
}

impl Count {
    /// What else may have been meant.
    pub const fn or_hint(self, otherwise: fn(&Node) -> Option<String>) -> Self {
        Self { otherwise, ..self }
    }

    /// What to do about a zero.
    pub const fn instead_of_zero(self, help: &'static str) -> Self {
        Self { zero: Some(help), ..self }
    }
}

impl Count {
    /// The whole numbers beside one that is none; without its sign, if it has one.
    fn near(&self, number: f64) -> Option<String> {
        if number >= 0.0 && number.fract() == 0.0 {
            return None;
        }
        let number = number.abs();
        let allowed = |number: &f64| (self.least..=self.most).contains(&rounded(*number));
        let mut near = vec![libm::floor(number), libm::ceil(number)];
        near.retain(allowed);
        near.dedup();
        let near: Vec<String> = near.iter().map(|near| format!("`{near:.0}`")).collect();
        (!near.is_empty()).then(|| format!("write {}", near.join(" or ")))
    }

    /// A number that is allowed.
    fn example(&self) -> u64 {
        100.clamp(self.least, self.most)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is beyond all counts is the nearest of them"
)]
fn rounded(number: f64) -> u64 {
    number as u64
}

impl Scalar for Count {
    type Value = u64;

    fn is_kind(&self, value: &Value) -> bool {
        match value {
            Value::Number(_) | Value::NotFinite => true,
            Value::Text(text) => plain_count(text).is_some(),
            _ => false,
        }
    }

    fn value(&self, node: &Node) -> Option<u64> {
        let number = whole(node).and_then(|number| u64::try_from(number).ok());
        number.filter(|number| (self.least..=self.most).contains(number))
    }

    fn expected(&self) -> String {
        match (self.least, self.most) {
            (0, u64::MAX) => "a whole number from 0 up".to_owned(),
            (least, most) => format!("a whole number from {least} to {}", message::grouped(most)),
        }
    }

    fn hint(&self, node: &Node) -> Option<String> {
        if node.number() == Some(0.0) {
            return self.zero.map(str::to_owned);
        }
        if let Some(other) = (self.otherwise)(node) {
            return Some(other);
        }
        match &node.value {
            Value::Number(number) => self.near(number.as_f64()?),
            // The half of something is less than one.
            Value::Text(text) if fraction(text).is_some() => self.near(fraction(text)?),
            Value::Text(text) => {
                let number = written_out(text).map(|number| format!("write it out: `{number}`"));
                let number = number.or_else(|| without_unit(text));
                number.or_else(|| Some(format!("write it in digits, such as `{}`", self.example())))
            }
            _ => None,
        }
    }

    fn schema(&self) -> Json {
        let pattern = if self.least > 0 { POSITIVE_COUNT_PATTERN } else { COUNT_PATTERN };
        json!({ "anyOf": [
            { "type": "integer", "minimum": self.least, "maximum": self.most },
            text_with(pattern),
        ]})
    }
}

/// `10k`, `1M`, `10,000` and `10 000` with `_` between its thousands.
fn written_out(text: &str) -> Option<String> {
    for (units, zeros) in [(['k', 'K'], "_000"), (['m', 'M'], "_000_000")] {
        let number = text.strip_suffix(units).map(|number| number.trim_end().parse::<u32>());
        if let Some(Ok(number)) = number {
            return Some(format!("{number}{zeros}"));
        }
    }
    let groups: Vec<&str> = text.split([',', ' ', '\'']).collect();
    let is_group = |group: &&str| group.bytes().all(|byte| byte.is_ascii_digit());
    let (first, rest) = groups.split_first()?;
    let are_thousands = !rest.is_empty()
        && rest.iter().all(|group| group.len() == 3)
        && (1..=3).contains(&first.len())
        && groups.iter().all(is_group);
    are_thousands.then(|| groups.join("_"))
}

/// What to say of `20%` and `20s` where things are counted.
fn without_unit(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0)?;
    let (number, unit) = text.split_at(end);
    match unit.trim_start() {
        "%" => Some("a count is no share: write how many".to_owned()),
        unit if unit.chars().all(char::is_alphabetic) => {
            Some(format!("a count has no unit: write `{number}`"))
        }
        _ => None,
    }
}

/// A whole number that may be negative.
pub(crate) struct Integer {
    least: i64,
    most: i64,
}

/// A whole number from `least` to `most`.
pub(crate) const fn integer(least: i64, most: i64) -> Integer {
    Integer { least, most }
}

impl Scalar for Integer {
    type Value = i64;

    fn is_kind(&self, value: &Value) -> bool {
        matches!(value, Value::Number(_) | Value::NotFinite)
    }

    fn value(&self, node: &Node) -> Option<i64> {
        let number = whole(node).and_then(|number| i64::try_from(number).ok());
        number.filter(|number| (self.least..=self.most).contains(number))
    }

    fn expected(&self) -> String {
        if self.least == self.most {
            format!("`{}`", self.least)
        } else {
            format!("a whole number from {} to {}", self.least, self.most)
        }
    }

    fn hint(&self, _: &Node) -> Option<String> {
        None
    }

    fn schema(&self) -> Json {
        or_reference(&json!({ "type": "integer", "minimum": self.least, "maximum": self.most }))
    }
}

/// The value of `1/2`, to four digits behind the point.
pub(crate) fn fraction(text: &str) -> Option<f64> {
    const DIGITS: f64 = 1e4;
    let (above, below) = text.split_once('/')?;
    let number = |text: &str| text.trim().parse::<u32>().ok().filter(|number| *number > 0);
    let value = f64::from(number(above)?) / f64::from(number(below)?);
    Some(libm::round(value * DIGITS) / DIGITS)
}

/// A finite number.
pub(crate) struct Number {
    least: f64,
    most: f64,
}

/// A number from `least` to `most`.
pub(crate) const fn number(least: f64, most: f64) -> Number {
    Number { least, most }
}

impl Scalar for Number {
    type Value = f64;

    fn is_kind(&self, value: &Value) -> bool {
        matches!(value, Value::Number(_) | Value::NotFinite)
    }

    fn value(&self, node: &Node) -> Option<f64> {
        node.number().filter(|number| (self.least..=self.most).contains(number))
    }

    fn expected(&self) -> String {
        format!("a number from {} to {}", self.least, self.most)
    }

    /// A percentage where a share is expected.
    fn hint(&self, node: &Node) -> Option<String> {
        if let Value::Text(text) = &node.value
            && let Some(value) =
                fraction(text).filter(|value| (self.least..=self.most).contains(value))
        {
            return Some(format!("write `{value}`"));
        }
        let is_share = (self.least, self.most) == (0.0, 1.0);
        let percent: Option<f64> = match &node.value {
            Value::Text(text) => text.strip_suffix('%')?.trim_end().parse().ok(),
            Value::Number(number) => number.as_f64().filter(|number| *number >= 1.0),
            _ => None,
        };
        let percent = percent.filter(|percent| is_share && (0.0..=100.0).contains(percent))?;
        Some(format!("{percent} % is written `{}`", percent / 100.0))
    }

    fn schema(&self) -> Json {
        or_reference(&json!({ "type": "number", "minimum": self.least, "maximum": self.most }))
    }
}

/// A text that is not empty.
pub(crate) struct Text;

pub(crate) const TEXT: Text = Text;

impl Scalar for Text {
    type Value = String;

    fn is_kind(&self, value: &Value) -> bool {
        matches!(value, Value::Text(_))
    }

    fn value(&self, node: &Node) -> Option<String> {
        node.text().filter(|text| !text.trim().is_empty()).map(str::to_owned)
    }

    fn expected(&self) -> String {
        "a text".to_owned()
    }

    fn hint(&self, node: &Node) -> Option<String> {
        quoted(node)
    }

    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": r"\S" })
    }
}

/// A text in a notation.
pub(crate) struct Notation<T: 'static> {
    /// For a message: "a duration such as `15s`".
    pub what: &'static str,
    /// A regular expression for the schema.
    pub pattern: &'static str,
    /// The value of a text in the notation.
    pub parse: fn(&str) -> Option<T>,
    /// What may have been meant by anything else.
    pub hint: fn(&Node) -> Option<String>,
}

impl<T> Scalar for Notation<T> {
    type Value = T;

    fn is_kind(&self, value: &Value) -> bool {
        matches!(value, Value::Text(_))
    }

    fn value(&self, node: &Node) -> Option<T> {
        node.text().and_then(self.parse)
    }

    fn expected(&self) -> String {
        self.what.to_owned()
    }

    fn hint(&self, node: &Node) -> Option<String> {
        (self.hint)(node)
    }

    fn schema(&self) -> Json {
        text_with(self.pattern)
    }
}

/// One of some words.
pub(crate) struct Word<T: 'static> {
    words: &'static [(&'static str, T, &'static str)],
    /// What may have been meant by what is near none of them.
    otherwise: fn(&Node) -> Option<String>,
}

/// One of some words, each with its value and what it means.
pub(crate) const fn word<T>(words: &'static [(&'static str, T, &'static str)]) -> Word<T> {
    Word { words, otherwise: no_hint }
}

impl<T: 'static> Word<T> {
    /// With what may have been meant by what is near none of the words.
    pub fn or_hint(self, otherwise: fn(&Node) -> Option<String>) -> Self {
        Self { otherwise, ..self }
    }
}

impl<T: Copy> Scalar for Word<T> {
    type Value = T;

    fn is_kind(&self, value: &Value) -> bool {
        matches!(value, Value::Text(_))
    }

    fn value(&self, node: &Node) -> Option<T> {
        let text = node.text()?;
        self.words.iter().find(|(word, ..)| *word == text).map(|(_, value, _)| *value)
    }

    fn expected(&self) -> String {
        message::listed(self.words.iter().map(|(word, ..)| *word), "or")
    }

    fn hint(&self, node: &Node) -> Option<String> {
        let is_word = |word: &str| self.words.iter().any(|(known, ..)| *known == word);
        let Some(text) = node.text() else {
            return quoted(node).filter(|_| is_word(node.place.text()));
        };
        let near = nearest(text, self.words.iter().map(|(word, ..)| *word));
        near.map(|near| format!("did you mean `{near}`?")).or_else(|| (self.otherwise)(node))
    }

    fn schema(&self) -> Json {
        let word =
            |(word, _, about): &(&str, T, &str)| json!({ "const": word, "description": about });
        or_reference(&json!({ "oneOf": self.words.iter().map(word).collect::<Vec<_>>() }))
    }
}

/// Nothing at all: `reset:`.
pub(crate) struct Nothing;

pub(crate) const NOTHING: Nothing = Nothing;

impl Form for Nothing {
    type Value = ();

    fn fits(&self, node: &Node) -> bool {
        matches!(node.value, Value::Null)
    }

    fn read(&self, _: &Node, _: Owner<'_>, _: &mut Reading<'_>) -> Option<()> {
        Some(())
    }

    fn expected(&self) -> String {
        "nothing".to_owned()
    }

    fn hint(&self, _: &Node) -> Option<String> {
        None
    }

    fn schema(&self) -> Json {
        json!({ "type": "null" })
    }
}
