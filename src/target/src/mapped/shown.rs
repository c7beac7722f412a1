//! Calls, as they are shown to a person.

use serde_json::Value as Json;

use super::{MappedTarget, of_rank};
use crate::{CallError, Exchange, ShownCall};
use plan::{Call, StepCall, Variables};
use protocol::RankRequest;

impl MappedTarget {
    /// The same, which keeps its calls to be shown.
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.caller.keep_trace();
        self
    }

    /// Takes the calls since the last call of this.
    pub fn take_trace(&self) -> Vec<Exchange> {
        let mut trace = self.caller.take_trace();
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
        let (session, setup): (Vec<_>, Vec<_>) = (session.collect(), setup.collect());
        let event = placeholder("event");
        let of_steps = session.iter().chain(&setup).map(|(_, placeholder)| placeholder);
        let given: Vec<Json> = of_steps.chain([&event]).cloned().collect();
        let variables = mapping.variables.with_session(session).with_setup(setup);
        let rank = of_rank(&variables, 0, request);
        let mut calls = vec![("rank", self.shown(&mapping.rank, &rank, &given)?)];
        if let Some(call) = &mapping.reward {
            let event = mapping.take.gives_event().then_some(event);
            let probability = mapping.take.gives_probability().then(|| placeholder("probability"));
            let decided =
                rank.decided(action, event.as_ref(), probability.as_ref()).rewarded(reward);
            let shown = self.shown(&call.call, &decided, &given);
            // An id is a text, unless a template asks for parts of it.
            let parts = || self.shown(&call.call, &decided.with_parts_of_event(), &given);
            calls.push(("reward", shown.or_else(|_| parts())?));
        }
        Ok(calls)
    }

    /// A call, in which what only answers give is shown by its name.
    fn shown(
        &self,
        call: &Call,
        variables: &Variables,
        given: &[Json],
    ) -> Result<ShownCall, CallError> {
        let prepared = self.prepare(call, variables)?;
        let mut shown = self.caller.shown(&prepared.outgoing(call));
        self.conceal(&mut shown);
        for name in given.iter().filter_map(Json::as_str) {
            let encoded = name.replace('<', "%3C").replace('>', "%3E");
            for text in [&mut shown.url, &mut shown.body] {
                *text = text.replace(&encoded, name);
            }
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

/// What stands for a value that only an answer gives.
fn placeholder(name: &str) -> Json {
    format!("<{name}>").into()
}

/// What stands for the values that a call takes, by their names.
fn placeholders(group: &str, step: &StepCall) -> Vec<(String, Json)> {
    let names = step.take.iter().map(|(name, _)| name);
    names.map(|name| (name.clone(), placeholder(&format!("{group}.{name}")))).collect()
}
