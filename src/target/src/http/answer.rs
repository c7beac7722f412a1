use std::time::{Duration, UNIX_EPOCH};

use hyper::body::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, LOCATION, RETRY_AFTER};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::compression::decompress;
use super::failed::CallFailure;
use protocol::ErrorBody;
use record::{FailureKind, Violation};
use timestamp::Timestamp;

/// So much of an answer that is not understood is shown.
const EXCERPT: usize = 200;

/// An answer that came whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The answer, if the service did what it was asked: if its status is one of `statuses`, or
    /// 200 to 299 where there is none.
    pub(super) fn success(mut self, statuses: &[u16], now: Timestamp) -> Result<Self, CallFailure> {
        if let Some(encoding) = self.headers.get(CONTENT_ENCODING) {
            self.body = decompress(encoding, &self.body)?;
        }
        let is_success = match statuses {
            [] => self.status.is_success(),
            statuses => statuses.contains(&self.status.as_u16()),
        };
        if is_success { Ok(self) } else { Err(self.refusal(now)) }
    }

    fn refusal(&self, now: Timestamp) -> CallFailure {
        let why = serde_json::from_slice::<ErrorBody>(&self.body).map_or_else(
            |_| excerpt(&self.body),
            |body| format!("{}: {}", body.error.code, body.error.message),
        );
        let why = if why.is_empty() { why } else { format!(": {why}") };
        let to = if self.status.is_redirection() { self.redirected() } else { String::new() };
        let kind = FailureKind::Status(self.status.as_u16());
        let failed = CallFailure::new(kind, format!("{}{to}{why}", self.status));
        CallFailure { retry_after: self.retry_after(now), ..failed }
    }

    /// Redirects are not followed: the key would travel along. A query may hold a secret.
    fn redirected(&self) -> String {
        let location = self.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let to = location.and_then(|location| match reqwest::Url::parse(location) {
            Ok(url) => Some(url.origin().ascii_serialization() + url.path()),
            Err(_) => location.split(['?', '#']).next().map(str::to_owned),
        });
        let to = to.map(|to| format!(" to `{}`", to.escape_debug()));
        format!("{}, which is not followed", to.unwrap_or_default())
    }

    /// How long the service asks to wait: seconds, or a date (RFC 9110, 10.2.3). What is
    /// neither asks for nothing.
    fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let value = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = value.parse::<u64>() {
            return Some(Duration::from_secs(seconds));
        }
        let moment = httpdate::parse_http_date(value).ok()?.duration_since(UNIX_EPOCH).ok()?;
        let now = Duration::from_micros(now.unix_micros().try_into().unwrap_or(0));
        Some(moment.saturating_sub(now))
    }
}

/// What the body says, as the contract has it. A byte order mark before it says nothing (RFC 8259,
/// 8.1).
pub(super) fn decode<A: DeserializeOwned>(body: &[u8]) -> Result<A, CallFailure> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // To see once that all of it is UTF-8 is quicker than to see it of each text.
    let decoded = match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(body),
    };
    decoded.map_err(|error| {
        if body.trim_ascii().is_empty() {
            let message = "the answer has no body, where JSON was expected";
            return CallFailure::new(FailureKind::Protocol(Violation::Json), message);
        }
        let what = match error.classify() {
            Category::Data => "what the contract says".to_owned(),
            _ => format!("JSON{}", no_json(body, &error)),
        };
        let message = format!("the answer is not {what} ({error}): {}", excerpt(body));
        CallFailure::new(FailureKind::Protocol(Violation::Json), message)
    })
}

/// What stands in a body where JSON ends, if many services send it.
fn no_json(body: &[u8], error: &serde_json::Error) -> String {
    let line = body.split(|byte| *byte == b'\n').nth(error.line().saturating_sub(1));
    let rest = line.and_then(|line| line.get(error.column().saturating_sub(1)..)).unwrap_or(b"");
    let found = ["NaN", "Infinity"].into_iter().find(|name| rest.starts_with(name.as_bytes()));
    found.map_or_else(String::new, |name| format!(", which has no `{name}`"))
}

/// The start of a body, on one line. Quotes stay as they are: most bodies are JSON.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let start = &body[..body.len().min(EXCERPT)];
    let mut shown = String::new();
    for c in String::from_utf8_lossy(start).chars() {
        match c {
            '"' | '\'' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(value: &str) -> Option<Duration> {
        let now = "1994-11-06T08:49:30Z".parse().unwrap();
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        let status = StatusCode::TOO_MANY_REQUESTS;
        Answer { status, headers, body: Bytes::new() }.success(&[], now).unwrap_err().retry_after
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_nothing_else() {
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:00 GMT"), Some(Duration::ZERO));
        for odd in ["-5", "soon", "", "Sun, 32 Foo 1994 08:49:37 GMT", "1e9"] {
            assert_eq!(after(odd), None, "{odd}");
        }
    }

    #[test]
    fn deep_json_is_refused_and_does_not_overflow() {
        let deep = "[".repeat(1_000_000);
        let failed = decode::<serde_json::Value>(deep.as_bytes()).unwrap_err();
        assert!(failed.error.message.contains("recursion limit"), "{}", failed.error);
        assert!(failed.error.message.len() < 400);
    }
}
