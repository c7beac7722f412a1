//! JSONPath (RFC 9535) of at most one value.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;
use serde_json_path::JsonPath;

/// A JSONPath that gives at most one value.
#[derive(Clone)]
pub struct SingularPath {
    text: String,
    path: JsonPath,
}

/// Why a text is no such path.
pub(crate) struct PathMistake {
    /// The byte of the text.
    pub at: usize,
    pub message: String,
    pub help: Option<String>,
}

impl SingularPath {
    /// The path that a text stands for.
    pub(crate) fn parse(text: &str) -> Result<Self, PathMistake> {
        let path = JsonPath::parse(text).map_err(|error| PathMistake {
            at: error.position(),
            message: format!("`{text}` is not a JSONPath (RFC 9535)"),
            help: (!text.starts_with('$')).then(|| format!("a path begins with `$`: `$.{text}`")),
        })?;
        if !is_singular(text) {
            return Err(PathMistake {
                at: 0,
                message: format!("`{text}` may give several values"),
                help: Some("name each step to one value, such as `$.items[0].id`".to_owned()),
            });
        }
        Ok(Self { text: text.to_owned(), path })
    }

    /// The path of a value itself.
    pub(crate) fn whole() -> Self {
        Self::parse("$").unwrap_or_else(|_| unreachable!("`$` is a JSONPath"))
    }

    /// The value at the path.
    #[must_use]
    pub fn find<'a>(&self, json: &'a Json) -> Option<&'a Json> {
        self.path.query(json).at_most_one().ok().flatten()
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
    fn what_may_give_several_values_is_refused() {
        for text in ["$.a[*]", "$..a", "$.a[0:1]", "$.a[0,1]", "$[?@.a]", "$.*"] {
            let mistake = SingularPath::parse(text).unwrap_err();
            assert!(mistake.message.contains("several values"), "{text}: {}", mistake.message);
        }
        assert!(SingularPath::parse("item").unwrap_err().help.unwrap().contains("`$.item`"));
        assert_eq!(SingularPath::parse("$.a[").unwrap_err().at, 3);
    }
}
