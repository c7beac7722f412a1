//! How a place of a document is read.
//!
//! A [`Form`] says once what a place may hold: how it is decoded, which mistakes there are,
//! and its JSON Schema. Forms are composed: scalars, lists, tables, maps with known keys
//! (`keyed!`), alternatives. One walk over a document along a form gives the value and every
//! mistake at its place; the schema is made of the same form.
//!
//! The forms of a scenario are in `model`.

mod adapter;
mod choice;
mod collection;
#[macro_use]
mod keyed;
mod message;
mod notation;
mod scalar;

use serde_json::Value as Json;

use super::document::Node;
use super::file::Files;
pub(crate) use adapter::described_by;
use adapter::{AndThen, Attempt, Mapped, Positioned, Unread};
pub(crate) use adapter::{Misread, Placed, Read};
pub(crate) use choice::{Either, Tagged, Variant, either, tagged, variant, variant_or_word};
pub(crate) use collection::{Named, each_of, entries_of, list_of, table_of};
use diagnostic::{Diagnostic, Place, Report};
pub(crate) use keyed::{
    Field, Key, Keyed, MapReading, about, by_default, flatten, flatten_with, key, keys_of, object,
    optional, or, or_empty, part, required, required_unless,
};
pub(crate) use message::SEVERAL_SEEDS;
pub(crate) use notation::{
    DAYS_PATTERN, DEVIATION_PATTERN, DURATION_PATTERN, RATE_PATTERN, SEEDS_PATTERN, SHARE_PATTERN,
    SIZES_PATTERN, Share, as_count, day, days, deviation, duration, is_days, rate, seed_range,
    share, sizes,
};
pub(crate) use scalar::{
    BOOLEAN, NOTHING, Notation, Number, TEXT, count, fraction, integer, no_hint, number, size, word,
};

/// What a place of a document may hold.
pub(crate) trait Form {
    /// What it is decoded to.
    type Value;

    /// Whether a node is of the right kind, whatever else may be wrong with it.
    fn fits(&self, node: &Node) -> bool;

    /// Decodes a node of the right kind. `None`: its mistakes are reported.
    fn read(&self, node: &Node, owner: Owner<'_>, reading: &mut Reading<'_>)
    -> Option<Self::Value>;

    /// What is expected, for a message: "a whole number from 1 to 10".
    fn expected(&self) -> String;

    /// What may have been meant by a node that is refused.
    fn hint(&self, node: &Node) -> Option<String>;

    /// The JSON Schema (draft-07).
    fn schema(&self) -> Json;

    /// The key that tells a map of this form from its alternatives.
    fn marker(&self) -> Option<&'static str> {
        None
    }

    /// The markers of the alternatives of this form.
    fn markers(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// The keys that a map of this form may have.
    fn names(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Decodes a node of any kind.
    fn decode(
        &self,
        node: &Node,
        owner: Owner<'_>,
        reading: &mut Reading<'_>,
    ) -> Option<Self::Value> {
        if self.fits(node) {
            return self.read(node, owner, reading);
        }
        let mistake =
            message::wrong_kind(node, &self.expected(), &self.markers(), self.hint(node), owner);
        reading.refuse(mistake);
        None
    }

    /// The same form, decoded further.
    fn map<W, F: Fn(Self::Value) -> W>(self, then: F) -> Mapped<Self, F>
    where
        Self: Sized,
    {
        Mapped { form: self, then }
    }

    /// The same form, decoded further by what may find mistakes that no schema sees.
    fn and_then<W, F>(self, then: F) -> AndThen<Self, F>
    where
        Self: Sized,
        F: Fn(Self::Value, Spot<'_>, &mut Reading<'_>) -> Option<W>,
    {
        AndThen { form: self, then }
    }

    /// The same form, whose value says that it could not be read.
    fn attempt(self) -> Attempt<Self>
    where
        Self: Sized,
    {
        Attempt(self)
    }

    /// The same form, whose value is the node: what is in it is read later.
    fn unread(self) -> Unread<Self>
    where
        Self: Sized,
    {
        Unread(self)
    }

    /// The same form, whose value knows its place.
    fn at(self) -> Positioned<Self>
    where
        Self: Sized,
    {
        Positioned(self)
    }

    /// The same form, to be one of several of one type.
    fn boxed(self) -> Box<dyn Form<Value = Self::Value>>
    where
        Self: Sized + 'static,
    {
        Box::new(self)
    }
}

/// The key that a value stands under.
#[derive(Clone, Copy)]
pub(crate) struct Owner<'a> {
    /// The key, or words for what has none.
    pub name: &'a str,
    /// Where the key is. A mistake about something missing is shown there.
    pub place: &'a Place,
    /// Whether the value is in the document, and not a default.
    pub is_written: bool,
}

/// A node and its key.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub node: &'a Node,
    pub owner: Owner<'a>,
}

impl<'a> Spot<'a> {
    /// Where a key of the map is; the map, if it has no such key.
    pub fn key(&self, name: &str) -> &'a Place {
        self.node.entry(name).map_or(&self.node.place, |entry| &entry.place)
    }
}

/// One walk over a document.
pub(crate) struct Reading<'r> {
    pub report: &'r mut Report,
    /// The files that the document may name; none where it may name none.
    pub files: Option<&'r Files>,
    /// Whether a mistake was found that the schema finds too.
    pub is_malformed: bool,
}

impl<'r> Reading<'r> {
    pub fn new(report: &'r mut Report, files: Option<&'r Files>) -> Self {
        Self { report, files, is_malformed: false }
    }

    /// Reads a whole document, which messages call `name`.
    pub fn document<F: Form>(&mut self, form: &F, root: &Node, name: &str) -> Option<F::Value> {
        let start = Place::new(&root.place.source, 0..0);
        form.decode(root, Owner { name, place: &start, is_written: true }, self)
    }

    /// Reports a mistake that the schema finds too.
    fn refuse(&mut self, mistake: Diagnostic) {
        self.is_malformed = true;
        self.report.push(mistake);
    }
}
