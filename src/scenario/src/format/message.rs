//! What is said of a value that its form does not allow.

use super::Owner;
use crate::document::{Entry, Node, Value};
use diagnostic::{Diagnostic, Place, nearest};

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

/// What to say of several seeds where there is one.
pub(crate) const SEVERAL_SEEDS: &str =
    "several seeds are those of a matrix, such as `matrix: { seeds: 1..20 }`";

/// A value of another kind than allowed. `markers` are the keys of which a map must have one.
pub(super) fn wrong_kind(
    node: &Node,
    expected: &str,
    markers: &[&str],
    hint: Option<String>,
    owner: Owner<'_>,
) -> Diagnostic {
    let place = if node.place.span.is_empty() { owner.place } else { &node.place };
    let message = if matches!(node.value, Value::Map(_)) && !markers.is_empty() {
        format!("{} needs {}", owner.shown(), listed(markers.iter().copied(), "or"))
    } else {
        format!("{} must be {expected}, {}", owner.shown(), found_kind(node))
    };
    Diagnostic::error(message).at(place).maybe_help(hint)
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

/// A scalar of the right kind that is not allowed.
pub(super) fn refused(
    node: &Node,
    expected: &str,
    hint: Option<String>,
    owner: Owner<'_>,
) -> Diagnostic {
    let message = format!("{} must be {expected}, found {}", owner.shown(), found(node));
    Diagnostic::error(message).at(&node.place).maybe_help(hint)
}

/// A scalar as it was written. What came from the environment is not repeated: it may
/// be a secret.
fn found(node: &Node) -> String {
    match &node.value {
        Value::Interpolated(_) => format!("another value from `{}`", node.place.text()),
        _ => format!("`{}`", node.place.shown()),
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
    names: &[&str],
    owner: Owner<'_>,
) -> Diagnostic {
    let help = match near {
        _ if entry.key == "seeds" && names.contains(&"matrix") => SEVERAL_SEEDS.to_owned(),
        Some(name) => format!("did you mean `{name}`?"),
        // The path of a value, beside the key for such paths.
        None if entry.key.contains('.') && names.contains(&"axes") => {
            format!("put it under `axes`: `axes: {{ {}: […] }}`", entry.key)
        }
        None => format!("its keys are {}", listed(names.iter().copied(), "and")),
    };
    let message = format!("unknown key `{}` in {}", entry.key, owner.shown());
    Diagnostic::error(message).at(&entry.place).help(help)
}

/// A key that has to be there.
pub(super) fn missing_key(name: &str, expected: &str, owner: Owner<'_>) -> Diagnostic {
    Diagnostic::error(format!("{} needs `{name}`", owner.shown()))
        .at(owner.place)
        .help(format!("add `{name}:` with {expected}"))
}

/// An item of a list that says several things, or nothing.
pub(super) fn not_one_key<'a>(node: &Node, keys: impl Iterator<Item = &'a str>) -> Diagnostic {
    let place = node.entries().get(1).map_or(&node.place, |second| &second.place);
    let help = if node.entries().is_empty() {
        format!("it may be {}", listed(keys, "or"))
    } else {
        "begin another item with `- `, or indent what belongs to the item".to_owned()
    };
    Diagnostic::error("an item must have one key, which says what it does").at(place).help(help)
}

/// A variant that needs a value.
pub(super) fn not_alone(word: &str, expected: &str, place: &Place) -> Diagnostic {
    Diagnostic::error(format!("`{word}` needs {expected}"))
        .at(place)
        .help(format!("write `{word}: …`"))
}

/// A variant that there is not.
pub(super) fn unknown_variant<'a>(
    word: &str,
    place: &Place,
    keys: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let keys: Vec<&str> = keys.collect();
    let help = match nearest(word, keys.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("it may be {}", listed(keys.into_iter(), "or")),
    };
    Diagnostic::error(format!("there is no `{word}`")).at(place).help(help)
}

/// `10_000`
pub(super) fn grouped(number: u64) -> String {
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
