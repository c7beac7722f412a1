//! A tree against the description: every mistake at its place.

use super::description::{GATES, LOOP, SCENARIO};
use super::message::{self, Owner};
use super::scalar::whole;
use super::shape::{Object, Shape, Variant};
use crate::document::{Entry, Node, Value};
use diagnostic::{Diagnostic, Place, Report, nearest};

/// Checks a scenario.
pub(crate) fn check(root: &Node, report: &mut Report) {
    let start = Place::new(&root.place.source, 0..0);
    let owner = Owner { name: "the scenario", place: &start };
    Check { report }.value(root, &Shape::Object(&SCENARIO), owner);
}

/// Checks the `loop` of a scenario that is a file of its own.
pub(crate) fn check_loop(root: &Node, report: &mut Report) {
    let start = Place::new(&root.place.source, 0..0);
    let owner = Owner { name: "the loop", place: &start };
    Check { report }.value(root, &Shape::Object(&LOOP), owner);
}

/// Checks the `gates` of a file.
pub(crate) fn check_gates(gates: &Node, report: &mut Report) {
    let owner = Owner { name: "a gate", place: &gates.place };
    Check { report }.value(gates, &GATES, owner);
}

struct Check<'r> {
    report: &'r mut Report,
}

impl Check<'_> {
    fn value(&mut self, node: &Node, shape: &Shape, owner: Owner<'_>) {
        if !shape.fits(node) {
            return self.report.push(message::wrong_kind(node, shape, owner));
        }
        match shape {
            Shape::Either(shapes) => {
                if let Some(shape) = shapes.iter().find(|shape| shape.fits(node)) {
                    self.value(node, shape, owner);
                }
            }
            Shape::List { of, least } => self.list(node, of, *least, owner),
            Shape::Table { of, least } => self.table(node, of, *least, owner),
            Shape::Object(object) => self.object(node, object, owner),
            Shape::Tagged(variants) => self.tagged(node, variants),
            scalar => self.refuse(message_of_scalar(node, scalar, owner)),
        }
    }

    fn refuse(&mut self, diagnostic: Option<Diagnostic>) {
        diagnostic.into_iter().for_each(|diagnostic| self.report.push(diagnostic));
    }

    fn list(&mut self, node: &Node, of: &Shape, least: usize, owner: Owner<'_>) {
        if node.items().len() < least {
            self.report.push(message::empty(owner));
        }
        for item in node.items() {
            self.value(item, of, Owner { place: &item.place, ..owner });
        }
    }

    fn table(&mut self, node: &Node, of: &Shape, least: usize, owner: Owner<'_>) {
        if node.entries().len() < least {
            self.report.push(message::empty(owner));
        }
        for entry in node.entries() {
            self.value(&entry.value, of, Owner { name: &entry.key, place: &entry.place });
        }
    }

    fn object(&mut self, node: &Node, object: &'static Object, owner: Owner<'_>) {
        let mut meant = Vec::new();
        for entry in node.entries() {
            let Some(field) = object.field(&entry.key) else {
                let near = nearest(&entry.key, object.names());
                meant.extend(near);
                self.report.push(message::unknown_key(entry, near, object, owner));
                continue;
            };
            self.value(&entry.value, field.shape, Owner { name: &entry.key, place: &entry.place });
        }
        for field in object.fields.iter().filter(|field| field.is_missing(node)) {
            if !meant.contains(&field.name) {
                self.report.push(message::missing_key(field, owner));
            }
        }
    }

    fn tagged(&mut self, node: &Node, variants: &'static [Variant]) {
        match &node.value {
            Value::Map(entries) => match entries.as_slice() {
                [entry] => self.variant(entry, variants),
                _ => self.report.push(message::not_one_key(node, variants)),
            },
            _ => self.refuse(refused_word_of(node, variants)),
        }
    }

    fn variant(&mut self, entry: &Entry, variants: &'static [Variant]) {
        match variants.iter().find(|variant| variant.key == entry.key) {
            Some(variant) => {
                let owner = Owner { name: variant.key, place: &entry.place };
                self.value(&entry.value, variant.shape, owner);
            }
            None => self.report.push(message::unknown_kind(&entry.key, &entry.place, variants)),
        }
    }
}

/// The key of a variant without its value.
fn refused_word_of(node: &Node, variants: &'static [Variant]) -> Option<Diagnostic> {
    let text = node.text()?;
    match variants.iter().find(|variant| variant.key == text) {
        Some(variant) if variant.alone => None,
        Some(variant) => Some(message::not_alone(variant, node)),
        None => Some(message::unknown_kind(text, &node.place, variants)),
    }
}

/// What is wrong with a scalar of the right kind.
fn message_of_scalar(node: &Node, shape: &Shape, owner: Owner<'_>) -> Option<Diagnostic> {
    let within = |least: i128, most: i128| whole(node).is_some_and(|n| (least..=most).contains(&n));
    let accepted = match shape {
        Shape::Boolean => node.boolean().is_some(),
        Shape::Count { least, most } => within((*least).into(), (*most).into()),
        Shape::Integer { least, most } => within((*least).into(), (*most).into()),
        Shape::Number { least, most } => {
            node.number().is_some_and(|number| (*least..=*most).contains(&number))
        }
        Shape::Text => node.text().is_some_and(|text| !text.trim().is_empty()),
        Shape::Notation(notation) => node.text().is_some_and(notation.accepts),
        Shape::Word(words) => {
            node.text().is_some_and(|text| words.iter().any(|word| word.word == text))
        }
        _ => true,
    };
    (!accepted).then(|| message::refused(node, shape, owner))
}
