use std::cell::{Cell, RefCell};
use std::time::Duration;

use hyper::Method;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Client, Response, Url};
use serde::de::DeserializeOwned;

use super::address::Addresses;
use super::answer::{self, Answer};
use super::client;
use super::failed::CallFailure;
use super::pool::Pool;
use super::preflight;
use super::request::{Headers, Request};
use crate::{CallAddress, CallError, Exchange, ShownCall};
use clock::{Clock, WallClock};
use plan::{HttpPlan, Redactor, Retries, Timeouts};
use record::FailureKind;
use seed::{Draws, PhaseKey, Purpose, Seed};
use timestamp::Timestamp;

/// The first wait before a call is made again, and the longest. Each is twice the one
/// before, and drawn from its upper half.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The longest `Retry-After` that is obeyed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// Makes calls, and retries them as the plan says.
pub(crate) struct Caller {
    wire: Wire,
    addresses: Addresses,
    headers: Headers,
    has_key: bool,
    timeouts: Timeouts,
    retries: Retries,
    redactor: Redactor,
    seed: Seed,
    clock: WallClock,
    retried: Cell<u64>,
    retried_after: Cell<u64>,
    /// How many calls reqwest made again, since the service had closed their connection.
    repeated: Cell<u64>,
    /// The calls that were made, if they are to be shown.
    trace: Option<RefCell<Vec<Exchange>>>,
}

/// The HTTP client.
enum Wire {
    Pool(Pool),
    Client(Client),
}

/// A call that may be made again.
pub(crate) struct Outgoing<'a> {
    pub method: Method,
    /// The path with its query, as it stands in the request.
    pub path: &'a str,
    pub headers: &'a Headers,
    pub body: Bytes,
    /// The statuses of success; all of 200 to 299, if there is none.
    pub statuses: &'a [u16],
    /// Whether every header of the answer is read, and not those alone that the client needs.
    pub reads_headers: bool,
}

/// How often a call may be retried, and the address of the draws of the waits between.
#[derive(Clone, Copy)]
pub(crate) struct RetryPolicy {
    retries: u32,
    at: Option<CallAddress>,
}

impl RetryPolicy {
    /// No retries.
    pub(crate) const ONCE: Self = Self { retries: 0, at: None };
}

impl Caller {
    pub(crate) fn new(plan: &HttpPlan, seed: Seed, clock: WallClock) -> Result<Self, CallError> {
        let redactor = Redactor::new(plan.secrets());
        // An address that cannot be read may hold a password that nothing finds in it.
        let invalid = |why: String| CallError {
            kind: FailureKind::Connect,
            message: format!("`target.url` is not the URL of a service: {why}"),
        };
        let public = |failed: CallFailure| CallError {
            kind: failed.error.kind,
            message: redactor.redact(&failed.error.message),
        };
        Ok(Self {
            wire: wire(plan, clock).map_err(public)?,
            addresses: Addresses::new(plan).map_err(invalid)?,
            headers: Headers::new(headers(plan).map_err(public)?),
            has_key: plan.key.is_some(),
            timeouts: plan.timeouts,
            retries: plan.retries,
            redactor,
            seed,
            clock,
            retried: Cell::default(),
            retried_after: Cell::default(),
            repeated: Cell::default(),
            trace: None,
        })
    }

    /// Records every call from now on, for [`Self::take_trace`].
    pub(crate) fn keep_trace(&mut self) {
        self.trace = Some(RefCell::default());
    }

    /// Takes the calls since the last call of this.
    pub(crate) fn take_trace(&self) -> Vec<Exchange> {
        self.trace.as_ref().map(RefCell::take).unwrap_or_default()
    }

    /// A call as it is shown.
    pub(crate) fn shown(&self, outgoing: &Outgoing<'_>) -> ShownCall {
        let text = |bytes: &[u8]| self.redactor.redact(&String::from_utf8_lossy(bytes));
        let header =
            |(name, value): (&HeaderName, &HeaderValue)| (name.to_string(), text(value.as_bytes()));
        ShownCall {
            method: outgoing.method.to_string(),
            url: self.redactor.redact(&format!("{}{}", self.addresses.origin(), outgoing.path)),
            headers: outgoing.headers.map().iter().map(header).collect(),
            body: text(&outgoing.body),
        }
    }

    fn note(
        &self,
        outgoing: &Outgoing<'_>,
        answer: &Result<Answer, CallFailure>,
        started: Option<Duration>,
    ) {
        let (Some(trace), Some(started)) = (&self.trace, started) else { return };
        let answer = match answer {
            Ok(answer) => {
                let body = String::from_utf8_lossy(&answer.body);
                Ok((answer.status.as_u16(), self.redactor.redact(&body)))
            }
            Err(failed) => Err(self.public_error(&failed.error)),
        };
        let took = self.clock.now().saturating_sub(started);
        trace.borrow_mut().push(Exchange { call: self.shown(outgoing), answer, took });
    }

    pub(crate) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.timestamp(self.clock.now())
    }

    /// The headers of every call.
    pub(crate) fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Takes the secrets of the plan out of a text.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.redactor.redact(text)
    }

    /// Whether a key is sent.
    pub(crate) fn has_key(&self) -> bool {
        self.has_key
    }

    pub(crate) fn question(&self) -> RetryPolicy {
        RetryPolicy { retries: self.retries.questions, at: None }
    }

    pub(crate) fn rank(&self, at: CallAddress) -> RetryPolicy {
        RetryPolicy { retries: self.retries.rank, at: Some(at) }
    }

    pub(crate) fn reward(&self, at: CallAddress) -> RetryPolicy {
        RetryPolicy { retries: self.retries.reward, at: Some(at) }
    }

    /// Makes a call, and returns the body of its answer.
    pub(crate) async fn call(
        &self,
        policy: RetryPolicy,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Bytes, CallError> {
        let headers = &self.headers;
        let reads_headers = false;
        let outgoing = Outgoing { method, path, headers, body, statuses: &[], reads_headers };
        Ok(self.make(policy, &outgoing).await?.body)
    }

    /// Makes a call, and returns its answer.
    pub(crate) async fn make(
        &self,
        policy: RetryPolicy,
        outgoing: &Outgoing<'_>,
    ) -> Result<Answer, CallError> {
        let mut failures = 0;
        loop {
            let started = self.trace.as_ref().map(|_| self.clock.now());
            let is_retried = failures < policy.retries;
            let answer = self.once(outgoing, is_retried).await;
            let answer = answer.and_then(|answer| answer.success(outgoing.statuses, self.now()));
            self.note(outgoing, &answer, started);
            let failed = match answer {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if !is_retried || !failed.is_transient() {
                return Err(self.public_error(&failed.error));
            }
            let wait = self.wait_after(&failed, failures, policy.at);
            self.clock.sleep_until(self.clock.now() + wait).await;
            failures += 1;
        }
    }

    /// Finds out whether the service can be reached, without a call. What is behind a proxy is
    /// not known.
    pub(crate) async fn reach(&self) -> Result<(), CallError> {
        let Wire::Pool(pool) = &self.wire else { return Ok(()) };
        let reached = pool.reach().await;
        reached
            .map_err(|failed| preflight::with_advice(self.public_error(&failed.error), None, self))
    }

    /// Makes a call once, which is made again if it fails.
    async fn once(&self, outgoing: &Outgoing<'_>, is_retried: bool) -> Result<Answer, CallFailure> {
        let Outgoing { method, path, headers, body, .. } = outgoing;
        let keeps_headers = outgoing.reads_headers;
        let request = Request { method, path, headers, body, keeps_headers, is_retried };
        match &self.wire {
            Wire::Pool(pool) => {
                check_path(path)?;
                pool.call(&request).await
            }
            Wire::Client(client) => {
                let limit = self.timeouts.whole;
                let call = Box::pin(self.through(client, outgoing, request.is_repeatable()));
                let answer = Box::pin(tokio::time::timeout(limit, call)).await;
                answer.unwrap_or_else(|_| Err(CallFailure::timeout("no whole answer", limit)))
            }
        }
    }

    /// Makes a call through reqwest. If its connection is closed before the answer, a call that is
    /// repeatable is made once more; whether the service had kept the connection is not known here.
    async fn through(
        &self,
        client: &Client,
        outgoing: &Outgoing<'_>,
        is_repeatable: bool,
    ) -> Result<Answer, CallFailure> {
        let response = self.response(client, outgoing).await;
        let is_closed = |failed: &CallFailure| failed.error.kind == FailureKind::Transport;
        let response = match response {
            Err(failed) if is_repeatable && is_closed(&failed) => {
                self.repeated.set(self.repeated.get() + 1);
                self.response(client, outgoing).await?
            }
            response => response?,
        };
        client::answer(response).await
    }

    /// Sends a call through reqwest, and waits for the head of its answer.
    async fn response(
        &self,
        client: &Client,
        outgoing: &Outgoing<'_>,
    ) -> Result<Response, CallFailure> {
        let Outgoing { method, path, headers, body, .. } = outgoing;
        let url = format!("{}{path}", self.addresses.origin());
        let url = Url::parse(&url).map_err(|error| {
            CallFailure::new(FailureKind::Connect, format!("`{url}` is not a URL: {error}"))
        })?;
        let mut request = reqwest::Request::new(method.clone(), url);
        *request.headers_mut() = headers.map().clone();
        *request.body_mut() = Some(body.clone().into());
        let call = client::send(client, request);
        match self.timeouts.first_byte {
            Some(limit) if limit < self.timeouts.whole => {
                let answer = tokio::time::timeout(limit, call).await;
                answer.unwrap_or_else(|_| Err(CallFailure::timeout("no answer", limit)))
            }
            _ => call.await,
        }
    }

    /// The draws of a call for a purpose.
    pub(crate) fn draws(&self, at: CallAddress, purpose: Purpose) -> Draws {
        self.seed.draws(at.phase, at.iteration, purpose)
    }

    /// How long to wait before the next retry.
    fn wait_after(&self, failed: &CallFailure, failures: u32, at: Option<CallAddress>) -> Duration {
        self.retried.set(self.retried.get() + 1);
        if let Some(asked) = failed.retry_after {
            self.retried_after.set(self.retried_after.get() + 1);
            return asked.min(LONGEST_RETRY_AFTER);
        }
        let (phase, iteration) =
            at.map_or_else(|| (PhaseKey::new(""), 0), |at| (at.phase, at.iteration));
        let mut draws = self.seed.draws(phase, iteration, Purpose::Retry);
        for _ in 0..failures {
            draws.bits();
        }
        let longest = FIRST_WAIT.saturating_mul(1 << failures.min(16)).min(LONGEST_WAIT);
        longest.mul_f64(f64::midpoint(1.0, draws.unit()))
    }

    /// Decodes a body. Secrets that a service sends back are redacted.
    pub(crate) fn decode<A: DeserializeOwned>(&self, body: &Bytes) -> Result<A, CallError> {
        let decoded = if self.redactor.finds(body) {
            let text = self.redactor.redact(&String::from_utf8_lossy(body));
            answer::decode(text.as_bytes())
        } else {
            answer::decode(body)
        };
        decoded.map_err(|failed| self.public_error(&failed.error))
    }

    /// The error with the service's origin, and without secrets.
    fn public_error(&self, error: &CallError) -> CallError {
        let message = self.redactor.redact(&error.message);
        let origin = self.addresses.origin();
        CallError { kind: error.kind, message: format!("{origin}: {message}") }
    }

    /// Notes on the calls that were made again since the last call of this, for a person.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        let (repeated, connection) = match &self.wire {
            Wire::Pool(pool) => (pool.take_repeated(), "the connection that it kept"),
            Wire::Client(_) => (self.repeated.take(), "its connection"),
        };
        let repeated = (repeated > 0).then(|| {
            let calls = calls_were(repeated);
            format!("{calls} made again: the service had closed {connection}")
        });
        let (retried, asked) = (self.retried.take(), self.retried_after.take());
        let asked = match asked {
            0 => String::new(),
            asked => format!(
                ", {asked} of them after the time that the service asked for (`Retry-After`)"
            ),
        };
        let retried = (retried > 0).then(|| format!("{} retried{asked}", calls_were(retried)));
        retried.into_iter().chain(repeated).collect()
    }
}

fn calls_were(count: u64) -> String {
    if count == 1 { "1 call was".to_owned() } else { format!("{count} calls were") }
}

/// Plain HTTP/1.1 has a client of its own, which is faster.
fn wire(plan: &HttpPlan, clock: WallClock) -> Result<Wire, CallFailure> {
    let connection = &plan.connection;
    let authority = plan.url.strip_prefix("http://").filter(|_| {
        let is_plain = connection.proxy.is_none() && connection.client_certificate.is_none();
        is_plain && !connection.http2
    });
    match authority {
        Some(rest) => {
            let authority = rest.split('/').next().unwrap_or_default();
            let authority = with_port(authority);
            Ok(Wire::Pool(Pool::new(authority, connection, plan.timeouts, clock)))
        }
        None => client::client(plan).map(Wire::Client),
    }
}

/// Refuses what would end the line of the request.
fn check_path(path: &str) -> Result<(), CallFailure> {
    if path.starts_with('/') && path.bytes().all(|byte| byte > b' ' && byte != 0x7f) {
        return Ok(());
    }
    let message = format!("`{}` is not a path", path.escape_debug());
    Err(CallFailure::new(FailureKind::Connect, message))
}

/// The port of `http`, if there is none.
fn with_port(authority: &str) -> String {
    let after_address = authority.rsplit(']').next().unwrap_or_default();
    if after_address.contains(':') { authority.to_owned() } else { format!("{authority}:80") }
}

/// The headers of every request.
fn headers(plan: &HttpPlan) -> Result<HeaderMap, CallFailure> {
    let host = plan.url.split("://").nth(1).and_then(|rest| rest.split('/').next());
    let mut headers = HeaderMap::new();
    let agent = concat!("runner/", env!("CARGO_PKG_VERSION"));
    headers.insert(HOST, value(HOST.as_str(), host.unwrap_or_default())?);
    headers.insert(USER_AGENT, HeaderValue::from_static(agent));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(key) = &plan.key {
        headers.insert(name(&plan.key_header)?, value(&plan.key_header, key.reveal())?);
    }
    for header in &plan.headers {
        headers.insert(name(&header.name)?, value(&header.name, header.value.reveal())?);
    }
    Ok(headers)
}

fn name(name: &str) -> Result<HeaderName, CallFailure> {
    let parsed = HeaderName::from_bytes(name.as_bytes());
    parsed.map_err(|_| {
        CallFailure::new(FailureKind::Connect, format!("`{name}` is not a header name"))
    })
}

fn value(name: &str, value: &str) -> Result<HeaderValue, CallFailure> {
    let parsed = HeaderValue::from_str(value.trim());
    let mut value = parsed.map_err(|_| {
        let message = format!("the value of header `{name}` has a character that HTTP does not allow, such as a line break");
        CallFailure::new(FailureKind::Connect, message)
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_added_where_there_is_none() {
        for (authority, expected) in [
            ("example.com", "example.com:80"),
            ("example.com:8080", "example.com:8080"),
            ("[::1]", "[::1]:80"),
            ("[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(with_port(authority), expected);
        }
    }
}
