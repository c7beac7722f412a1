//! JSONPath (RFC 9535) of one value.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use serde_json_path::JsonPath;

/// A JSONPath that gives one value, or the first for which a filter holds.
#[derive(Clone)]
pub struct SingularPath {
    text: String,
    path: JsonPath,
}

/// Why a text is no such path.
pub struct PathMistake {
    /// The byte of the text.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right, if that is known.
    pub help: Option<String>,
}

impl SingularPath {
    /// The path that a text stands for.
    ///
    /// # Errors
    /// If it is no path, or one that may give several values.
    pub fn parse(text: &str) -> Result<Self, PathMistake> {
        let path = JsonPath::parse(text).map_err(|error| PathMistake {
            at: error.position(),
            message: format!("`{text}` is not a JSONPath (RFC 9535)"),
            help: (!text.starts_with('$')).then(|| format!("a path begins with `$`: `$.{text}`")),
        })?;
        if !is_singular(text) && !is_singular(&without_filters(text)) {
            return Err(PathMistake {
                at: 0,
                message: format!("`{text}` may give several values"),
                help: Some(
                    "name each step to one value, such as `$.items[0].id`, or filter: \
                     `$.items[?@.selected == true].id` is that of the first that is selected"
                        .to_owned(),
                ),
            });
        }
        Ok(Self { text: text.to_owned(), path })
    }

    /// The path of a value itself.
    pub fn whole() -> Self {
        Self::parse("$").unwrap_or_else(|_| unreachable!("`$` is a JSONPath"))
    }

    /// The value at the path.
    #[must_use]
    pub fn find<'a>(&self, json: &'a Json) -> Option<&'a Json> {
        self.path.query(json).first()
    }

    /// The path as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Only singular queries may be compared (RFC 9535, 2.3.5.1), so the parser tells.
fn is_singular(text: &str) -> bool {
    JsonPath::parse(&format!("$[?{text}==0]")).is_ok()
}

/// The text with a place for each filter, `[?…]`.
fn without_filters(text: &str) -> String {
    let Some((before, filter)) = text.split_once("[?") else { return text.to_owned() };
    let (mut depth, mut quote, mut is_escaped) = (1, None, false);
    let end = filter.char_indices().find_map(|(at, c)| {
        match quote {
            Some(_) if is_escaped => is_escaped = false,
            Some(_) if c == '\\' => is_escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None => match c {
                '\'' | '"' => quote = Some(c),
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            },
        }
        (depth == 0).then_some(at + 1)
    });
    let rest = &filter[end.unwrap_or(filter.len())..];
    format!("{before}[0]{}", without_filters(rest))
}

impl fmt::Debug for SingularPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for SingularPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_finds_its_value_or_nothing() {
        let answer = json!({ "a": { "b c": [{ "id": 7 }] } });
        let find = |text: &str| SingularPath::parse(text).ok().unwrap().find(&answer).cloned();
        assert_eq!(find("$.a['b c'][0].id"), Some(json!(7)));
        assert_eq!(find("$.a['b c'][-1].id"), Some(json!(7)));
        assert_eq!(find("$"), Some(answer.clone()));
        assert_eq!(find("$.a['b c'][1]"), None);
    }

    #[test]
    fn a_filter_gives_the_first_for_which_it_holds() {
        let items = json!([
            { "id": 1 },
            { "id": 2, "on": true, "n": "]'" },
            { "id": 3, "on": true, "n": "'" },
        ]);
        let answer = json!({ "items": items });
        let find = |text: &str| SingularPath::parse(text).ok().unwrap().find(&answer).cloned();
        assert_eq!(find("$.items[?@.on].id"), Some(json!(2)));
        assert_eq!(find("$.items[?@.n == \"]'\"].id"), Some(json!(2)));
        assert_eq!(find(r"$.items[?@.n == '\''].id"), Some(json!(3)));
        assert_eq!(find("$.items[?@['id'] > 2 && @.on == true].id"), Some(json!(3)));
        assert_eq!(find("$.items[?@.id > 3].id"), None);
        assert_eq!(find("$[?@[0].id == 1][?@.on].id"), Some(json!(2)));
    }

    #[test]
    fn what_may_give_several_values_is_refused() {
        for text in ["$.a[*]", "$..a", "$.a[0:1]", "$.a[0,1]", "$[?@.a].*", "$.*", "$..[?@.a]"] {
            let mistake = SingularPath::parse(text).unwrap_err();
            assert!(mistake.message.contains("several values"), "{text}: {}", mistake.message);
        }
        assert!(SingularPath::parse("item").unwrap_err().help.unwrap().contains("`$.item`"));
        assert_eq!(SingularPath::parse("$.a[").unwrap_err().at, 3);
    }
}
