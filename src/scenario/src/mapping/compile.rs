//! Compiles the templates of a scenario, each mistake at its place.

use std::ops::Range;

use minijinja::ErrorKind;

use super::known::{Known, Stage};
use crate::document::{Node, Value};
use diagnostic::{Diagnostic, Place, Report, nearest};
use plan::Secret;
use plan::mapping::call::Tree;
use plan::mapping::filters;
use plan::mapping::template::{self, Position, Template, TemplateMistake, Templates, is_template};
use plan::mapping::variables::Variables;

/// Filters of minijinja that are often meant, for "did you mean".
const USUAL_FILTERS: [&str; 14] = [
    "tojson", "length", "int", "float", "round", "lower", "upper", "join", "default", "map",
    "first", "last", "string", "replace",
];

/// Compiles templates, and tries each on samples of its variables.
pub(super) struct Compiler<'r> {
    pub templates: Templates,
    pub known: Known,
    pub secrets: Vec<Secret>,
    pub has_vectors: bool,
    pub report: &'r mut Report,
}

/// Where templates stand, and variables to try them on.
#[derive(Clone, Copy)]
pub(super) struct Setting<'a> {
    pub stage: Stage,
    pub samples: &'a [Variables],
}

impl Compiler<'_> {
    /// The template of a scalar.
    pub fn template(
        &mut self,
        node: &Node,
        position: Position,
        setting: Setting<'_>,
    ) -> Option<Template> {
        let text = scalar(node)?;
        self.compile(node, &text, 0, position, setting)
    }

    /// The template of an expression, with braces around it or without.
    pub fn expression(&mut self, node: &Node, setting: Setting<'_>) -> Option<Template> {
        let text = scalar(node)?;
        if is_template(&text) {
            return self.compile(node, &text, 0, Position::Other, setting);
        }
        let (before, after) = ("{{ ", " }}");
        let whole = format!("{before}{text}{after}");
        self.compile(node, &whole, before.len(), Position::Other, setting)
    }

    /// A tree whose texts are templates.
    pub fn tree(&mut self, node: &Node, setting: Setting<'_>) -> Option<Tree> {
        match &node.value {
            Value::Null => Some(Tree::Fixed(serde_json::Value::Null)),
            Value::Bool(value) => Some(Tree::Fixed((*value).into())),
            Value::Number(number) => Some(Tree::Fixed(number.clone().into())),
            Value::NotFinite => {
                let message = "JSON has no such number";
                self.report.push(Diagnostic::error(message).at(&node.place));
                None
            }
            Value::Text(_) | Value::Interpolated(_) => {
                self.template(node, Position::Other, setting).map(Tree::Text)
            }
            Value::List(items) => {
                let items: Vec<Option<Tree>> =
                    items.iter().map(|item| self.tree(item, setting)).collect();
                items.into_iter().collect::<Option<_>>().map(Tree::List)
            }
            Value::Map(entries) => {
                let entries: Vec<Option<(String, Tree)>> = entries
                    .iter()
                    .map(|entry| Some((entry.key.clone(), self.tree(&entry.value, setting)?)))
                    .collect();
                entries.into_iter().collect::<Option<_>>().map(Tree::Map)
            }
        }
    }

    /// Compiles `text`, of which the text of `node` begins at byte `shift`.
    fn compile(
        &mut self,
        node: &Node,
        text: &str,
        shift: usize,
        position: Position,
        setting: Setting<'_>,
    ) -> Option<Template> {
        let is_secret = is_secret(node);
        if is_secret {
            self.secrets.push(Secret::new(text));
        }
        let written = if is_secret { node.place.text().to_owned() } else { text.to_owned() };
        // A value of the environment is no template, whatever it holds.
        if matches!(node.value, Value::Interpolated(_)) && !is_template(node.place.text()) {
            return Some(Templates::literal(&written, text));
        }
        let spot = TemplateSpot { node, text, shift };
        let template = match self.templates.compile(&written, text, position) {
            Ok(template) => template,
            Err(mistake) => {
                self.report.push(spot.diagnostic(&mistake));
                return None;
            }
        };
        self.has_vectors |= ["one_hot", "numbers"].iter().any(|filter| text.contains(filter));
        let variables = self.templates.variables(&template);
        let is_known = self.check_names(&variables, &spot, setting.stage, position);
        let is_right = is_known && self.try_on(&template, &variables, &spot, setting);
        is_right.then_some(template)
    }

    /// Reports variables that have no value.
    fn check_names(
        &mut self,
        variables: &[String],
        spot: &TemplateSpot<'_>,
        stage: Stage,
        position: Position,
    ) -> bool {
        let mut is_known = true;
        for variable in variables {
            let Some(unknown) = self.known.unknown(variable, stage, position) else { continue };
            let place = spot.place_of(variable);
            self.report.push(Diagnostic::error(unknown.message).at(&place).help(unknown.help));
            is_known = false;
        }
        is_known
    }

    /// Renders the template for the samples. What depends on answers cannot be tried.
    fn try_on(
        &mut self,
        template: &Template,
        variables: &[String],
        spot: &TemplateSpot<'_>,
        setting: Setting<'_>,
    ) -> bool {
        if template.is_literal() {
            return true;
        }
        let is_taken = |name: &String| {
            let root = name.split('.').next().unwrap_or_default();
            ["event", "probability", "session", "setup"].contains(&root)
        };
        let depends_on_answers = setting.stage == Stage::Answer || variables.iter().any(is_taken);
        for sample in setting.samples {
            let Err(error) = self.templates.value(template, &template::root(sample.clone())) else {
                continue;
            };
            let is_unknown = matches!(
                error.kind(),
                ErrorKind::UnknownFilter | ErrorKind::UnknownFunction | ErrorKind::UnknownTest
            );
            if depends_on_answers && !is_unknown {
                continue;
            }
            let mistake = template.mistake(&error, spot.text);
            let diagnostic = spot.diagnostic(&mistake);
            self.report.push(diagnostic.maybe_help(filter_help(&error)));
            return false;
        }
        true
    }
}

/// A template and where it stands.
struct TemplateSpot<'a> {
    node: &'a Node,
    /// What is compiled.
    text: &'a str,
    /// The byte of it at which the text of the node begins.
    shift: usize,
}

impl TemplateSpot<'_> {
    fn diagnostic(&self, mistake: &TemplateMistake) -> Diagnostic {
        let place = match &mistake.span {
            Some(span) => self.place(span.clone()),
            None => self.node.place.clone(),
        };
        Diagnostic::error(mistake.message.clone()).at(&place)
    }

    fn place(&self, span: Range<usize>) -> Place {
        let length = self.node.text().map_or(0, str::len);
        let moved = |at: usize| at.saturating_sub(self.shift).min(length);
        // What ends too early is shown at its last letter.
        let end = moved(span.end);
        self.node.place_within(moved(span.start).min(end.saturating_sub(1))..end)
    }

    /// Where a variable is used first.
    fn place_of(&self, variable: &str) -> Place {
        let root = variable.split('.').next().unwrap_or_default();
        let found = word(self.text, variable).or_else(|| word(self.text, root));
        found.map_or_else(|| self.node.place.clone(), |span| self.place(span))
    }
}

/// The first place where a word stands that is no part of another, behind `{`.
fn word(text: &str, word: &str) -> Option<Range<usize>> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let from = text.find('{').unwrap_or(0);
    let found = text[from..].match_indices(word).map(|(at, _)| from + at);
    let mut alone = found.filter(|at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(|c| is_part(c) || c == '.') && !after.is_some_and(is_part)
    });
    alone.next().map(|at| at..at + word.len())
}

fn filter_help(error: &minijinja::Error) -> Option<String> {
    if error.kind() != ErrorKind::UnknownFilter {
        return None;
    }
    let name = error.detail()?.split(' ').nth(1)?;
    Some(match nearest(name, filters::NAMES.into_iter().chain(USUAL_FILTERS)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("filters are `{}` and those of minijinja", filters::NAMES.join("`, `")),
    })
}

/// A scalar as text.
fn scalar(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) | Value::Interpolated(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// What comes from the environment without a default is a secret.
fn is_secret(node: &Node) -> bool {
    matches!(node.value, Value::Interpolated(_)) && !node.place.text().contains(":-")
}
