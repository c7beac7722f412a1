//! Lists, and maps with keys of the user's choice.

use serde_json::{Value as Json, json};

use super::adapter::described_by;
use super::{Form, Misread, Owner, Read, Reading, message};
use crate::document::{Entry, Node, Value};
use diagnostic::Place;

/// A list.
pub(crate) struct List<F> {
    of: F,
    least: usize,
    /// Whether the readable items are a value though others are not.
    is_partial: bool,
    /// What to do about a list without items.
    empty: Option<&'static str>,
}

/// A list of at least so many; a value only if every item is one.
pub(crate) const fn list_of<F: Form>(of: F, least: usize) -> List<F> {
    List { of, least, is_partial: false, empty: None }
}

/// A list of at least so many; its value are the items that can be read.
pub(crate) const fn each_of<F: Form>(of: F, least: usize) -> List<F> {
    List { of, least, is_partial: true, empty: None }
}

impl<F> List<F> {
    /// What to do about a list without items.
    pub fn instead_of_empty(self, help: &'static str) -> Self {
        Self { empty: Some(help), ..self }
    }
}

impl<F: Form> Form for List<F> {
    type Value = Vec<F::Value>;

    fn fits(&self, node: &Node) -> bool {
        matches!(node.value, Value::List(_))
    }

    fn read(
        &self,
        node: &Node,
        owner: Owner<'_>,
        reading: &mut Reading<'_>,
    ) -> Option<Self::Value> {
        if node.items().len() < self.least {
            let help = self.empty.map(str::to_owned);
            reading.refuse(message::empty(owner).maybe_help(help));
            return None;
        }
        let read =
            |item: &Node| self.of.decode(item, Owner { place: &item.place, ..owner }, reading);
        let items: Vec<Option<F::Value>> = node.items().iter().map(read).collect();
        if self.is_partial {
            Some(items.into_iter().flatten().collect())
        } else {
            items.into_iter().collect()
        }
    }

    fn expected(&self) -> String {
        "a list".to_owned()
    }

    fn hint(&self, node: &Node) -> Option<String> {
        match &node.value {
            Value::Map(_) | Value::Null if self.empty.is_some() => self.empty.map(str::to_owned),
            Value::Map(_) | Value::Null => Some("each item of a list begins with `- `".to_owned()),
            Value::Text(text) if is_plain_in_a_list(text) => {
                Some(format!("a list has brackets: write `[{text}]`"))
            }
            _ => None,
        }
    }

    fn schema(&self) -> Json {
        json!({ "type": "array", "items": self.of.schema(), "minItems": self.least })
    }
}

/// Whether a text is the same as items of a list in brackets, without quotes.
fn is_plain_in_a_list(text: &str) -> bool {
    const MARKS: &str = "[]{}#:\"'`&*!|%@";
    text.len() <= 40 && !text.contains(|c: char| MARKS.contains(c) || c.is_control())
}

/// A value and the key that the user chose for it.
#[derive(Debug, Clone)]
pub(crate) struct Named<T> {
    pub name: String,
    /// Where the key is.
    pub place: Place,
    pub value: T,
}

/// A map with keys of the user's choice, whose values may be unreadable.
pub(crate) struct Entries<F>(F);

/// A map of at least one key, of the user's choice, in the order of the document. Every key
/// is a value, also where what stands under it cannot be read.
pub(crate) const fn entries_of<F: Form>(of: F) -> Entries<F> {
    Entries(of)
}

impl<F: Form> Form for Entries<F> {
    type Value = Vec<Named<Read<F::Value>>>;

    fn fits(&self, node: &Node) -> bool {
        matches!(node.value, Value::Map(_))
    }

    fn read(
        &self,
        node: &Node,
        owner: Owner<'_>,
        reading: &mut Reading<'_>,
    ) -> Option<Self::Value> {
        if node.entries().is_empty() {
            reading.refuse(message::empty(owner));
            return None;
        }
        let read = |Entry { key, place, value }: &Entry| {
            let value = self.0.decode(value, Owner { name: key, place, ..owner }, reading);
            Named { name: key.clone(), place: place.clone(), value: value.ok_or(Misread) }
        };
        Some(node.entries().iter().map(read).collect())
    }

    fn expected(&self) -> String {
        "a map".to_owned()
    }

    fn hint(&self, _: &Node) -> Option<String> {
        None
    }

    fn schema(&self) -> Json {
        json!({ "type": "object", "additionalProperties": self.0.schema(), "minProperties": 1 })
    }
}

/// A map with keys of the user's choice.
pub(crate) struct Table<F>(Entries<F>);

/// A map of at least one key, of the user's choice, in the order of the document; a value
/// only if every entry is one.
pub(crate) const fn table_of<F: Form>(of: F) -> Table<F> {
    Table(entries_of(of))
}

impl<F: Form> Form for Table<F> {
    type Value = Vec<Named<F::Value>>;

    fn read(
        &self,
        node: &Node,
        owner: Owner<'_>,
        reading: &mut Reading<'_>,
    ) -> Option<Self::Value> {
        let entries = self.0.read(node, owner, reading)?.into_iter();
        let complete =
            entries.map(|Named { name, place, value }| Ok(Named { name, place, value: value? }));
        complete.collect::<Read<_>>().ok()
    }

    described_by!(0);
}
