//! Maps with known keys, declared by `keyed!`.

use std::marker::PhantomData;

use serde_json::{Map, Value as Json, json};

use super::{Form, Misread, Owner, Read, Reading, message};
use crate::document::{Entry, Node, Value, json as document};
use diagnostic::{Report, Source, nearest};

/// Declares a map with known keys: a struct, each field with its documentation and the form
/// of its key.
///
/// ```text
/// keyed! {
///     /// A linear change of the rate.
///     pub struct Stage {
///         /// The rate at its end.
///         to: Rate = required(RATE),
///         /// How long the change takes; `0s` is a jump.
///         over: Duration = or(DURATION, r#""10s""#),
///     }
/// }
/// ```
///
/// With `reads` in the place of `struct`, it describes how a struct of another crate is read.
///
/// The documentation is the description in the JSON Schema. `as "key"` gives a key that is no
/// Rust name; `marked "key"` names the key that tells the map from its alternatives.
macro_rules! keyed {
    (
        $(#[doc = $about:literal])+
        $(#[derive($($derive:path),*)])?
        $vis:vis struct $name:ident $(marked $marker:literal)? {
            $(
                $(#[doc = $field_about:literal])+
                $field:ident $(as $key:literal)? : $type:ty = $form:expr,
            )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone $(, $($derive),*)?)]
        $vis struct $name {
            $( $(#[doc = $field_about])+ pub $field: $type, )*
        }

        keyed! {
            $(#[doc = $about])+
            reads $name $(marked $marker)? {
                $( $(#[doc = $field_about])+ $field $(as $key)? : $type = $form, )*
            }
        }
    };
    (
        $(#[doc = $about:literal])+
        reads $name:ident $(marked $marker:literal)? {
            $(
                $(#[doc = $field_about:literal])+
                $field:ident $(as $key:literal)? : $type:ty = $form:expr,
            )*
        }
    ) => {
        impl $crate::format::Keyed for $name {
            const MARKER: Option<&'static str> = {
                #[allow(unused_mut, unused_assignments)]
                let mut marker = None;
                $( marker = Some($marker); )?
                marker
            };

            fn about() -> String {
                $crate::format::about(&[$($about),+])
            }

            fn names() -> Vec<&'static str> {
                let mut names = Vec::new();
                $(
                    let form = $crate::format::key::<$type, _>($form);
                    $crate::format::Key::names(&form, keyed!(@key $field $($key)?), &mut names);
                )*
                names
            }

            fn fields() -> Vec<$crate::format::Field> {
                let mut fields = Vec::new();
                $(
                    let form = $crate::format::key::<$type, _>($form);
                    let about = $crate::format::about(&[$($field_about),+]);
                    let name = keyed!(@key $field $($key)?);
                    $crate::format::Key::describe(&form, name, about, &mut fields);
                )*
                fields
            }

            fn read(map: &mut $crate::format::MapReading<'_, '_>) -> Option<Self> {
                $(
                    let form = $crate::format::key::<$type, _>($form);
                    let $field =
                        $crate::format::Key::read(&form, keyed!(@key $field $($key)?), map);
                )*
                Some(Self { $( $field: $field?, )* })
            }
        }
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
}

/// A key whose value is a `T`.
pub(crate) const fn key<T, K: Key<Value = T>>(key: K) -> K {
    key
}

/// The lines of a documentation comment as one text.
pub(crate) fn about(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// A map with known keys.
pub(crate) trait Keyed: Sized {
    /// The key that tells it from its alternatives.
    const MARKER: Option<&'static str>;

    /// What it is, for editors.
    fn about() -> String;

    /// Its keys.
    fn names() -> Vec<&'static str>;

    /// Its keys, described.
    fn fields() -> Vec<Field>;

    /// Reads its keys.
    fn read(map: &mut MapReading<'_, '_>) -> Option<Self>;
}

/// A known key, described.
pub(crate) struct Field {
    pub name: &'static str,
    pub schema: Json,
    /// The keys of which one must be there: itself, if it is required.
    pub one_of: Vec<&'static str>,
}

/// A map that is being read.
pub(crate) struct MapReading<'a, 'r> {
    node: &'a Node,
    owner: Owner<'a>,
    reading: &'a mut Reading<'r>,
    /// Known keys that are there under a misspelt name.
    misspelt: Vec<&'static str>,
    /// What stands in for optional keys, in JSON.
    defaults: Defaults,
}

/// Keys and the JSON that stands in for them.
type Defaults = &'static [(&'static str, &'static str)];

impl MapReading<'_, '_> {
    fn is_there(&self, name: &str) -> bool {
        self.node.entry(name).is_some()
    }

    fn is_misspelt(&self, name: &str) -> bool {
        self.misspelt.contains(&name)
    }

    /// The value of a key that is there.
    fn written<F: Form>(&mut self, name: &'static str, form: &F) -> Option<Read<F::Value>> {
        let Entry { place, value, .. } = self.node.entry(name)?;
        let owner = Owner { name, place, is_written: true };
        Some(form.decode(value, owner, self.reading).ok_or(Misread))
    }

    /// The value of JSON that stands in for a key.
    fn default<F: Form>(&mut self, name: &'static str, form: &F, json: &str) -> Option<F::Value> {
        let source = Source::new("default", json);
        let node = document::read(&source).ok()?;
        let owner = Owner { name, place: &node.place, is_written: false };
        form.decode(&node, owner, self.reading)
    }

    /// Reports that a key is missing.
    fn refuse_missing<F: Form>(&mut self, name: &str, form: &F) {
        let mistake = message::missing_key(name, &form.expected(), self.owner);
        self.reading.refuse(mistake);
    }
}

/// What a known key of a map may be: required, optional, with a default.
pub(crate) trait Key {
    type Value;

    /// Adds the names of the key.
    fn names(&self, name: &'static str, names: &mut Vec<&'static str>) {
        names.push(name);
    }

    /// Adds the description of the key.
    fn describe(&self, name: &'static str, about: String, fields: &mut Vec<Field>);

    /// Reads the key. `None`: its mistakes are reported.
    fn read(&self, name: &'static str, map: &mut MapReading<'_, '_>) -> Option<Self::Value>;
}

fn described<F: Form>(form: &F, about: String) -> Json {
    let mut schema = form.schema();
    schema["description"] = about.into();
    schema
}

/// A key that must be there.
pub(crate) struct Required<F>(F);

pub(crate) const fn required<F: Form>(form: F) -> Required<F> {
    Required(form)
}

impl<F: Form> Key for Required<F> {
    type Value = F::Value;

    fn describe(&self, name: &'static str, about: String, fields: &mut Vec<Field>) {
        fields.push(Field { name, schema: described(&self.0, about), one_of: vec![name] });
    }

    fn read(&self, name: &'static str, map: &mut MapReading<'_, '_>) -> Option<F::Value> {
        if !map.is_there(name) && !map.is_misspelt(name) {
            map.refuse_missing(name, &self.0);
        }
        map.written(name, &self.0)?.ok()
    }
}

/// A key that must be there, unless one of others is.
pub(crate) struct RequiredUnless<F> {
    form: F,
    others: &'static [&'static str],
}

pub(crate) const fn required_unless<F: Form>(
    form: F,
    others: &'static [&'static str],
) -> RequiredUnless<F> {
    RequiredUnless { form, others }
}

impl<F: Form> Key for RequiredUnless<F> {
    type Value = Option<F::Value>;

    fn describe(&self, name: &'static str, about: String, fields: &mut Vec<Field>) {
        let one_of = std::iter::once(&name).chain(self.others).copied().collect();
        fields.push(Field { name, schema: described(&self.form, about), one_of });
    }

    fn read(&self, name: &'static str, map: &mut MapReading<'_, '_>) -> Option<Self::Value> {
        let mut one_of = std::iter::once(&name).chain(self.others);
        if !one_of.any(|name| map.is_there(name) || map.is_misspelt(name)) {
            map.refuse_missing(name, &self.form);
            return None;
        }
        optional_value(name, &self.form, map).ok()
    }
}

/// The value of a key that may be missing; misread, if it is misspelt.
fn optional_value<F: Form>(
    name: &'static str,
    form: &F,
    map: &mut MapReading<'_, '_>,
) -> Read<Option<F::Value>> {
    match map.written(name, form) {
        Some(value) => value.map(Some),
        None if map.is_misspelt(name) => Err(Misread),
        None => Ok(None),
    }
}

/// A key that may be missing.
pub(crate) struct Optional<F>(F);

pub(crate) const fn optional<F: Form>(form: F) -> Optional<F> {
    Optional(form)
}

impl<F: Form> Key for Optional<F> {
    type Value = Option<F::Value>;

    fn describe(&self, name: &'static str, about: String, fields: &mut Vec<Field>) {
        fields.push(Field { name, schema: described(&self.0, about), one_of: Vec::new() });
    }

    fn read(&self, name: &'static str, map: &mut MapReading<'_, '_>) -> Option<Self::Value> {
        let value = optional_value(name, &self.0, map).ok()?;
        match map.defaults.iter().find(|(key, _)| *key == name) {
            Some((_, default)) if value.is_none() => map.default(name, &self.0, default).map(Some),
            _ => Some(value),
        }
    }
}

/// A key with a default.
pub(crate) struct WithDefault<F> {
    form: F,
    json: &'static str,
    /// Whether the schema shows it. An empty map for a map says nothing.
    is_shown: bool,
}

/// A key for which JSON stands in.
pub(crate) const fn or<F: Form>(form: F, json: &'static str) -> WithDefault<F> {
    WithDefault { form, json, is_shown: true }
}

/// A key for which an empty map stands in, with the defaults of its keys.
pub(crate) const fn or_empty<F: Form>(form: F) -> WithDefault<F> {
    WithDefault { form, json: "{}", is_shown: false }
}

impl<F: Form> Key for WithDefault<F> {
    type Value = F::Value;

    fn describe(&self, name: &'static str, about: String, fields: &mut Vec<Field>) {
        let mut schema = described(&self.form, about);
        if self.is_shown {
            schema["default"] = default_in_schema(self.json);
        }
        fields.push(Field { name, schema, one_of: Vec::new() });
    }

    fn read(&self, name: &'static str, map: &mut MapReading<'_, '_>) -> Option<F::Value> {
        match optional_value(name, &self.form, map).ok()? {
            Some(value) => Some(value),
            None => map.default(name, &self.form, self.json),
        }
    }
}

fn default_in_schema(json: &str) -> Json {
    serde_json::from_str(json).expect("defaults are JSON")
}

/// The keys of another map.
pub(crate) struct Flattened<T> {
    defaults: Defaults,
    of: PhantomData<T>,
}

/// The keys of `T` in the map itself.
pub(crate) const fn flatten<T: Keyed>() -> Flattened<T> {
    flatten_with(&[])
}

/// The keys of `T` in the map itself, with defaults.
pub(crate) const fn flatten_with<T: Keyed>(defaults: Defaults) -> Flattened<T> {
    Flattened { defaults, of: PhantomData }
}

impl<T: Keyed> Key for Flattened<T> {
    type Value = T;

    fn names(&self, _: &'static str, names: &mut Vec<&'static str>) {
        names.extend(T::names());
    }

    fn describe(&self, _: &'static str, _: String, fields: &mut Vec<Field>) {
        fields.extend(T::fields().into_iter().map(|mut field| {
            if let Some((_, json)) = self.defaults.iter().find(|(name, _)| *name == field.name) {
                field.schema["default"] = default_in_schema(json);
            }
            field
        }));
    }

    fn read(&self, _: &'static str, map: &mut MapReading<'_, '_>) -> Option<T> {
        let outer = std::mem::replace(&mut map.defaults, self.defaults);
        let value = T::read(map);
        map.defaults = outer;
        value
    }
}

/// A key whose mistakes do not spoil the rest of the map.
pub(crate) struct Part<K>(K);

/// A key whose mistakes do not spoil the rest of the map.
pub(crate) const fn part<K: Key>(key: K) -> Part<K> {
    Part(key)
}

impl<K: Key> Key for Part<K> {
    type Value = Read<K::Value>;

    fn names(&self, name: &'static str, names: &mut Vec<&'static str>) {
        self.0.names(name, names);
    }

    fn describe(&self, name: &'static str, about: String, fields: &mut Vec<Field>) {
        self.0.describe(name, about, fields);
    }

    fn read(&self, name: &'static str, map: &mut MapReading<'_, '_>) -> Option<Self::Value> {
        Some(self.0.read(name, map).ok_or(Misread))
    }
}

/// The form of a map with known keys.
pub(crate) struct Object<T>(PhantomData<T>);

/// A map with the keys of `T`.
pub(crate) const fn object<T: Keyed>() -> Object<T> {
    Object(PhantomData)
}

impl<T: Keyed> Form for Object<T> {
    type Value = T;

    fn fits(&self, node: &Node) -> bool {
        let is_marked = || T::MARKER.is_none_or(|marker| node.entry(marker).is_some());
        matches!(node.value, Value::Map(_)) && is_marked()
    }

    fn read(&self, node: &Node, owner: Owner<'_>, reading: &mut Reading<'_>) -> Option<T> {
        let misspelt = refuse_unknown(node, &T::names(), owner, reading);
        T::read(&mut MapReading { node, owner, reading, misspelt, defaults: &[] })
    }

    fn names(&self) -> Vec<&'static str> {
        T::names()
    }

    fn expected(&self) -> String {
        T::MARKER.map_or("a map".to_owned(), |marker| format!("a map with `{marker}`"))
    }

    fn hint(&self, _: &Node) -> Option<String> {
        None
    }

    fn schema(&self) -> Json {
        schema(&T::about(), T::fields())
    }

    fn marker(&self) -> Option<&'static str> {
        T::MARKER
    }
}

/// Reads the keys of `T` of a map, whatever other keys it has.
pub(crate) fn keys_of<T: Keyed>(
    node: &Node,
    owner: Owner<'_>,
    reading: &mut Reading<'_>,
) -> Option<T> {
    T::read(&mut MapReading { node, owner, reading, misspelt: Vec::new(), defaults: &[] })
}

/// The value of an empty map: every key by its default.
pub(crate) fn by_default<T: Keyed>() -> T {
    let source = Source::new("default", "{}");
    let node = document::read(&source).expect("an empty map is JSON");
    let mut report = Report::new();
    let owner = Owner { name: "the default", place: &node.place, is_written: false };
    let value = keys_of(&node, owner, &mut Reading::new(&mut report, None));
    value.expect("every key has a default")
}

/// Refuses keys that the map does not have; gives what they are misspelt from.
fn refuse_unknown(
    node: &Node,
    names: &[&'static str],
    owner: Owner<'_>,
    reading: &mut Reading<'_>,
) -> Vec<&'static str> {
    let mut misspelt = Vec::new();
    for entry in node.entries().iter().filter(|entry| !names.contains(&entry.key.as_str())) {
        let near = nearest(&entry.key, names.iter().copied());
        reading.refuse(message::unknown_key(entry, near, names, owner));
        misspelt.extend(names.iter().copied().filter(|name| Some(*name) == near));
    }
    misspelt
}

fn schema(about: &str, fields: Vec<Field>) -> Json {
    let is_required = |field: &&Field| field.one_of == [field.name];
    let required: Vec<&str> = fields.iter().filter(is_required).map(|field| field.name).collect();
    let alternatives = fields.iter().find(|field| field.one_of.len() > 1);
    let alternatives = alternatives.map(|field| {
        field.one_of.iter().map(|name| json!({ "required": [name] })).collect::<Vec<_>>()
    });
    let properties: Map<String, Json> =
        fields.into_iter().map(|field| (field.name.to_owned(), field.schema)).collect();
    let mut schema = json!({
        "type": "object",
        "description": about,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if let Some(alternatives) = alternatives {
        schema["anyOf"] = json!(alternatives);
    }
    schema
}
