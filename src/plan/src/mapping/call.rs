//! Calls, as they are described and as they are rendered.

use serde::Serialize;
use serde_json::Value as Json;

use super::path::SingularPath;
use super::source::ValueSource;
use super::template::Template;
use super::value::text_of;
use timestamp::Timestamp;

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
    /// The service that it is made to, if not that of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its method.
    pub method: Method,
    /// Its path below the address of the service.
    pub path: Template,
    /// The fields of its query, by name.
    pub query: Vec<(String, Field)>,
    /// Its own headers, by name.
    pub headers: Vec<(String, Template)>,
    /// What it sends.
    pub body: Body,
    /// Whether it goes with what the session gave: every call but the first.
    #[serde(skip)]
    pub is_in_session: bool,
    /// The statuses of success; all of 200 to 299, if there is none.
    pub statuses: Vec<u16>,
    /// What the body of the answer is.
    #[serde(skip_serializing_if = "Format::is_json")]
    pub format: Format,
    /// Where an answer says that the call failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorSign>,
}

/// What the body of an answer is.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// JSON.
    Json,
    /// A text.
    Text,
    /// JSON in a text, at this path of the JSON that comes.
    JsonIn(SingularPath),
    /// What this template makes of `body`. A text is JSON.
    Made(Template),
}

impl Format {
    fn is_json(&self) -> bool {
        matches!(self, Self::Json)
    }
}

/// Where an answer says that a call failed, although its status is of success.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorSign {
    /// Where it says so.
    pub path: SingularPath,
    /// What stands there when it did not fail.
    pub unless: Option<Vec<String>>,
}

impl ErrorSign {
    /// What the answer says of the failure, if the call failed.
    #[must_use]
    pub fn find(&self, answer: &Json) -> Option<String> {
        let found = self.path.find(answer).unwrap_or(&Json::Null);
        let failed = match &self.unless {
            Some(right) => !text_of(found).is_some_and(|text| right.contains(&text)),
            None => !is_nothing(found),
        };
        failed.then(|| format!("the answer has {found} at `{}`", self.path.text()))
    }
}

/// Whether a value says that there is no error.
fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Bool(value) => !value,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(entries) => entries.is_empty(),
    }
}

/// What a call sends.
#[derive(Debug, Clone, Serialize)]
pub enum Body {
    /// No body.
    Nothing,
    /// JSON.
    Json(Tree),
    /// The fields of a form, by name.
    Form(Vec<(String, Field)>),
    /// A text.
    Text(Template),
}

/// The value of a field of a query or a form.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Field {
    /// The field stands once.
    One(Template),
    /// The field stands once for each value; a list among them gives each of its own.
    Each(Vec<Template>),
}

/// JSON whose texts are templates.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Tree {
    /// A number, `true`, `false` or `null`.
    Fixed(Json),
    /// A text, or the value of its one expression.
    Text(Template),
    /// A list.
    List(Vec<Tree>),
    /// An object, in the order as written.
    Map(Vec<(String, Tree)>),
}

/// A call whose answer gives values for later calls, by name.
#[derive(Debug, Clone, Serialize)]
pub struct StepCall {
    /// The call.
    pub call: Call,
    /// The names, and where their values are.
    pub take: Vec<(String, ValueSource)>,
}

/// Reward.
#[derive(Debug, Clone, Serialize)]
pub struct RewardCall {
    /// The call.
    pub call: Call,
    /// It is made when this is true, if it is not made always.
    pub when: Option<Template>,
}

/// What a call is sent with, whatever it says.
#[derive(Debug, Clone, Copy)]
pub struct Sending<'a> {
    /// The time, `now`.
    pub now: Timestamp,
    /// The path of the service, below which all others are.
    pub base: &'a str,
}

/// A call to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedCall {
    /// The path with its query, percent-encoded, below that of the service.
    pub path: String,
    /// The headers of this call.
    pub headers: Vec<(String, String)>,
    /// The media type of the body; none, if nothing is sent.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_says_that_a_call_failed_by_something_or_by_not_saying_that_it_did_not() {
        let sign = |unless: Option<&[&str]>| ErrorSign {
            path: SingularPath::parse("$.e").ok().unwrap(),
            unless: unless.map(|texts| texts.iter().map(ToString::to_string).collect()),
        };
        let by_presence = sign(None);
        for nothing in [json!(null), json!(false), json!(0), json!(""), json!([]), json!({})] {
            assert_eq!(by_presence.find(&json!({ "e": nothing })), None, "{nothing}");
        }
        assert_eq!(by_presence.find(&json!({})), None);
        for error in [json!(true), json!(-3), json!("no"), json!([{ "message": "m" }])] {
            let found = by_presence.find(&json!({ "e": error })).unwrap();
            assert!(found.contains(&error.to_string()), "{found}");
        }
        let by_absence = sign(Some(&["ok", "true", "1"]));
        for right in [json!("ok"), json!(true), json!(1), json!(1.0), json!("1")] {
            assert_eq!(by_absence.find(&json!({ "e": right })), None, "{right}");
        }
        for wrong in [json!("no"), json!(false), json!(null), json!(["ok"])] {
            assert!(by_absence.find(&json!({ "e": wrong })).is_some(), "{wrong}");
        }
        assert!(by_absence.find(&json!([])).is_some());
    }
}
