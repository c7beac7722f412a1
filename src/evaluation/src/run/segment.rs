use std::time::Duration;

use serde_json::Value;
use timestamp::Timestamp;

/// Into which parts events are broken down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breakdown {
    /// By the value of a context feature: a key of the context, or of one of its namespaces,
    /// or `NAMESPACE.KEY`.
    Feature(String),
    /// By windows of this length, from 1970 on.
    Window(Duration),
}

/// The parts that events fall into, in the order in which they were first seen.
#[derive(Debug, Clone)]
pub(super) struct Segments {
    pub breakdown: Breakdown,
    /// Which of the wanted features it breaks down by.
    feature: usize,
    pub names: Vec<String>,
}

/// So many parts are told apart; what comes after them is one part.
const MOST: usize = 100;

const OTHERS: &str = "(others)";
const NONE: &str = "(none)";
/// Of a line that VW reads although it is not JSON.
const UNREADABLE: &str = "(unreadable)";
/// Some writers put it before a line (UTF-8's byte order mark).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Segments {
    /// The parts of a breakdown, behind so many by a feature.
    pub fn new(breakdown: Breakdown, feature: usize) -> Self {
        Self { breakdown, feature, names: Vec::new() }
    }

    /// The number of the part of an event with these values of the features of all breakdowns.
    pub fn of(&mut self, features: &[Option<String>], time: Option<Timestamp>) -> usize {
        let name = match &self.breakdown {
            Breakdown::Feature(_) => features.get(self.feature).cloned().flatten(),
            Breakdown::Window(length) => time.map(|time| window(time, *length)),
        };
        self.number(name.unwrap_or_else(|| NONE.to_owned()))
    }

    fn number(&mut self, name: String) -> usize {
        if let Some(known) = self.names.iter().position(|known| *known == name) {
            return known;
        }
        if self.names.len() < MOST {
            self.names.push(name);
        } else if self.names.len() == MOST {
            self.names.push(OTHERS.to_owned());
        }
        self.names.len() - 1
    }
}

/// When the window of a time starts.
fn window(time: Timestamp, length: Duration) -> String {
    let length = i64::try_from(length.as_micros()).unwrap_or(i64::MAX).max(1);
    let start = time.unix_micros().div_euclid(length) * length;
    Timestamp::from_unix_micros(start).to_string()
}

/// The value of a feature of the context of a line.
pub(super) fn feature(line: &[u8], path: &str) -> Option<String> {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let Ok(line) = serde_json::from_slice::<Value>(line) else {
        return Some(UNREADABLE.to_owned());
    };
    let context = line.get("c")?.as_object()?;
    let found = match path.split_once('.') {
        Some((namespace, key)) => context.get(namespace)?.get(key),
        None => context.get(path).or_else(|| {
            let mut namespaces = context.iter().filter(|(name, _)| !name.starts_with('_'));
            namespaces.find_map(|(_, value)| in_namespace(value, path))
        }),
    };
    Some(match found? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// The value of a key in a namespace, which may be a list of objects.
fn in_namespace<'a>(namespace: &'a Value, key: &str) -> Option<&'a Value> {
    match namespace {
        Value::Object(features) => features.get(key),
        Value::Array(parts) => parts.iter().find_map(|part| part.get(key)),
        _ => None,
    }
}
