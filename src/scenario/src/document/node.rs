use std::collections::{HashMap, hash_map};
use std::ops::Range;

use serde_json::Number;

use diagnostic::{Diagnostic, Place, Report};

/// A value of a text, and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub value: Value,
    pub place: Place,
}

/// A value of a text.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    /// A number that is none (`.nan`) or too large for a number (`1e400`).
    NotFinite,
    Text(String),
    /// A text with references to the environment, resolved. It may stand for a number.
    Interpolated(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map, its place, and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub key: String,
    pub place: Place,
    pub value: Node,
}

impl Node {
    /// What the value is, for a message.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(_) | Value::NotFinite => "a number",
            Value::Text(_) | Value::Interpolated(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The entries of a map, to be changed.
    pub fn entries_mut(&mut self) -> &mut [Entry] {
        match &mut self.value {
            Value::Map(entries) => entries,
            _ => &mut [],
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The items of a list, to be changed; none of anything else.
    pub fn items_mut(&mut self) -> &mut [Node] {
        match &mut self.value {
            Value::List(items) => items,
            _ => &mut [],
        }
    }

    /// The entry of a map with this key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of a map at this key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The map with the entries of another whose keys it does not have; anything else as it is.
    pub fn completed(&self, by: &Self) -> Self {
        let Value::Map(own) = &self.value else { return self.clone() };
        let absent = by.entries().iter().filter(|entry| self.entry(&entry.key).is_none());
        let all = own.iter().chain(absent).cloned().collect();
        Self { value: Value::Map(all), place: self.place.clone() }
    }

    /// A text.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Interpolated(text) => Some(text),
            _ => None,
        }
    }

    /// The place of some bytes of a text.
    pub fn place_within(&self, span: Range<usize>) -> Place {
        self.place.within_text(self.text().unwrap_or_default(), span)
    }

    /// A finite number; also one that came from the environment.
    pub fn number(&self) -> Option<f64> {
        match &self.value {
            Value::Number(number) => number.as_f64(),
            Value::Interpolated(text) => {
                text.parse().ok().filter(|number: &f64| number.is_finite())
            }
            _ => None,
        }
    }

    /// A boolean; also one that came from the environment.
    pub fn boolean(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(value) => Some(*value),
            Value::Interpolated(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// Takes out keys that are there before, and says where.
pub(crate) fn refuse_duplicates(node: &mut Node, report: &mut Report) {
    match &mut node.value {
        Value::Map(entries) => {
            refuse_duplicate_entries(entries, report);
            entries.iter_mut().for_each(|entry| refuse_duplicates(&mut entry.value, report));
        }
        Value::List(items) => items.iter_mut().for_each(|item| refuse_duplicates(item, report)),
        _ => {}
    }
}

fn refuse_duplicate_entries(entries: &mut Vec<Entry>, report: &mut Report) {
    let mut first: HashMap<String, Place> = HashMap::new();
    entries.retain(|entry| match first.entry(entry.key.clone()) {
        hash_map::Entry::Occupied(first) => {
            report.push(duplicate(first.get(), entry));
            false
        }
        hash_map::Entry::Vacant(vacant) => {
            vacant.insert(entry.place.clone());
            true
        }
    });
}

fn duplicate(first: &Place, entry: &Entry) -> Diagnostic {
    Diagnostic::error(format!("`{}` appears twice", entry.key))
        .at(&entry.place)
        .label("again")
        .context(first, "first")
        .help("leave one of them out")
}
