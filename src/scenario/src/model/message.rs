//! What is said of a value that the description does not allow.

use super::shape::{Field, Notation, Object, Shape, Variant, listed};
use crate::document::{Entry, Node, Value};
use diagnostic::{Diagnostic, Place, nearest};

/// Where a value belongs: the key it stands under. What is missing is shown there.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    pub name: &'a str,
    pub place: &'a Place,
}

impl Owner<'_> {
    /// A key in backticks; what is no key as it is.
    fn shown(&self) -> String {
        if self.name.starts_with("the ") {
            self.name.to_owned()
        } else {
            format!("`{}`", self.name)
        }
    }
}

/// A value of another kind than allowed.
pub(super) fn wrong_kind(node: &Node, shape: &Shape, owner: Owner<'_>) -> Diagnostic {
    let place = if node.place.span.is_empty() { owner.place } else { &node.place };
    let message = match lacks_marker(node, shape) {
        Some(markers) => format!("{} needs {markers}", owner.shown()),
        None => format!("{} must be {}, {}", owner.shown(), shape.expected(), found_kind(node)),
    };
    Diagnostic::error(message).at(place).maybe_help(help_for_kind(node, shape))
}

fn found_kind(node: &Node) -> String {
    match &node.value {
        Value::Null => "but there is nothing".to_owned(),
        Value::Number(number) => format!("found the number `{number}`"),
        Value::Bool(value) => format!("found `{value}`"),
        Value::Text(text) if text.len() <= 40 => format!("found the text `{text}`"),
        _ => format!("found {}", node.kind()),
    }
}

/// The keys of which a map must have one, to say which alternative it is.
fn lacks_marker(node: &Node, shape: &Shape) -> Option<String> {
    let (Value::Map(_), Shape::Either(shapes)) = (&node.value, shape) else {
        return None;
    };
    let marker = |shape: &&Shape| match shape {
        Shape::Object(object) => object.marker,
        _ => None,
    };
    let markers: Vec<&str> = shapes.iter().filter_map(marker).collect();
    (!markers.is_empty()).then(|| listed(markers.into_iter(), "or"))
}

fn help_for_kind(node: &Node, shape: &Shape) -> Option<String> {
    match (&node.value, shape) {
        (Value::Number(number), _) if notation(shape).is_some() => {
            notation(shape)?.from_number.map(|help| help(&number.to_string()))
        }
        (Value::Number(_) | Value::Bool(_), Shape::Text | Shape::Word(_)) => {
            Some(format!("put it in quotes: `\"{}\"`", node.place.text()))
        }
        (Value::Text(text), Shape::Boolean) if matches!(&**text, "yes" | "on" | "no" | "off") => {
            Some("YAML 1.2 knows `true` and `false` only".to_owned())
        }
        (Value::Text(text), Shape::Count { .. }) => {
            let number = text.strip_suffix(['k', 'K'])?.parse::<u32>().ok()?;
            Some(format!("write it out: `{number}_000`"))
        }
        (Value::Map(_) | Value::Null, Shape::List { .. }) => {
            Some("each item of a list begins with `- `".to_owned())
        }
        _ => None,
    }
}

/// The notation that a plain number may have been meant for.
fn notation(shape: &Shape) -> Option<&'static Notation> {
    match shape {
        Shape::Notation(notation) => Some(notation),
        Shape::Either(shapes) => shapes.iter().find_map(|shape| notation(shape)),
        _ => None,
    }
}

/// A scalar of the right kind that is not allowed.
pub(super) fn refused(node: &Node, shape: &Shape, owner: Owner<'_>) -> Diagnostic {
    let message = format!("{} must be {}, found {}", owner.shown(), shape.expected(), found(node));
    Diagnostic::error(message).at(&node.place).maybe_help(help_for_value(node, shape, owner))
}

/// A scalar as it was written. What came from the environment is not repeated: it may
/// be a secret.
fn found(node: &Node) -> String {
    match &node.value {
        Value::Interpolated(_) => format!("another value from `{}`", node.place.text()),
        _ => format!("`{}`", node.place.shown()),
    }
}

fn help_for_value(node: &Node, shape: &Shape, owner: Owner<'_>) -> Option<String> {
    match shape {
        Shape::Word(words) => {
            let near = nearest(node.text()?, words.iter().map(|word| word.word))?;
            Some(format!("did you mean `{near}`?"))
        }
        Shape::Number { least: 0.0, most: 1.0 } => {
            let number = node.number().filter(|number| (1.0..=100.0).contains(number))?;
            Some(format!("{number} % is written `{}`", number / 100.0))
        }
        Shape::Count { .. } if owner.name == "iterations" && node.number() == Some(0.0) => {
            Some("a phase without iterations can never run; leave it out".to_owned())
        }
        _ => None,
    }
}

/// A list or map without what it needs.
pub(super) fn empty(owner: Owner<'_>) -> Diagnostic {
    Diagnostic::error(format!("{} is empty", owner.shown())).at(owner.place)
}

/// A key that a map does not have.
pub(super) fn unknown_key(
    entry: &Entry,
    near: Option<&str>,
    object: &Object,
    owner: Owner<'_>,
) -> Diagnostic {
    let help = match near {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("its keys are {}", listed(object.names(), "and")),
    };
    let message = format!("unknown key `{}` in {}", entry.key, owner.shown());
    Diagnostic::error(message).at(&entry.place).help(help)
}

/// A key that has to be there.
pub(super) fn missing_key(field: &Field, owner: Owner<'_>) -> Diagnostic {
    Diagnostic::error(format!("{} needs `{}`", owner.shown(), field.name))
        .at(owner.place)
        .help(format!("add `{}:` with {}", field.name, field.shape.expected()))
}

/// An item of a list that says several things, or nothing.
pub(super) fn not_one_key(node: &Node, variants: &'static [Variant]) -> Diagnostic {
    let place = node.entries().get(1).map_or(&node.place, |second| &second.place);
    let help = if node.entries().is_empty() {
        format!("it may be {}", kinds(variants))
    } else {
        "begin an item of its own with `- `, or indent what belongs to the item".to_owned()
    };
    Diagnostic::error("an item must have one key, which says what it does").at(place).help(help)
}

/// A variant that needs a value.
pub(super) fn not_alone(variant: &Variant, node: &Node) -> Diagnostic {
    Diagnostic::error(format!("`{}` needs {}", variant.key, variant.shape.expected()))
        .at(&node.place)
        .help(format!("write `{}: …`", variant.key))
}

/// A variant that there is not.
pub(super) fn unknown_kind(word: &str, place: &Place, variants: &'static [Variant]) -> Diagnostic {
    let help = match nearest(word, variants.iter().map(|variant| variant.key)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("it may be {}", kinds(variants)),
    };
    Diagnostic::error(format!("there is no `{word}`")).at(place).help(help)
}

fn kinds(variants: &'static [Variant]) -> String {
    listed(variants.iter().map(|variant| variant.key), "or")
}
