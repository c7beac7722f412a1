//! Calls, rendered.

use minijinja::Error;
use minijinja::value::{Value, ValueKind};

use super::Mapping;
use super::call::{Body, Call, Field, RenderedCall, RewardCall, Tree};
use super::template::{self, Template, Templates, message, percent_encoded};
use super::variables::Variables;

impl Mapping {
    /// The call with these variables.
    ///
    /// # Errors
    /// Which part cannot be rendered, and why.
    pub fn render(&self, call: &Call, variables: &Variables) -> Result<RenderedCall, String> {
        let renderer = Renderer { templates: &self.templates, root: template::root(variables) };
        let every = if call.is_in_session { &self.headers } else { &[][..] };
        renderer.call(call, every).map_err(|error| format!("`{}`: {}", call.name, message(&error)))
    }

    /// Whether Reward is called with these variables.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub fn is_due(&self, reward: &RewardCall, variables: &Variables) -> Result<bool, String> {
        let Some(when) = &reward.when else { return Ok(true) };
        let value = self.templates.value(when, &template::root(variables));
        value
            .map(|value| value.is_true())
            .map_err(|error| format!("`reward.when`: {}", message(&error)))
    }
}

/// Renders with one set of variables.
struct Renderer<'a> {
    templates: &'a Templates,
    root: Value,
}

impl Renderer<'_> {
    fn call(&self, call: &Call, every: &[(String, Template)]) -> Result<RenderedCall, Error> {
        let mut path = self.text(&call.path)?;
        let query = self.pairs(&call.query)?;
        if !query.is_empty() {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str(&query);
        }
        let (content_type, body) = match &call.body {
            Body::Nothing => (None, Vec::new()),
            Body::Json(tree) => (Some("application/json"), self.json(tree)?),
            Body::Form(fields) => {
                (Some("application/x-www-form-urlencoded"), self.pairs(fields)?.into_bytes())
            }
        };
        let headers = every.iter().chain(&call.headers);
        let headers = headers.map(|(name, value)| Ok((name.clone(), self.text(value)?)));
        let headers = headers.collect::<Result<_, Error>>()?;
        Ok(RenderedCall { path: in_request(&path), headers, content_type, body })
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

/// A path in which what cannot stand in a request is encoded. Values are encoded already.
fn in_request(path: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}#".contains(c);
    path.chars()
        .map(|c| if plain(c) { c.to_string() } else { percent_encoded(&c.to_string()) })
        .collect()
}
