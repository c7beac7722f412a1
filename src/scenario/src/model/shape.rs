use crate::document::{Node, Value};

/// What a value may be.
#[derive(Debug)]
pub(super) enum Shape {
    /// Nothing at all: `reset:`.
    Nothing,
    /// `true` or `false`.
    Boolean,
    /// A whole number. May be written with `_` between digits.
    Count { least: u64, most: u64 },
    /// A whole number that may be negative.
    Integer { least: i64, most: i64 },
    /// A finite number.
    Number { least: f64, most: f64 },
    /// A text that is not empty.
    Text,
    /// A text in a notation.
    Notation(&'static Notation),
    /// One of some words.
    Word(&'static [Word]),
    /// A list.
    List { of: &'static Shape, least: usize },
    /// A map with keys of the user's choice.
    Table { of: &'static Shape, least: usize },
    /// A map with known keys.
    Object(&'static Object),
    /// A map of one key, which says what the value is; or the key alone as a word.
    Tagged(&'static [Variant]),
    /// The first of these that fits the kind of the value.
    Either(&'static [&'static Shape]),
}

/// A notation of texts.
#[derive(Debug)]
pub(super) struct Notation {
    /// For a message: "a duration such as `15s`".
    pub what: &'static str,
    /// A regular expression for the schema.
    pub pattern: &'static str,
    /// Whether a text is in the notation; what to say of it otherwise.
    pub accepts: fn(&str) -> bool,
    /// What to do about a plain number in its place.
    pub from_number: Option<fn(&str) -> String>,
}

/// A word and what it means.
#[derive(Debug)]
pub(super) struct Word {
    pub word: &'static str,
    pub about: &'static str,
}

/// A map with known keys.
#[derive(Debug)]
pub(super) struct Object {
    /// What it is, for editors.
    pub about: &'static str,
    /// The key that tells it from its alternatives.
    pub marker: Option<&'static str>,
    pub fields: &'static [Field],
}

/// A known key of a map.
#[derive(Debug)]
pub(super) struct Field {
    pub name: &'static str,
    pub about: &'static str,
    pub shape: &'static Shape,
    pub presence: Presence,
}

/// Whether a key has to be there.
#[derive(Debug, Clone, Copy)]
pub(super) enum Presence {
    Required,
    /// Required, unless one of these is there.
    Unless(&'static [&'static str]),
    Optional,
    /// Optional; this, in JSON, stands in for it.
    Default(&'static str),
}

/// One of the keys that say what a value is.
#[derive(Debug)]
pub(super) struct Variant {
    pub key: &'static str,
    pub about: &'static str,
    pub shape: &'static Shape,
    /// Whether the key alone is enough.
    pub alone: bool,
}

impl Field {
    pub const fn required(name: &'static str, shape: &'static Shape, about: &'static str) -> Self {
        Self { name, about, shape, presence: Presence::Required }
    }

    pub const fn optional(name: &'static str, shape: &'static Shape, about: &'static str) -> Self {
        Self { name, about, shape, presence: Presence::Optional }
    }

    /// An optional key with a default.
    pub const fn or(self, default: &'static str) -> Self {
        Self { presence: Presence::Default(default), ..self }
    }

    /// A required key in the place of which one of `others` may stand.
    pub const fn unless(self, others: &'static [&'static str]) -> Self {
        Self { presence: Presence::Unless(others), ..self }
    }

    pub fn is_required(&self) -> bool {
        matches!(self.presence, Presence::Required)
    }

    /// Whether a map must have it, but has not.
    pub fn is_missing(&self, map: &Node) -> bool {
        let others = match self.presence {
            Presence::Required => &[][..],
            Presence::Unless(others) => others,
            Presence::Optional | Presence::Default(_) => return false,
        };
        let mut keys = std::iter::once(&self.name).chain(others);
        keys.all(|key| map.get(key).is_none())
    }
}

impl Object {
    /// The names of its keys.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }

    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Shape {
    /// Whether a value is of the right kind, whatever else may be wrong with it.
    pub fn fits(&self, node: &Node) -> bool {
        match (self, &node.value) {
            (Self::Either(shapes), _) => shapes.iter().any(|shape| shape.fits(node)),
            (Self::Nothing, Value::Null)
            | (Self::Boolean, Value::Bool(_))
            | (
                Self::Count { .. } | Self::Integer { .. } | Self::Number { .. },
                Value::Number(_) | Value::NotFinite,
            )
            | (Self::Text | Self::Notation(_) | Self::Word(_), Value::Text(_))
            | (Self::Tagged(_), Value::Text(_) | Value::Map(_))
            | (Self::List { .. }, Value::List(_))
            | (Self::Table { .. }, Value::Map(_)) => true,
            (Self::Count { .. }, Value::Text(text)) => super::scalar::count(text).is_some(),
            (Self::Object(object), Value::Map(_)) => {
                object.marker.is_none_or(|marker| node.get(marker).is_some())
            }
            (_, Value::Interpolated(_)) => self.is_scalar(),
            _ => false,
        }
    }

    fn is_scalar(&self) -> bool {
        !matches!(
            self,
            Self::Nothing
                | Self::Tagged(_)
                | Self::List { .. }
                | Self::Table { .. }
                | Self::Object(_)
        )
    }

    /// What is expected, for a message.
    pub fn expected(&self) -> String {
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::Count { least: 0, most: u64::MAX } => "a whole number from 0 up".to_owned(),
            Self::Count { least, most } => {
                format!("a whole number from {least} to {}", grouped(*most))
            }
            Self::Integer { least, most } if least == most => format!("`{least}`"),
            Self::Integer { least, most } => format!("a whole number from {least} to {most}"),
            Self::Number { least, most } => format!("a number from {least} to {most}"),
            Self::Text => "a text".to_owned(),
            Self::Notation(notation) => notation.what.to_owned(),
            Self::Word(words) => listed(words.iter().map(|word| word.word), "or"),
            Self::List { .. } => "a list".to_owned(),
            Self::Object(Object { marker: Some(marker), .. }) => format!("a map with `{marker}`"),
            Self::Table { .. } | Self::Object(_) => "a map".to_owned(),
            Self::Tagged(variants) => {
                format!("one of {}", listed(variants.iter().map(|variant| variant.key), "or"))
            }
            Self::Either(shapes) => {
                shapes.iter().map(|shape| shape.expected()).collect::<Vec<_>>().join(", or ")
            }
        }
    }
}

/// `10_000`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join("_")
}

/// `` `a`, `b` or `c` ``
pub(super) fn listed<'a>(words: impl Iterator<Item = &'a str>, last: &str) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
        None => String::new(),
    }
}
