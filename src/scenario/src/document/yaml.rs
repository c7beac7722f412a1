//! YAML, by the library that `serde_yaml` names in `Cargo.toml`.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_yaml::budget::BudgetBreach;
use serde_yaml::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_yaml::{Error, Location, MessageFormatter, Spanned, UserMessageFormatter};

use super::node::refuse_duplicates;
use super::split_number::refuse_split_numbers;
use super::{Entry, Node, Value};
use diagnostic::{Diagnostic, Place, Report, Source};

/// What a scenario may hold. A few hundred values are usual; more than this is a
/// mistake or an attack, and is noticed before it costs time or memory.
const NODES: usize = 20_000;
const DEPTH: usize = 32;
const ALIASES: usize = 1_000;

/// Reads a text of one document. Keys that are there twice go to the report, the first
/// stays.
pub(crate) fn read(source: &Arc<Source>, report: &mut Report) -> Option<Node> {
    match parse(source.text()) {
        Ok(raw) => {
            let mut node = locate(raw, source, 0);
            refuse_split_numbers(&mut node, report);
            refuse_duplicates(&mut node, report);
            Some(node)
        }
        Err(error) => {
            report.push(syntax_error(&error, source));
            None
        }
    }
}

/// Reads a value that stands in `source` from byte `offset` on.
pub(super) fn read_value(source: &Arc<Source>, offset: usize) -> Result<Node, Diagnostic> {
    let raw = parse(&source.text()[offset..]);
    raw.map(|raw| locate(raw, source, offset)).map_err(|error| {
        let message = UserMessageFormatter.format_message(&error).into_owned();
        Diagnostic::error(message).within(source, offset..source.text().len())
    })
}

fn parse(text: &str) -> Result<Spanned<Raw>, Error> {
    let budget = serde_yaml::budget! {
        max_nodes: NODES,
        max_depth: DEPTH,
        max_aliases: ALIASES,
        max_documents: 1,
    };
    let options = serde_yaml::options! {
        budget: budget,
        strict_booleans: true,
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    serde_yaml::from_str_with_options(text, options)
}

fn syntax_error(error: &Error, source: &Arc<Source>) -> Diagnostic {
    let (message, help) = explain(error);
    let place = error.location().map_or(0..0, |location| span_of_error(location, source.text()));
    let diagnostic = Diagnostic::error(message).within(source, place);
    diagnostic.maybe_help(help.map(str::to_owned))
}

/// Errors of the scanner have a line and a column only.
fn span_of_error(location: Location, text: &str) -> std::ops::Range<usize> {
    if location.span().byte_offset().is_some() {
        return span(location, 0);
    }
    let number = |number: u64| usize::try_from(number).unwrap_or(1).saturating_sub(1);
    let lines = text.split_inclusive('\n');
    let start: usize = lines.take(number(location.line())).map(str::len).sum();
    let line = text[start..].lines().next().unwrap_or_default();
    let column =
        line.char_indices().nth(number(location.column())).map_or(line.len(), |(at, _)| at);
    start + column..start + column
}

fn explain(error: &Error) -> (String, Option<&'static str>) {
    let message = UserMessageFormatter.format_message(error).into_owned();
    match innermost(error) {
        Error::Budget { breach: BudgetBreach::Nodes { .. }, .. } => (
            format!("more than {NODES} values"),
            Some("aliases count as often as they are used; large data belong into data sets"),
        ),
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
            (format!("more than {DEPTH} levels deep"), None)
        }
        Error::Budget { breach: BudgetBreach::Aliases { .. }, .. } => {
            (format!("more than {ALIASES} aliases"), None)
        }
        Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => (
            "a second document begins".to_owned(),
            Some("a scenario is one document; leave `---` out"),
        ),
        Error::Budget { .. } => (format!("not a scenario: {message}"), None),
        _ if message.contains("tab") => {
            (message, Some("YAML is indented with spaces; replace the tab"))
        }
        _ if message.contains("mapping values") => {
            (message, Some("a text that holds `: ` or ends with `:` must stand in quotes"))
        }
        _ => (message, None),
    }
}

fn span(location: Location, offset: usize) -> std::ops::Range<usize> {
    let at = |bytes: Option<u64>| usize::try_from(bytes.unwrap_or(0)).unwrap_or(usize::MAX);
    let start = at(location.span().byte_offset()).saturating_add(offset);
    start..start.saturating_add(at(location.span().byte_len()))
}

/// An error inside an alias is wrapped.
fn innermost(error: &Error) -> &Error {
    match error.without_snippet() {
        Error::AliasError { error, .. } => innermost(error),
        error => error,
    }
}

/// A node as the library gives it. The places come with `Spanned`.
enum Raw {
    Null,
    Bool(bool),
    Number(Number),
    NotFinite,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

fn locate(raw: Spanned<Raw>, source: &Arc<Source>, offset: usize) -> Node {
    let place = |location| Place::new(source, span(location, offset));
    let mut own = place(raw.defined);
    // A block scalar reaches to the beginning of what follows.
    own.span.end -= own.text().len() - own.text().trim_end().len();
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Number(value) => Value::Number(value),
        Raw::NotFinite => Value::NotFinite,
        Raw::Text(value) => Value::Text(value),
        Raw::List(items) => {
            Value::List(items.into_iter().map(|item| locate(item, source, offset)).collect())
        }
        Raw::Map(entries) => {
            let entry = |(key, value): (Spanned<String>, Spanned<Raw>)| Entry {
                place: place(key.defined),
                key: key.value,
                value: locate(value, source, offset),
            };
            Value::Map(entries.into_iter().map(entry).collect())
        }
    };
    Node { value, place: own }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Number::from_f64(value).map_or(Raw::NotFinite, Raw::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}
