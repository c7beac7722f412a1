//! A service that is not shaped like Personalizer, called as the scenario maps it.

mod callers;
mod session;
mod shown;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use hyper::Method as HttpMethod;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value as Json;

use super::http::{Answer, Headers, Outgoing, RetryPolicy, excerpt};
use super::{CallAddress, CallError, Delivery, RankAnswer, Target};
use callers::Callers;
use clock::WallClock;
use plan::{
    Call, Format, HttpPlan, Mapping, Method, Redactor, RenderedCall, Reply, Secret, Sending,
    TakeError, Taken, Variables,
};
use protocol::{EventId, ModelProperties, RankRequest};
use record::{FailureKind, Violation};
use seed::{Purpose, Seed};
use session::{Renewals, cookie, ends_session};
use timestamp::Timestamp;

/// A service that is called as a mapping says.
pub struct MappedTarget {
    callers: Callers,
    mapping: Arc<Mapping>,
    /// What every call may use: what `session` and `setup` gave is added before the first Rank.
    variables: RefCell<Variables>,
    /// Headers that `session` gave.
    cookies: RefCell<HeaderMap>,
    /// Hides what `session` gave.
    redactor: RefCell<Redactor>,
    /// Decisions that wait for their rewards.
    decisions: RefCell<HashMap<EventId, Variables>>,
    renewals: Renewals,
    is_resumed: bool,
    /// Whether `setup` was begun, by this process or the one before it.
    is_set_up: Cell<bool>,
}

impl MappedTarget {
    /// A client of the service. Nothing is sent yet. A resumed run finds the service as
    /// the process before it left it, so that `setup` is not called again.
    ///
    /// # Errors
    /// When the address, a certificate or the proxy cannot be used.
    pub fn new(
        plan: &HttpPlan,
        mapping: &Arc<Mapping>,
        seed: Seed,
        clock: WallClock,
        is_resumed: bool,
    ) -> Result<Self, CallError> {
        Ok(Self {
            callers: Callers::new(plan, mapping, seed, clock)?,
            mapping: Arc::clone(mapping),
            variables: RefCell::new(mapping.variables.clone()),
            cookies: RefCell::default(),
            redactor: RefCell::default(),
            decisions: RefCell::default(),
            renewals: Renewals::default(),
            is_resumed,
            is_set_up: Cell::new(is_resumed),
        })
    }

    /// The calls after the last iteration; none, if the service was not prepared.
    ///
    /// # Errors
    /// The first that failed; the others are made nevertheless.
    pub async fn teardown(&self) -> Result<(), CallError> {
        let variables = self.variables.borrow().clone();
        let mut outcome = Ok(());
        if !self.is_set_up.get() {
            return outcome;
        }
        for call in &self.mapping.teardown {
            let made = self.make(RetryPolicy::ONCE, call, &variables).await;
            outcome = outcome.and(made.map(drop));
        }
        outcome
    }

    /// Makes a call, and returns its answer. Where the session has ended, it is opened anew, once.
    async fn make(
        &self,
        policy: RetryPolicy,
        call: &Call,
        variables: &Variables,
    ) -> Result<Answer, CallError> {
        let variables = self.in_session(variables);
        let made = self.once(policy, call, &variables).await;
        match made {
            Err(error) if self.mapping.session.is_some() && ends_session(&error) => {
                let renewed = Box::pin(self.renew(&variables)).await?;
                Box::pin(self.once(policy, call, &renewed)).await
            }
            made => made,
        }
    }

    /// Renders a call, makes it, and returns its answer.
    async fn once(
        &self,
        policy: RetryPolicy,
        call: &Call,
        variables: &Variables,
    ) -> Result<Answer, CallError> {
        let caller = self.callers.of(call);
        let prepared = self.prepare(call, variables, caller.now())?;
        let answer = caller.make(policy, &prepared.outgoing(call)).await;
        let answer = answer.map_err(|error| self.named(call, &error))?;
        if let Some(sign) = call.error.as_ref().filter(|_| !answer.body.is_empty())
            && let Some(message) = sign.find(&self.json(call, &answer)?)
        {
            return Err(self.named(call, &CallError { kind: FailureKind::Refused, message }));
        }
        Ok(answer)
    }

    fn prepare(
        &self,
        call: &Call,
        variables: &Variables,
        now: Timestamp,
    ) -> Result<Prepared, CallError> {
        let sending = Sending { now, base: self.callers.of(call).addresses().base() };
        let rendered = self.mapping.render(call, variables, sending);
        let rendered = rendered.map_err(|why| self.public(&violation(Violation::Json, why)))?;
        Ok(Prepared {
            headers: Headers::new(self.headers(call, &rendered).map_err(|why| self.public(&why))?),
            path: rendered.path,
            body: rendered.body.into(),
        })
    }

    /// The headers of a call: those of every call, then those of the session, then its own.
    fn headers(&self, call: &Call, rendered: &RenderedCall) -> Result<HeaderMap, CallError> {
        let mut headers = self.callers.of(call).headers().map().clone();
        headers.remove(CONTENT_TYPE);
        // A header of the scenario is sensitive, and wins.
        let is_said = headers.get(ACCEPT).is_some_and(HeaderValue::is_sensitive);
        if matches!(call.format, Format::Text) && !is_said {
            headers.insert(ACCEPT, HeaderValue::from_static("text/plain, */*;q=0.1"));
        }
        if let Some(content_type) = rendered.content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        headers.extend(self.cookies.borrow().clone());
        for (name, value) in &rendered.headers {
            let refuse =
                |what: &str| violation(Violation::Json, format!("header `{name}`: {what}"));
            let parsed = HeaderName::from_bytes(name.as_bytes());
            let parsed = parsed.map_err(|_| refuse("not the name of a header"))?;
            let value = HeaderValue::from_str(value.trim());
            let value =
                value.map_err(|_| refuse("its value has a line break or a control character"))?;
            headers.insert(parsed, value);
        }
        Ok(headers)
    }

    /// The body of an answer as JSON.
    fn json(&self, call: &Call, answer: &Answer) -> Result<Json, CallError> {
        let decode = |body: &Bytes| {
            let decoded = self.callers.own().decode(body);
            decoded.map_err(|error| self.named(call, &with_type(error, answer)))
        };
        match &call.format {
            Format::Json => decode(&answer.body),
            Format::JsonIn(path) => {
                let outer: Json = decode(&answer.body)?;
                let text = path.find(&outer).and_then(Json::as_str).ok_or_else(|| {
                    let message = format!("the answer has no text at `{}`", path.text());
                    self.not_as_said(
                        call,
                        answer,
                        TakeError { violation: Violation::Json, message },
                    )
                })?;
                decode(&Bytes::copy_from_slice(text.as_bytes()))
            }
            Format::Made(template) => {
                let body = self.callers.own().redact(&String::from_utf8_lossy(&answer.body));
                self.mapping.made(template, &body).map_err(|why| {
                    let message = format!("`answer` makes no JSON of it: {why}");
                    let error = TakeError { violation: Violation::Json, message };
                    with_type(self.not_as_said(call, answer, error), answer)
                })
            }
            Format::Text => {
                let text = self.callers.own().redact(&String::from_utf8_lossy(&answer.body));
                Ok(text.trim().into())
            }
        }
    }

    /// The error of an answer that is not as the scenario says, with the start of its body.
    fn not_as_said(&self, call: &Call, answer: &Answer, error: TakeError) -> CallError {
        let message = match error.violation {
            Violation::Json if !answer.body.is_empty() => {
                let body = self.callers.own().redact(&String::from_utf8_lossy(&answer.body));
                let body = self.redactor.borrow().redact(&body);
                format!("{}: {}", error.message, excerpt(body.as_bytes()))
            }
            _ => error.message,
        };
        self.named(call, &violation(error.violation, message))
    }

    /// The error with the key of its call, without secrets.
    fn named(&self, call: &Call, error: &CallError) -> CallError {
        let message = format!("`{}`: {}", call.name, error.message);
        self.public(&CallError { kind: error.kind, message })
    }

    fn public(&self, error: &CallError) -> CallError {
        let message = self.callers.own().redact(&error.message);
        CallError { kind: error.kind, message: self.redactor.borrow().redact(&message) }
    }

    /// The error of a call before the first Rank, with a remedy where the service refuses the caller.
    fn with_advice(&self, error: CallError) -> CallError {
        let FailureKind::Status(401 | 403) = error.kind else { return error };
        let advice = if self.callers.own().has_key() {
            "the service refused the key in `target.key`"
        } else {
            "the service wants a key: `headers: { Authorization: \"Bearer ${TOKEN}\" }` in `target`, or \
             with a preset `key: ${TOKEN}`"
        };
        CallError { message: format!("{}\nhelp: {advice}", error.message), ..error }
    }

    /// Hides texts from now on. What was hidden before may still come in late answers.
    fn hide(&self, secrets: &[Secret]) {
        let hidden = self.redactor.borrow().and(secrets);
        *self.redactor.borrow_mut() = hidden;
    }
}

/// The variables of Rank.
fn of_rank(all: &Variables, iteration: u64, request: &RankRequest) -> Variables {
    let event_id = request.event_id.clone().unwrap_or_else(|| EventId::from(""));
    all.of_iteration(iteration, &event_id, &request.context_features)
}

/// A call, ready to be sent.
struct Prepared {
    path: String,
    headers: Headers,
    body: Bytes,
}

impl Prepared {
    fn outgoing<'a>(&'a self, call: &'a Call) -> Outgoing<'a> {
        Outgoing {
            method: method(call.method),
            path: &self.path,
            headers: &self.headers,
            body: self.body.clone(),
            statuses: &call.statuses,
            reads_headers: true,
        }
    }
}

impl Target for MappedTarget {
    /// The service is reached, and prepared. There is no question that every service answers.
    async fn preflight(&self) -> Result<(), CallError> {
        self.callers.reach().await?;
        let prepared = async {
            self.open_session().await?;
            if self.is_resumed { Ok(()) } else { self.set_up().await }
        };
        prepared.await.map_err(|error| self.with_advice(error))
    }

    async fn rank(&self, at: CallAddress, request: &RankRequest) -> Result<RankAnswer, CallError> {
        let variables = of_rank(&self.variables.borrow(), at.iteration, request);
        let call = &self.mapping.rank;
        let answer = self.make(self.callers.own().rank(at), call, &variables).await?;
        let take = &self.mapping.take;
        let json = if take.reads_body() { self.json(call, &answer)? } else { Json::Null };
        let id = variables.event_id().unwrap_or_default();
        let header = |name: &str| answer.headers.get(name)?.to_str().ok();
        let cookie = |name: &str| cookie(&answer.headers, name);
        let reply = Reply { body: &json, header: &header, cookie: &cookie };
        let taken = take.read(reply, id, || self.callers.own().draws(at, Purpose::Choice).unit());
        let taken = taken.map_err(|error| self.not_as_said(call, &answer, error))?;
        let Taken { action, probability, favourite, probabilities, event } = taken;
        if self.mapping.reward.is_some() {
            let event_id = EventId::from(id);
            let decided =
                variables.decided(action, event.as_ref(), probability.map(Json::from).as_ref());
            self.decisions.borrow_mut().insert(event_id, decided);
        }
        #[expect(clippy::cast_possible_truncation, reason = "a probability is recorded in 32 bits")]
        let probability = probability.map(|probability| probability as f32);
        Ok(RankAnswer::Taken { action, probability, favourite, probabilities })
    }

    async fn reward(
        &self,
        at: CallAddress,
        event_id: &EventId,
        value: f64,
    ) -> Result<Delivery, CallError> {
        let decision = self.decisions.borrow().get(event_id).cloned();
        let (Some(reward), Some(decision)) = (&self.mapping.reward, decision) else {
            return Ok(Delivery::NotSent);
        };
        let variables = decision.rewarded(value);
        let is_due = self.mapping.is_due(reward, &variables);
        if !is_due.map_err(|why| self.public(&violation(Violation::Json, why)))? {
            return Ok(Delivery::NotSent);
        }
        self.make(self.callers.own().reward(at), &reward.call, &variables).await?;
        Ok(Delivery::Sent)
    }

    fn forget(&self, event_id: &EventId) {
        self.decisions.borrow_mut().remove(event_id);
    }

    /// A service without this operation counts as one whose model never changes.
    async fn model_properties(&self) -> Result<ModelProperties, CallError> {
        let never = Timestamp::NEVER;
        Ok(ModelProperties { creation_time: never, last_modified_time: never })
    }

    /// The service as `setup` makes it.
    async fn reset(&self) -> Result<(), CallError> {
        self.teardown().await?;
        self.set_up().await
    }

    /// A service keeps its log to itself.
    fn take_joined(&self, _everything: bool) -> Vec<u8> {
        Vec::new()
    }

    fn take_notes(&self) -> Vec<String> {
        let renewed = self.renewals.take_note();
        self.callers.take_notes().into_iter().chain(renewed).collect()
    }
}

/// The error of an answer that is not JSON, with what the answer says that it is.
fn with_type(error: CallError, answer: &Answer) -> CallError {
    let said = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let said = said.and_then(|said| said.split(';').next()).unwrap_or_default().trim();
    if said.is_empty() || said.contains("json") || answer.body.is_empty() {
        return error;
    }
    let remedy = match said {
        "text/plain" | "text/csv" => ": `answer: text` takes it as it is",
        _ => "",
    };
    let said = said.escape_debug();
    CallError {
        message: format!("{}; its `Content-Type` is `{said}`{remedy}", error.message),
        ..error
    }
}

fn method(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::GET,
        Method::Post => HttpMethod::POST,
        Method::Put => HttpMethod::PUT,
        Method::Patch => HttpMethod::PATCH,
        Method::Delete => HttpMethod::DELETE,
    }
}

/// What a service gave cannot be used as the scenario says.
fn violation(kind: Violation, message: String) -> CallError {
    CallError { kind: FailureKind::Protocol(kind), message }
}
