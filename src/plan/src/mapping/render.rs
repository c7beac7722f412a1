//! Calls, rendered.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};
use serde_json::Value as Json;

use super::Mapping;
use super::call::{Body, Call, Field, RenderedCall, RewardCall, Sending, Tree};
use super::template::{self, Template, Templates, message};
use super::variables::{Sent, Variables};
use crate::percent::{encoded_path, percent_encoded};
use timestamp::Timestamp;

impl Mapping {
    /// The call with these variables.
    ///
    /// # Errors
    /// Which part cannot be rendered, and why.
    pub fn render(
        &self,
        call: &Call,
        variables: &Variables,
        sending: Sending<'_>,
    ) -> Result<RenderedCall, String> {
        let renderer = Renderer::new(&self.templates, variables, sending.now);
        let every = if call.is_in_session { &self.headers } else { &[][..] };
        renderer
            .call(call, every, sending.base)
            .map_err(|error| format!("`{}`: {}", call.name, message(&error)))
    }

    /// What a template makes of the body of an answer.
    ///
    /// # Errors
    /// Why it makes nothing of it.
    pub fn made(&self, template: &Template, body: &str) -> Result<Json, String> {
        let variables = Variables { body: Some(body.into()), ..Variables::default() };
        let made = self.templates.value(template, &template::root(variables));
        let json = made.and_then(|made| {
            let failed = |error: serde_json::Error| {
                Error::new(minijinja::ErrorKind::BadSerialization, error.to_string())
            };
            match made.as_str() {
                Some(text) => serde_json::from_str(text).map_err(failed),
                None => serde_json::to_value(made).map_err(failed),
            }
        });
        json.map_err(|error| message(&error))
    }

    /// Whether Reward is called with these variables.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub fn is_due(&self, reward: &RewardCall, variables: &Variables) -> Result<bool, String> {
        let Some(when) = &reward.when else { return Ok(true) };
        let value = self.templates.value(when, &template::root(variables.clone()));
        value
            .map(|value| value.is_true())
            .map_err(|error| format!("`reward.when`: {}", message(&error)))
    }
}

/// Renders with one set of variables.
struct Renderer<'a> {
    templates: &'a Templates,
    variables: &'a Variables,
    now: Timestamp,
    root: Value,
}

impl<'a> Renderer<'a> {
    fn new(templates: &'a Templates, variables: &'a Variables, now: Timestamp) -> Self {
        Self { templates, variables, now, root: template::root(variables.at(now)) }
    }

    /// The same, for the headers of a call that is known but for them.
    fn signing(&self, sent: Sent) -> Self {
        let root = template::root(self.variables.at(self.now).sending(sent));
        Self { root, ..*self }
    }

    fn call(
        &self,
        call: &Call,
        every: &[(String, Template)],
        base: &str,
    ) -> Result<RenderedCall, Error> {
        let path = self.path(call, base)?;
        let (content_type, body) = self.body(&call.body)?;
        let headers = every.iter().chain(&call.headers);
        let reads_request = headers.clone().any(|(_, value)| value.reads_request);
        let signing = reads_request.then(|| {
            let body = String::from_utf8_lossy(&body).into_owned();
            let sent = Sent { method: call.method.name(), path: path.clone(), body };
            self.signing(sent)
        });
        let renderer = signing.as_ref().unwrap_or(self);
        let headers = headers.map(|(name, value)| Ok((name.clone(), renderer.text(value)?)));
        let headers = headers.collect::<Result<_, Error>>()?;
        Ok(RenderedCall { path, headers, content_type, body })
    }

    /// The path with its query, below that of the service.
    fn path(&self, call: &Call, base: &str) -> Result<String, Error> {
        let mut path = self.text(&call.path)?;
        let query = self.pairs(&call.query)?;
        if !query.is_empty() {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str(&query);
        }
        Ok(base.to_owned() + &encoded_path(&path))
    }

    /// The body with its media type.
    fn body(&self, body: &Body) -> Result<(Option<&'static str>, Vec<u8>), Error> {
        Ok(match body {
            Body::Nothing => (None, Vec::new()),
            Body::Json(tree) => (Some("application/json"), self.json(tree)?),
            Body::Form(fields) => {
                (Some("application/x-www-form-urlencoded"), self.pairs(fields)?.into_bytes())
            }
            Body::Text(text) => (Some("text/plain; charset=utf-8"), self.text(text)?.into_bytes()),
        })
    }

    fn text(&self, template: &Template) -> Result<String, Error> {
        self.templates.text(template, &self.root)
    }

    /// The fields, as in `application/x-www-form-urlencoded`.
    fn pairs(&self, fields: &[(String, Field)]) -> Result<String, Error> {
        let mut pairs = Vec::new();
        for (name, field) in fields {
            for value in self.values(field)? {
                pairs.push(format!("{}={}", percent_encoded(name), percent_encoded(&value)));
            }
        }
        Ok(pairs.join("&"))
    }

    /// The values of a field.
    fn values(&self, field: &Field) -> Result<Vec<String>, Error> {
        let templates = match field {
            Field::One(template) => return Ok(vec![self.text(template)?]),
            Field::Each(templates) => templates,
        };
        let mut values = Vec::new();
        for template in templates {
            let value = self.templates.value(template, &self.root)?;
            if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
                values.extend(value.try_iter()?.map(|item| template::shown(&item)));
            } else {
                values.push(template::shown(&value));
            }
        }
        Ok(values)
    }

    fn json(&self, tree: &Tree) -> Result<Vec<u8>, Error> {
        let value = tree.value(self.templates, &self.root)?;
        serde_json::to_vec(&value)
            .map_err(|error| Error::new(minijinja::ErrorKind::BadSerialization, error.to_string()))
    }
}

impl Tree {
    /// The tree with its templates rendered.
    ///
    /// # Errors
    /// If a template has no value.
    pub fn value(&self, templates: &Templates, root: &Value) -> Result<Value, Error> {
        match self {
            Self::Fixed(json) => Ok(Value::from(minijinja::value::Serde(json))),
            Self::Text(template) => templates.value(template, root),
            Self::List(items) => items.iter().map(|item| item.value(templates, root)).collect(),
            Self::Map(entries) => {
                let entry = |(name, tree): &(String, Self)| {
                    Ok((name.clone(), tree.value(templates, root)?))
                };
                Ok(Value::from_pairs(entries.iter().map(entry).collect::<Result<Vec<_>, Error>>()?))
            }
        }
    }
}
