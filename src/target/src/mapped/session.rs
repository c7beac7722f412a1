//! The calls before the first iteration, and what they give to all others.

use hyper::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use serde_json::Value as Json;

use super::MappedTarget;
use crate::CallError;
use crate::http::{Answer, RetryPolicy};
use plan::{Reply, Secret, StepCall, TakeError, ValueSource};
use record::Violation;

impl MappedTarget {
    /// Makes the call of the session; its cookies and its values travel with every other call.
    pub(super) async fn open_session(&self) -> Result<(), CallError> {
        let Some(step) = &self.mapping.session else { return Ok(()) };
        let variables = self.variables.borrow().clone();
        let answer = self.make(RetryPolicy::ONCE, &step.call, &variables).await?;
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
        let reads_body = step.take.iter().any(|(_, source)| !source.is_header());
        let json = if reads_body { self.json(&step.call, answer)? } else { Json::Null };
        let reply = Reply { body: &json, header: &|name| answer.headers.get(name)?.to_str().ok() };
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

/// The cookies that an answer sets, as `name=value`. Of one name, the last counts.
fn cookies(headers: &HeaderMap) -> Vec<String> {
    let mut cookies: Vec<String> = Vec::new();
    for header in headers.get_all(SET_COOKIE) {
        let Some(pair) = header.to_str().ok().and_then(|text| text.split(';').next()) else {
            continue;
        };
        let Some((name, value)) = pair.trim().split_once('=') else { continue };
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
    }
}
