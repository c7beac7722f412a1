//! Forms of which a value has one.

use serde_json::{Value as Json, json};

use super::{Form, Owner, Reading, message};
use crate::document::{Entry, Node, Value};
use diagnostic::{Place, nearest};

/// The first of several forms that fits the kind of the value.
pub(crate) struct Either<T>(Vec<Box<dyn Form<Value = T>>>);

/// The first of these forms that fits the kind of the value.
pub(crate) fn either<T>(forms: impl Into<Vec<Box<dyn Form<Value = T>>>>) -> Either<T> {
    Either(forms.into())
}

impl<T> Either<T> {
    /// A key that another of the forms would have been told by, had it been spelt right.
    fn misspelt_marker<'a>(
        &self,
        form: &dyn Form<Value = T>,
        node: &'a Node,
    ) -> Option<(&'a Entry, &'static str)> {
        let (names, markers) = (form.names(), self.markers());
        if form.marker().is_some() || names.is_empty() {
            return None;
        }
        node.entries().iter().find_map(|entry| {
            let key = entry.key.as_str();
            let is_known = names.contains(&key) || nearest(key, names.iter().copied()).is_some();
            let marker = nearest(key, markers.iter().copied()).filter(|_| !is_known)?;
            Some((entry, marker))
        })
    }
}

impl<T> Form for Either<T> {
    type Value = T;

    fn fits(&self, node: &Node) -> bool {
        self.0.iter().any(|form| form.fits(node))
    }

    fn read(&self, node: &Node, owner: Owner<'_>, reading: &mut Reading<'_>) -> Option<T> {
        let form = self.0.iter().find(|form| form.fits(node))?;
        if let Some((entry, marker)) = self.misspelt_marker(form.as_ref(), node) {
            reading.refuse(message::unknown_key(entry, Some(marker), &self.markers(), owner));
            return None;
        }
        form.read(node, owner, reading)
    }

    fn expected(&self) -> String {
        self.0.iter().map(|form| form.expected()).collect::<Vec<_>>().join(", or ")
    }

    fn hint(&self, node: &Node) -> Option<String> {
        self.0.iter().find_map(|form| form.hint(node))
    }

    fn schema(&self) -> Json {
        json!({ "anyOf": self.0.iter().map(|form| form.schema()).collect::<Vec<_>>() })
    }

    fn markers(&self) -> Vec<&'static str> {
        self.0.iter().filter_map(|form| form.marker()).collect()
    }
}

/// A map of one key, which says what the value is; or the key alone as a word.
pub(crate) struct Tagged<T>(Vec<Variant<T>>);

/// One of the keys that say what a value is.
pub(crate) struct Variant<T> {
    key: &'static str,
    about: &'static str,
    form: Box<dyn Form<Value = T>>,
    /// The value of the key alone.
    alone: Option<fn() -> T>,
}

/// A map of one of these keys.
pub(crate) fn tagged<T>(variants: impl Into<Vec<Variant<T>>>) -> Tagged<T> {
    Tagged(variants.into())
}

/// A key, what it means, and the form of its value.
pub(crate) fn variant<T>(
    key: &'static str,
    about: &'static str,
    form: impl Form<Value = T> + 'static,
) -> Variant<T> {
    Variant { key, about, form: Box::new(form), alone: None }
}

/// A key that may stand alone as a word, and its value then.
pub(crate) fn variant_or_word<T>(
    key: &'static str,
    about: &'static str,
    form: impl Form<Value = T> + 'static,
    alone: fn() -> T,
) -> Variant<T> {
    Variant { alone: Some(alone), ..variant(key, about, form) }
}

impl<T> Tagged<T> {
    fn find(&self, key: &str) -> Option<&Variant<T>> {
        self.0.iter().find(|variant| variant.key == key)
    }

    fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|variant| variant.key)
    }

    fn read_word(&self, word: &str, place: &Place, reading: &mut Reading<'_>) -> Option<T> {
        let mistake = match self.find(word) {
            Some(Variant { alone: Some(alone), .. }) => return Some(alone()),
            Some(variant) => message::not_alone(word, &variant.form.expected(), place),
            None => message::unknown_variant(word, place, self.keys()),
        };
        reading.refuse(mistake);
        None
    }
}

impl<T> Form for Tagged<T> {
    type Value = T;

    fn fits(&self, node: &Node) -> bool {
        matches!(node.value, Value::Text(_) | Value::Map(_))
    }

    fn read(&self, node: &Node, owner: Owner<'_>, reading: &mut Reading<'_>) -> Option<T> {
        if let Some(word) = node.text() {
            return self.read_word(word, &node.place, reading);
        }
        let [entry] = node.entries() else {
            reading.refuse(message::not_one_key(node, self.keys()));
            return None;
        };
        let Some(variant) = self.find(&entry.key) else {
            reading.refuse(message::unknown_variant(&entry.key, &entry.place, self.keys()));
            return None;
        };
        let owner = Owner { name: variant.key, place: &entry.place, ..owner };
        variant.form.decode(&entry.value, owner, reading)
    }

    fn expected(&self) -> String {
        format!("one of {}", message::listed(self.keys(), "or"))
    }

    fn hint(&self, _: &Node) -> Option<String> {
        None
    }

    fn schema(&self) -> Json {
        let alone = self.0.iter().filter(|variant| variant.alone.is_some());
        let words =
            alone.map(|variant| json!({ "const": variant.key, "description": variant.about }));
        let maps = self.0.iter().map(|variant| {
            let mut value = variant.form.schema();
            value["description"] = variant.about.into();
            json!({
                "type": "object",
                "properties": { variant.key: value },
                "required": [variant.key],
                "additionalProperties": false,
            })
        });
        json!({ "anyOf": words.chain(maps).collect::<Vec<_>>() })
    }
}
