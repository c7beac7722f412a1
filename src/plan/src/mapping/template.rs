//! Templates, compiled.

use std::ops::Range;
use std::sync::Arc;

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::filters;
use super::variables::{Action, Root, Variables};
use crate::percent::percent_encoded;

/// So much work may one template be: a few thousand times what a real one is.
const FUEL: u64 = 1_000_000;

/// The variable that holds the value of a template that is one expression.
const VALUE: &str = "__value";

/// The variable that is the call itself.
const REQUEST: &str = "request";

/// Escapes each value for one segment of a path, or for a query.
const PATH: &str = "path";

/// A text with `{{ … }}` for values.
#[derive(Debug, Clone)]
pub struct Template {
    /// The text as it stands in the scenario: without secrets.
    pub written: Arc<str>,
    kind: Kind,
    /// Whether it speaks of the call that it is a part of.
    pub reads_request: bool,
}

#[derive(Debug, Clone)]
enum Kind {
    /// A text without values.
    Literal(Arc<str>),
    /// One expression, whose value keeps its type; the name of its template.
    Value(Arc<str>),
    /// The name of the template.
    Text(Arc<str>),
}

/// Where a template stands, which decides how its values are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// In a path or a query: each value is percent-encoded.
    Path,
    /// In a header, when the rest of the call is known.
    Header,
    /// Elsewhere: values stand as they are.
    Other,
}

/// A mistake in a template.
pub struct TemplateMistake {
    /// The bytes of the text, if they are known.
    pub span: Option<Range<usize>>,
    /// What is wrong.
    pub message: String,
}

/// Compiled templates.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    count: usize,
}

impl Default for Templates {
    /// No templates.
    fn default() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| {
            if name.starts_with(PATH) { AutoEscape::Custom(PATH.into()) } else { AutoEscape::None }
        });
        environment.set_formatter(format);
        environment.set_fuel(Some(FUEL));
        // Errors then know their place.
        environment.set_debug(true);
        filters::add(&mut environment);
        Self { environment, count: 0 }
    }
}

impl Templates {
    /// A text that is sent as it is.
    pub fn literal(written: &str, text: &str) -> Template {
        let kind = Kind::Literal(text.into());
        Template { written: written.into(), kind, reads_request: false }
    }

    /// Compiles a text.
    ///
    /// # Errors
    /// If it is no template.
    pub fn compile(
        &mut self,
        written: &str,
        text: &str,
        position: Position,
    ) -> Result<Template, TemplateMistake> {
        if !is_template(text) {
            return Ok(Self::literal(written, text));
        }
        self.count += 1;
        let prefix = if position == Position::Path { PATH } else { "text" };
        let name: Arc<str> = format!("{prefix}{}", self.count).into();
        let (source, kind) = match expression(text) {
            Some(expression) if position != Position::Path => {
                (format!("{}{expression} %}}", before()), Kind::Value(Arc::clone(&name)))
            }
            // The library takes away the end of the last line.
            _ if text.ends_with('\n') => (format!("{text}\n"), Kind::Text(Arc::clone(&name))),
            _ => (text.to_owned(), Kind::Text(Arc::clone(&name))),
        };
        let mut template = Template { written: written.into(), kind, reads_request: false };
        match self.environment.add_template_owned(name.to_string(), source) {
            Ok(()) => {
                let mut names = self.variables(&template).into_iter();
                template.reads_request = names.any(|name| name.split('.').next() == Some(REQUEST));
                Ok(template)
            }
            Err(error) => Err(template.mistake(&error, text)),
        }
    }

    /// The variables that a template uses, with their attributes: `context.weather`.
    pub fn variables(&self, template: &Template) -> Vec<String> {
        let Some(name) = template.name() else { return Vec::new() };
        let Ok(compiled) = self.environment.get_template(name) else { return Vec::new() };
        let is_global = |name: &String| {
            let root = name.split('.').next().unwrap_or_default();
            self.environment.globals().any(|(global, _)| global == root)
        };
        let mut names: Vec<String> = compiled.undeclared_variables(true).into_iter().collect();
        names.retain(|name| !is_global(name));
        names.sort();
        names
    }

    /// The text of a template.
    ///
    /// # Errors
    /// If it has no value.
    pub fn text(&self, template: &Template, root: &Value) -> Result<String, Error> {
        match &template.kind {
            Kind::Literal(text) => Ok(text.to_string()),
            Kind::Text(name) => self.environment.get_template(name)?.render(root.clone()),
            Kind::Value(_) => Ok(shown(&self.value(template, root)?)),
        }
    }

    /// The value of a template: of one expression its own, else a text.
    ///
    /// # Errors
    /// If it has none.
    pub fn value(&self, template: &Template, root: &Value) -> Result<Value, Error> {
        let Kind::Value(name) = &template.kind else {
            return self.text(template, root).map(Value::from);
        };
        let rendered = self.environment.get_template(name)?.render_captured(root.clone())?;
        match rendered.state().lookup(VALUE) {
            Some(value) if !value.is_undefined() => Ok(match value.downcast_object_ref() {
                Some(Action { id, .. }) => id.value(),
                None => value,
            }),
            _ => Err(Error::new(ErrorKind::UndefinedError, "the expression has no value")),
        }
    }
}

impl Template {
    /// Whether nothing has to be rendered.
    pub fn is_literal(&self) -> bool {
        matches!(self.kind, Kind::Literal(_))
    }

    fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Literal(_) => None,
            Kind::Value(name) | Kind::Text(name) => Some(name),
        }
    }

    /// A mistake of the library, at the bytes of the text of this template.
    pub fn mistake(&self, error: &Error, text: &str) -> TemplateMistake {
        // In the source of an expression other bytes stand before it.
        let shift = match &self.kind {
            Kind::Value(_) => before().len().saturating_sub(inner(text).start),
            _ => 0,
        };
        let moved = |at: usize| at.saturating_sub(shift).min(text.len());
        let span = error.range().map(|range| moved(range.start)..moved(range.end));
        let span = span.filter(|span| !span.is_empty());
        TemplateMistake { span, message: message(error) }
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

/// The variables as the root of templates.
pub fn root(variables: Variables) -> Value {
    Value::from_object(Root(variables))
}

/// What an error says, in one line.
pub(super) fn message(error: &Error) -> String {
    let text = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    text.replace('\n', " ")
}

/// Whether a text holds more than a text.
pub fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|begin| text.contains(begin))
}

/// What stands before an expression whose value is taken.
fn before() -> String {
    format!("{{% set {VALUE} =")
}

/// The bytes between the braces of a text that is one expression.
fn inner(text: &str) -> Range<usize> {
    2..text.len().saturating_sub(2).max(2)
}

/// The expression of a text that is nothing else.
fn expression(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("{{")?.strip_suffix("}}")?;
    let is_one = !inside.contains("{{") && !inside.contains("}}");
    // `-` beside the braces cuts space, of which there is none.
    let is_plain = !inside.starts_with(['-', '+']) && !inside.ends_with(['-', '+']);
    (is_one && is_plain).then_some(inside)
}

/// A value in a text: a text as it is, everything else in JSON.
pub(super) fn shown(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => match serde_json::to_value(value) {
            Ok(Json::String(text)) => text,
            Ok(json) => json.to_string(),
            Err(_) => value.to_string(),
        },
    }
}

fn format(output: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "the expression has no value"));
    }
    let text = shown(value);
    let is_path = matches!(state.auto_escape(), AutoEscape::Custom(_));
    let text = if is_path { percent_encoded(&text) } else { text };
    output.write_str(&text).map_err(Error::from)
}
