//! Calls, as they are described and as they are rendered.

use serde::Serialize;
use serde_json::Value as Json;

use super::path::SingularPath;
use super::template::Template;

/// The method of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A call of a service.
#[derive(Debug, Clone, Serialize)]
pub struct Call {
    /// Where it stands under `target`, for messages: `rank`, `setup[0]`.
    pub name: String,
    /// Its method.
    pub method: Method,
    pub(super) path: Template,
    pub(super) query: Vec<(String, Template)>,
    pub(super) headers: Vec<(String, Template)>,
    pub(super) body: Body,
    /// Whether it goes with what the session gave: every call but the first.
    #[serde(skip)]
    pub(super) is_in_session: bool,
    /// The statuses of success; all of 200 to 299, if there is none.
    pub statuses: Vec<u16>,
}

/// What a call sends.
#[derive(Debug, Clone, Serialize)]
pub(super) enum Body {
    Nothing,
    Json(Tree),
    Form(Vec<(String, Template)>),
}

/// JSON whose texts are templates.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(super) enum Tree {
    Fixed(Json),
    Text(Template),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

/// A call whose answer gives values for later calls, by name.
#[derive(Debug, Clone, Serialize)]
pub struct StepCall {
    /// The call.
    pub call: Call,
    /// The names, and where their values are.
    pub take: Vec<(String, SingularPath)>,
}

/// Reward.
#[derive(Debug, Clone, Serialize)]
pub struct RewardCall {
    /// The call.
    pub call: Call,
    pub(super) when: Option<Template>,
}

/// A call to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedCall {
    /// The path with its query, percent-encoded.
    pub path: String,
    /// The headers of this call.
    pub headers: Vec<(String, String)>,
    /// The media type of the body; none, if nothing is sent.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Vec<u8>,
}
