//! Where values of answers are.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value as Json;

use super::path::SingularPath;

/// An answer of a service.
#[derive(Clone, Copy)]
pub struct Reply<'a> {
    /// The body; null, if nothing is taken from it.
    pub body: &'a Json,
    /// The headers, by their name.
    pub header: &'a dyn Fn(&str) -> Option<&'a str>,
}

/// Where a value of an answer is.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum ValueSource {
    /// In the body.
    Path(SingularPath),
    /// In a header.
    Header {
        /// Its name.
        header: String,
    },
}

impl ValueSource {
    /// The value. That of a header is a text; an empty header has none.
    #[must_use]
    pub fn find<'a>(&self, answer: Reply<'a>) -> Option<Cow<'a, Json>> {
        match self {
            Self::Path(path) => path.find(answer.body).map(Cow::Borrowed),
            Self::Header { header } => {
                let text = (answer.header)(header)?.trim();
                (!text.is_empty()).then(|| Cow::Owned(text.into()))
            }
        }
    }

    /// What is wrong where it has no value.
    #[must_use]
    pub fn nothing(&self) -> String {
        match self {
            Self::Path(path) => format!("the answer has nothing at `{}`", path.text()),
            Self::Header { header } => format!("the answer has no header `{header}`"),
        }
    }

    /// Whether it is in a header.
    #[must_use]
    pub fn is_header(&self) -> bool {
        matches!(self, Self::Header { .. })
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        match self {
            Self::Path(path) => path.text(),
            Self::Header { header } => header,
        }
    }
}
