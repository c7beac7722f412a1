//! JSON with places: `serde_json` says whether a text is JSON, then a walk over what is
//! known to be valid finds the places.

use std::sync::Arc;

use serde::de::IgnoredAny;

use super::{Entry, Node, Value};
use diagnostic::{Diagnostic, Place, Source};

/// More levels than this are a mistake.
const DEPTH: usize = 64;

/// Reads a text of one JSON value.
pub(crate) fn read(source: &Arc<Source>) -> Result<Node, Diagnostic> {
    let text = source.text();
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| syntax_error(&error, source))?;
    Walk { source, text: text.as_bytes(), at: 0, depth: 0 }.value()
}

fn syntax_error(error: &serde_json::Error, source: &Arc<Source>) -> Diagnostic {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message);
    let at = offset_of(source.text(), error.line(), error.column());
    Diagnostic::error(format!("not JSON: {message}")).within(source, at..at + 1)
}

/// The byte at a line and a column as `serde_json` counts them: from 1, in bytes, the
/// column being that of the last byte read.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    start + column.saturating_sub(1)
}

/// A walk over a valid text.
struct Walk<'a> {
    source: &'a Arc<Source>,
    text: &'a [u8],
    at: usize,
    depth: usize,
}

impl Walk<'_> {
    fn value(&mut self) -> Result<Node, Diagnostic> {
        self.skip_space();
        let start = self.at;
        let value = match self.text[start] {
            b'{' => self.map()?,
            b'[' => self.list()?,
            b'"' => Value::Text(self.string()?.0),
            _ => self.word(),
        };
        let end = if matches!(value, Value::Map(_) | Value::List(_)) { start + 1 } else { self.at };
        Ok(Node { value, place: Place::new(self.source, start..end) })
    }

    fn map(&mut self) -> Result<Value, Diagnostic> {
        self.enter()?;
        let mut entries = Vec::new();
        while !self.closes(b'}') {
            let (key, place) = self.string()?;
            self.skip_space();
            self.at += 1;
            entries.push(Entry { key, place, value: self.value()? });
        }
        Ok(Value::Map(entries))
    }

    fn list(&mut self) -> Result<Value, Diagnostic> {
        self.enter()?;
        let mut items = Vec::new();
        while !self.closes(b']') {
            items.push(self.value()?);
        }
        Ok(Value::List(items))
    }

    fn enter(&mut self) -> Result<(), Diagnostic> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(self.refuse(format!("more than {DEPTH} levels deep"), self.at));
        }
        self.at += 1;
        Ok(())
    }

    /// Goes to the next item, or behind the end of the list or map.
    fn closes(&mut self, bracket: u8) -> bool {
        self.skip_space();
        if self.text[self.at] == b',' {
            self.at += 1;
            self.skip_space();
        }
        let closes = self.text[self.at] == bracket;
        if closes {
            self.at += 1;
            self.depth -= 1;
        }
        closes
    }

    fn string(&mut self) -> Result<(String, Place), Diagnostic> {
        let start = self.at;
        self.at += 1;
        while self.text[self.at] != b'"' {
            self.at += if self.text[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        let place = Place::new(self.source, start..self.at);
        // A lone surrogate passes the check for validity, which does not decode.
        let text = serde_json::from_str(place.text());
        text.map(|text| (text, place)).map_err(|error| self.refuse(error.to_string(), start))
    }

    fn word(&mut self) -> Value {
        let start = self.at;
        let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace();
        let rest = &self.text[start..];
        self.at = start + rest.iter().position(ends).unwrap_or(rest.len());
        match &self.text[start..self.at] {
            b"null" => Value::Null,
            b"true" => Value::Bool(true),
            b"false" => Value::Bool(false),
            number => serde_json::from_slice(number).map_or(Value::NotFinite, Value::Number),
        }
    }

    fn skip_space(&mut self) {
        let space = |byte: &&u8| byte.is_ascii_whitespace();
        self.at += self.text[self.at..].iter().take_while(space).count();
    }

    fn refuse(&self, message: String, start: usize) -> Diagnostic {
        Diagnostic::error(message).within(self.source, start..start + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree as JSON again, each scalar taken from the text at its place.
    fn from_places(node: &Node) -> String {
        match &node.value {
            Value::List(items) => {
                format!("[{}]", items.iter().map(from_places).collect::<Vec<_>>().join(","))
            }
            Value::Map(entries) => {
                let entry = |e: &Entry| format!("{}:{}", e.place.text(), from_places(&e.value));
                format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
            }
            _ => node.place.text().to_owned(),
        }
    }

    proptest::proptest! {
        #[test]
        fn every_value_knows_its_place(value in any_json(), pretty: bool) {
            let plain = serde_json::to_string(&value).unwrap();
            let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { plain.clone() };
            let node = read(&Source::new("x.json", text)).unwrap();
            proptest::prop_assert_eq!(from_places(&node), plain);
        }
    }

    fn any_json() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            "[ -~é\"\\\\\n]{0,6}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 30, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::vec(("[a-z\"]{0,3}", inner), 0..5)
                    .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn what_is_not_json_is_shown_where() {
        let error = read(&Source::new("x.json", "{\"a\": 1,\n \"b\": oops}")).unwrap_err();
        assert_eq!(error.place().unwrap().line_and_column(), (2, 7));
    }

    #[test]
    fn a_number_too_large_is_not_finite_and_depth_is_limited() {
        let node = read(&Source::new("x.json", "[1e400]"));
        assert!(node.is_err() || matches!(node.unwrap().items()[0].value, Value::NotFinite));
        let deep = "[".repeat(100) + &"]".repeat(100);
        assert!(read(&Source::new("x.json", deep)).is_err());
    }
}
