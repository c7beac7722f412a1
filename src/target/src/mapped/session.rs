//! The calls before the first iteration, and what they give to all others.

use std::borrow::Cow;
use std::cell::Cell;

use hyper::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use serde_json::Value as Json;
use tokio::sync::Mutex;

use super::MappedTarget;
use crate::CallError;
use crate::http::{Answer, RetryPolicy};
use plan::{Reply, Secret, StepCall, TakeError, ValueSource, Variables};
use record::{FailureKind, Violation};

impl MappedTarget {
    /// Makes the call of the session; its cookies and its values travel with every other call.
    pub(super) async fn open_session(&self) -> Result<(), CallError> {
        let Some(step) = &self.mapping.session else { return Ok(()) };
        let variables = self.variables.borrow().clone();
        let answer = self.once(RetryPolicy::ONCE, &step.call, &variables).await?;
        let cookies = cookies(&answer.headers);
        let taken = self.taken(step, &answer)?;
        let values = taken.iter().map(|(_, value)| match value {
            Json::String(text) => Secret::new(text),
            other => Secret::new(other.to_string()),
        });
        let pairs = cookies.iter().filter_map(|pair| pair.split_once('='));
        self.hide(&values.chain(pairs.map(|(_, value)| Secret::new(value))).collect::<Vec<_>>());
        *self.cookies.borrow_mut() = header(&cookies);
        *self.variables.borrow_mut() = variables.with_session(taken);
        Ok(())
    }

    /// The variables with what the session of this moment gave. A decision may be older.
    pub(super) fn in_session<'a>(&self, variables: &'a Variables) -> Cow<'a, Variables> {
        let current = self.variables.borrow();
        if self.mapping.session.is_none() || variables.is_in_session_of(&current) {
            return Cow::Borrowed(variables);
        }
        Cow::Owned(variables.in_session_of(&current))
    }

    /// Opens the session anew, since a call with these variables was refused. Of several such calls at
    /// once, the first does it for all.
    pub(super) async fn renew(&self, refused: &Variables) -> Result<Variables, CallError> {
        let _turn = self.renewals.turn.lock().await;
        if refused.is_in_session_of(&self.variables.borrow()) {
            self.open_session().await?;
            self.renewals.count.set(self.renewals.count.get() + 1);
        }
        Ok(refused.in_session_of(&self.variables.borrow()))
    }

    /// Makes the calls that prepare the service, in their order.
    pub(super) async fn set_up(&self) -> Result<(), CallError> {
        self.is_set_up.set(true);
        let session = self.variables.borrow().clone();
        *self.variables.borrow_mut() = session.without_setup();
        for step in &self.mapping.setup {
            let variables = self.variables.borrow().clone();
            let answer = self.make(RetryPolicy::ONCE, &step.call, &variables).await?;
            let taken = self.taken(step, &answer)?;
            *self.variables.borrow_mut() = variables.with_setup(taken);
        }
        Ok(())
    }

    /// What the scenario takes from an answer, by name.
    fn taken(&self, step: &StepCall, answer: &Answer) -> Result<Vec<(String, Json)>, CallError> {
        if step.take.is_empty() {
            return Ok(Vec::new());
        }
        let reads_body = step.take.iter().any(|(_, source)| source.is_in_body());
        let json = if reads_body { self.json(&step.call, answer)? } else { Json::Null };
        let header = |name: &str| answer.headers.get(name)?.to_str().ok();
        let cookie = |name: &str| cookie(&answer.headers, name);
        let reply = Reply { body: &json, header: &header, cookie: &cookie };
        let value = |(name, source): &(String, ValueSource)| {
            let value = source.find(reply).ok_or_else(|| {
                let message = format!("{} (`{name}`)", source.nothing());
                let error = TakeError { violation: Violation::Json, message };
                self.not_as_said(&step.call, answer, error)
            })?;
            Ok((name.clone(), value.into_owned()))
        };
        step.take.iter().map(value).collect()
    }
}

/// The sessions that were opened anew.
#[derive(Default)]
pub(super) struct Renewals {
    turn: Mutex<()>,
    count: Cell<u64>,
}

impl Renewals {
    /// A note on those since the last call of this, for a person.
    pub(super) fn take_note(&self) -> Option<String> {
        let times = match self.count.take() {
            0 => return None,
            1 => "once".to_owned(),
            count => format!("{count} times"),
        };
        Some(format!("the session was opened anew {times}: the service answered 401"))
    }
}

/// Whether a call was refused as those are whose session has ended.
pub(super) fn ends_session(error: &CallError) -> bool {
    error.kind == FailureKind::Status(401)
}

/// The cookies that an answer sets, in their order.
fn pairs(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    headers.get_all(SET_COOKIE).into_iter().filter_map(|header| {
        let pair = header.to_str().ok()?.split(';').next()?;
        pair.trim().split_once('=')
    })
}

/// The value of a cookie that an answer sets; the last, if it sets several of this name.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    pairs(headers).rev().find(|(set, _)| *set == name).map(|(_, value)| value)
}

/// The cookies that an answer sets, as `name=value`. Of one name, the last counts.
fn cookies(headers: &HeaderMap) -> Vec<String> {
    let mut cookies: Vec<String> = Vec::new();
    for (name, value) in pairs(headers) {
        cookies.retain(|cookie| !cookie.starts_with(&format!("{name}=")));
        cookies.push(format!("{name}={value}"));
    }
    cookies
}

/// The header that sends cookies back.
fn header(cookies: &[String]) -> HeaderMap {
    let value = HeaderValue::from_str(&cookies.join("; ")).ok().filter(|_| !cookies.is_empty());
    value.into_iter().map(|value| (COOKIE, value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_sent_back_without_their_attributes() {
        let mut headers = HeaderMap::new();
        for cookie in ["sid=1; Path=/; HttpOnly", "lang=de", "sid=2; Secure", "odd"] {
            headers.append(SET_COOKIE, cookie.parse().unwrap());
        }
        let sent = header(&cookies(&headers));
        assert_eq!(sent[COOKIE], "lang=de; sid=2");
        assert!(header(&[]).is_empty());
        assert_eq!(cookie(&headers, "sid"), Some("2"));
        assert_eq!(cookie(&headers, "odd"), None);
    }
}
