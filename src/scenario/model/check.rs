//! A tree against the description: every mistake at its place.

use serde_json::Number;

use super::description::SCENARIO;
use super::scalar;
use super::shape::{Field, Notation, Object, Shape, Variant, Word, listed};
use crate::diagnostic::{Diagnostic, Place, Report, nearest};
use crate::scenario::document::{Entry, Node, Value};

/// Checks a scenario.
pub(in crate::scenario) fn check(root: &Node, report: &mut Report) {
    let start = Place::new(&root.place.source, 0..0);
    let owner = Owner { name: "the scenario", place: &start };
    Check { report }.value(root, &Shape::Object(&SCENARIO), owner);
}

/// Where a value belongs: the key it stands under. What is missing is shown there.
#[derive(Clone, Copy)]
struct Owner<'a> {
    name: &'a str,
    place: &'a Place,
}

struct Check<'r> {
    report: &'r mut Report,
}

impl Check<'_> {
    fn value(&mut self, node: &Node, shape: &Shape, owner: Owner<'_>) {
        if !shape.fits(node) {
            return self.report.push(wrong_kind(node, shape, owner));
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
            Shape::Tagged(variants) => self.tagged(node, variants, owner),
            Shape::Nothing => {}
            scalar => self.report.extend_with(refused(node, scalar, owner)),
        }
    }

    fn list(&mut self, node: &Node, of: &Shape, least: usize, owner: Owner<'_>) {
        if node.items().len() < least {
            self.report.push(empty(owner));
        }
        for item in node.items() {
            self.value(item, of, Owner { place: &item.place, ..owner });
        }
    }

    fn table(&mut self, node: &Node, of: &Shape, least: usize, owner: Owner<'_>) {
        if node.entries().len() < least {
            self.report.push(empty(owner));
        }
        for entry in node.entries() {
            self.value(&entry.value, of, Owner { name: &entry.key, place: &entry.place });
        }
    }

    fn object(&mut self, node: &Node, object: &'static Object, owner: Owner<'_>) {
        for entry in node.entries() {
            let owner_of_value = Owner { name: &entry.key, place: &entry.place };
            match object.field(&entry.key) {
                Some(field) => self.value(&entry.value, field.shape, owner_of_value),
                None => self.report.push(unknown_key(entry, object, owner)),
            }
        }
        let missing = object.fields.iter().filter(|field| field.is_required());
        for field in missing.filter(|field| node.get(field.name).is_none()) {
            self.report.push(missing_key(field, owner));
        }
    }

    fn tagged(&mut self, node: &Node, variants: &'static [Variant], owner: Owner<'_>) {
        match &node.value {
            Value::Map(entries) => match entries.as_slice() {
                [entry] => self.variant(entry, variants),
                _ => self.report.push(not_one_key(node, entries, variants)),
            },
            _ => self.report.extend_with(refused_tag(node, variants, owner)),
        }
    }

    fn variant(&mut self, entry: &Entry, variants: &'static [Variant]) {
        match variants.iter().find(|variant| variant.key == entry.key) {
            Some(variant) => {
                let owner = Owner { name: variant.key, place: &entry.place };
                self.value(&entry.value, variant.shape, owner);
            }
            None => self.report.push(unknown_word(
                &entry.key,
                &entry.place,
                variants.iter().map(|variant| variant.key),
            )),
        }
    }
}

impl Report {
    fn extend_with(&mut self, diagnostic: Option<Diagnostic>) {
        diagnostic.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }
}

fn wrong_kind(node: &Node, shape: &Shape, owner: Owner<'_>) -> Diagnostic {
    let place = if node.place.span.is_empty() { owner.place } else { &node.place };
    let found = match &node.value {
        Value::Null => "but there is nothing".to_owned(),
        Value::Number(number) => format!("found the number `{number}`"),
        Value::Bool(value) => format!("found `{value}`"),
        Value::Text(text) if text.len() <= 40 => format!("found the text `{text}`"),
        _ => format!("found {}", node.kind()),
    };
    let diagnostic =
        Diagnostic::error(format!("`{}` must be {}, {found}", owner.name, shape.expected()));
    diagnostic.at(place).maybe_help(help_for_kind(node, shape))
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

fn empty(owner: Owner<'_>) -> Diagnostic {
    Diagnostic::error(format!("`{}` is empty", owner.name)).at(owner.place)
}

fn unknown_key(entry: &Entry, object: &Object, owner: Owner<'_>) -> Diagnostic {
    let names = || object.fields.iter().map(|field| field.name);
    let help = match nearest(&entry.key, names()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("its keys are {}", listed(names(), "and")),
    };
    let owner =
        if owner.name.contains(' ') { owner.name.to_owned() } else { format!("`{}`", owner.name) };
    Diagnostic::error(format!("unknown key `{}` in {owner}", entry.key)).at(&entry.place).help(help)
}

fn missing_key(field: &Field, owner: Owner<'_>) -> Diagnostic {
    let owner_name =
        if owner.name.contains(' ') { owner.name.to_owned() } else { format!("`{}`", owner.name) };
    Diagnostic::error(format!("{owner_name} needs `{}`", field.name)).at(owner.place).help(format!(
        "add `{}:` with {}",
        field.name,
        field.shape.expected()
    ))
}

fn not_one_key(node: &Node, entries: &[Entry], variants: &'static [Variant]) -> Diagnostic {
    let kinds = listed(variants.iter().map(|variant| variant.key), "or");
    let place = entries.get(1).map_or(&node.place, |second| &second.place);
    Diagnostic::error("an item must have one key, which says what it does").at(place).help(format!(
        "begin an item of its own with `- `, or indent what belongs to the item; it may be {kinds}"
    ))
}

fn refused_tag(node: &Node, variants: &'static [Variant], owner: Owner<'_>) -> Option<Diagnostic> {
    let text = node.text()?;
    match variants.iter().find(|variant| variant.key == text) {
        Some(variant) if variant.alone => None,
        Some(variant) => Some(
            Diagnostic::error(format!("`{text}` needs {}", variant.shape.expected()))
                .at(&node.place)
                .help(format!("write `{text}: …`")),
        ),
        None => {
            let keys = variants.iter().map(|variant| variant.key);
            let _ = owner;
            Some(unknown_word(text, &node.place, keys))
        }
    }
}

fn unknown_word<'a>(
    word: &str,
    place: &Place,
    words: impl Iterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let all = listed(words.clone(), "or");
    let help = match nearest(word, words) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("it may be {all}"),
    };
    Diagnostic::error(format!("there is no `{word}`")).at(place).help(help)
}

/// What is wrong with a scalar of the right kind.
fn refused(node: &Node, shape: &Shape, owner: Owner<'_>) -> Option<Diagnostic> {
    let accepted = match shape {
        Shape::Boolean => node.boolean().is_some(),
        Shape::Count { least, most } => {
            whole(node).is_some_and(|n| (i128::from(*least)..=i128::from(*most)).contains(&n))
        }
        Shape::Integer { least, most } => {
            whole(node).is_some_and(|n| (i128::from(*least)..=i128::from(*most)).contains(&n))
        }
        Shape::Number { least, most } => {
            node.number().is_some_and(|number| (*least..=*most).contains(&number))
        }
        Shape::Text => node.text().is_some_and(|text| !text.trim().is_empty()),
        Shape::Notation(notation) => node.text().is_some_and(notation.accepts),
        Shape::Word(words) => return refused_word(node, words, owner),
        _ => true,
    };
    (!accepted).then(|| out_of_range(node, shape, owner))
}

fn refused_word(node: &Node, words: &'static [Word], owner: Owner<'_>) -> Option<Diagnostic> {
    let text = node.text()?;
    let all = || words.iter().map(|word| word.word);
    if all().any(|word| word == text) {
        return None;
    }
    let expected = listed(all(), "or");
    let diagnostic =
        Diagnostic::error(format!("`{}` must be {expected}, found {}", owner.name, found(node)));
    let near = nearest(text, all()).map(|word| format!("did you mean `{word}`?"));
    Some(diagnostic.at(&node.place).maybe_help(near))
}

fn out_of_range(node: &Node, shape: &Shape, owner: Owner<'_>) -> Diagnostic {
    let message = format!("`{}` must be {}, found {}", owner.name, shape.expected(), found(node));
    Diagnostic::error(message).at(&node.place)
}

/// A scalar as it was written. What came from the environment is not repeated: it may
/// be a secret.
fn found(node: &Node) -> String {
    match &node.value {
        Value::Interpolated(_) => format!("another value from `{}`", node.place.text()),
        _ => format!("`{}`", node.place.text()),
    }
}

/// A whole number, however it is written.
fn whole(node: &Node) -> Option<i128> {
    match &node.value {
        Value::Number(number) => whole_number(number),
        Value::Text(text) => scalar::count(text).map(i128::from),
        Value::Interpolated(text) => text.parse().ok().or(scalar::count(text).map(i128::from)),
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and below 2^63")]
fn whole_number(number: &Number) -> Option<i128> {
    let float = || number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9.0e18);
    number.as_i128().or_else(|| float().map(|n| n as i128))
}

/// The value of a [`Shape::Count`].
pub(in crate::scenario) fn as_count(node: &Node) -> Option<u64> {
    whole(node).and_then(|number| u64::try_from(number).ok())
}

/// The value of a [`Shape::Integer`].
pub(in crate::scenario) fn as_integer(node: &Node) -> Option<i64> {
    whole(node).and_then(|number| i64::try_from(number).ok())
}
