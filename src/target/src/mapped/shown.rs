//! Calls, as they are shown to a person.

use serde_json::Value as Json;

use super::{MappedTarget, of_rank};
use crate::{CallError, Exchange, ShownCall};
use plan::{Call, StepCall, Variables};
use protocol::RankRequest;
use timestamp::Timestamp;

impl MappedTarget {
    /// The same, which keeps its calls to be shown.
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.callers.keep_trace();
        self
    }

    /// Takes the calls since the last call of this.
    pub fn take_trace(&self) -> Vec<Exchange> {
        let mut trace = self.callers.take_trace();
        for Exchange { call, answer, .. } in &mut trace {
            self.conceal(call);
            match answer {
                Ok((_, body)) => *body = self.redactor.borrow().redact(body),
                Err(error) => *error = self.public(error),
            }
        }
        trace
    }

    /// Rank and Reward as they would be sent, if `action` were chosen. What answers give is
    /// shown by its name.
    ///
    /// # Errors
    /// When a call cannot be rendered.
    pub fn preview(
        &self,
        request: &RankRequest,
        action: usize,
        reward: f64,
    ) -> Result<Vec<(&'static str, ShownCall)>, CallError> {
        let mapping = &self.mapping;
        let session = mapping.session.iter().flat_map(|step| placeholders("session", step));
        let setup = mapping.setup.iter().flat_map(|step| placeholders("setup", step));
        let variables = mapping.variables.with_session(session.collect());
        let variables = variables.with_setup(setup.collect());
        let rank = of_rank(&variables, 0, request);
        let mut calls = vec![("rank", self.shown(&mapping.rank, &rank)?)];
        if let Some(call) = &mapping.reward {
            let event = mapping.take.gives_event().then(|| placeholder("event"));
            let probability = mapping.take.gives_probability().then(|| placeholder("probability"));
            let decided =
                rank.decided(action, event.as_ref(), probability.as_ref()).rewarded(reward);
            let shown = self.shown(&call.call, &decided);
            // An id is a text, unless a template asks for parts of it.
            let parts = || self.shown(&call.call, &decided.with_parts_of_event());
            calls.push(("reward", shown.or_else(|_| parts())?));
        }
        Ok(calls)
    }

    /// A call, in which what only answers give is shown by its name.
    fn shown(&self, call: &Call, variables: &Variables) -> Result<ShownCall, CallError> {
        let prepared = self.prepare(call, variables, Timestamp::VIRTUAL_START)?;
        let mut shown = self.callers.of(call).shown(&prepared.outgoing(call));
        self.conceal(&mut shown);
        for text in [&mut shown.url, &mut shown.body] {
            *text = with_plain_names(text);
        }
        Ok(shown)
    }

    /// Takes out of a call what the session gave.
    fn conceal(&self, call: &mut ShownCall) {
        let redactor = self.redactor.borrow();
        let headers = call.headers.iter_mut().map(|(_, value)| value);
        for text in headers.chain([&mut call.url, &mut call.body]) {
            *text = redactor.redact(text);
        }
    }
}

/// A text in which the names that stand for values are not percent-encoded.
fn with_plain_names(text: &str) -> String {
    let mut parts = text.split("%3C");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let named = part.split_once("%3E").filter(|(name, _)| is_name(name));
        match named {
            Some((name, after)) => plain.extend(["<", name, ">", after]),
            None => plain.extend(["%3C", part]),
        }
    }
    plain
}

/// Whether a text may be the name of a value, or of a part of one.
fn is_name(text: &str) -> bool {
    let belongs = |c: char| c.is_alphanumeric() || "._-".contains(c);
    !text.is_empty() && text.chars().all(belongs)
}

/// What stands for a value that only an answer gives.
fn placeholder(name: &str) -> Json {
    format!("<{name}>").into()
}

/// What stands for the values that a call takes, by their names.
fn placeholders(group: &str, step: &StepCall) -> Vec<(String, Json)> {
    let names = step.take.iter().map(|(name, _)| name);
    names.map(|name| (name.clone(), placeholder(&format!("{group}.{name}")))).collect()
}
