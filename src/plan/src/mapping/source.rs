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
    /// The cookies that it sets, by their name.
    pub cookie: &'a dyn Fn(&str) -> Option<&'a str>,
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
    /// In a cookie that it sets.
    Cookie {
        /// Its name.
        cookie: String,
    },
}

impl ValueSource {
    /// The value. That of a header or a cookie is a text; an empty one has none.
    #[must_use]
    pub fn find<'a>(&self, answer: Reply<'a>) -> Option<Cow<'a, Json>> {
        match self {
            Self::Path(path) => path.find(answer.body).map(Cow::Borrowed),
            Self::Header { header } => text((answer.header)(header)?),
            Self::Cookie { cookie } => text((answer.cookie)(cookie)?),
        }
    }

    /// What is wrong where it has no value.
    #[must_use]
    pub fn nothing(&self) -> String {
        match self {
            Self::Path(path) => format!("the answer has nothing at `{}`", path.text()),
            Self::Header { header } => format!("the answer has no header `{header}`"),
            Self::Cookie { cookie } => format!("the answer sets no cookie `{cookie}`"),
        }
    }

    /// Whether it is in the body.
    #[must_use]
    pub fn is_in_body(&self) -> bool {
        matches!(self, Self::Path(_))
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        match self {
            Self::Path(path) => path.text(),
            Self::Header { header } => header,
            Self::Cookie { cookie } => cookie,
        }
    }
}

/// What is not empty.
fn text<'a>(text: &str) -> Option<Cow<'a, Json>> {
    let text = text.trim();
    (!text.is_empty()).then(|| Cow::Owned(text.into()))
}
