use std::ops::Range;

use super::{Node, Value};
use diagnostic::{Diagnostic, Report};

/// The environment: the value of a variable, if it is set.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Resolves `${NAME}` and `${NAME:-default}` in every text; `$$` is a dollar sign. Works
/// on the tree, not on the file, so that no variable can change the structure.
pub(crate) fn interpolate(node: &mut Node, environment: Environment<'_>, report: &mut Report) {
    match &mut node.value {
        Value::List(items) => {
            items.iter_mut().for_each(|item| interpolate(item, environment, report));
        }
        Value::Map(entries) => {
            entries.iter_mut().for_each(|e| interpolate(&mut e.value, environment, report));
        }
        Value::Text(text) if text.contains('$') => match resolve(text, environment) {
            Ok(value) => node.value = value,
            Err(mistakes) => mistakes.into_iter().for_each(|mistake| {
                report.push(mistake.diagnostic.at(&node.place_within(mistake.span)));
            }),
        },
        _ => {}
    }
}

struct Mistake {
    span: Range<usize>,
    diagnostic: Diagnostic,
}

/// A part of a text.
enum Part<'a> {
    Literal(&'a str),
    Reference { name: &'a str, default: Option<&'a str> },
    Unfinished,
}

fn resolve(text: &str, environment: Environment<'_>) -> Result<Value, Vec<Mistake>> {
    let (mut resolved, mut references, mut mistakes) = (String::new(), 0, Vec::new());
    let mut at = 0;
    while at < text.len() {
        let (part, length) = part(&text[at..]);
        let span = at..at + length;
        at += length;
        match part {
            Part::Literal(literal) => resolved.push_str(literal),
            Part::Unfinished => mistakes.push(Mistake { span, diagnostic: unfinished() }),
            Part::Reference { name, default } => {
                references += 1;
                match environment(name).or_else(|| default.map(str::to_owned)) {
                    Some(value) => resolved.push_str(&value),
                    None => mistakes.push(Mistake { span, diagnostic: missing(name) }),
                }
            }
        }
    }
    match (mistakes.is_empty(), references) {
        (false, _) => Err(mistakes),
        (true, 0) => Ok(Value::Text(resolved)),
        (true, _) => Ok(Value::Interpolated(resolved)),
    }
}

fn missing(name: &str) -> Diagnostic {
    Diagnostic::error(format!("the environment has no `{name}`"))
        .help(format!("set it, or give a default if it is no secret: `${{{name}:-…}}`"))
}

fn unfinished() -> Diagnostic {
    Diagnostic::error("not a reference to the environment")
        .help("write `${NAME}` or `${NAME:-default}`; a dollar sign is written `$$`")
}

/// The first part of `text`, and its length in bytes.
fn part(text: &str) -> (Part<'_>, usize) {
    if text.starts_with("$$") {
        return (Part::Literal("$"), 2);
    }
    let Some(inner) = text.strip_prefix("${") else {
        let length = text.char_indices().skip(1).find(|(_, c)| *c == '$');
        let length = length.map_or(text.len(), |(at, _)| at);
        return (Part::Literal(&text[..length]), length);
    };
    let Some(end) = inner.find('}') else {
        return (Part::Unfinished, text.len());
    };
    let inside = &inner[..end];
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    let part = if is_name(name) { Part::Reference { name, default } } else { Part::Unfinished };
    (part, end + 3)
}

fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Option<(String, bool)> {
        let environment = |name: &str| (name == "A").then(|| "${B}".to_owned());
        match resolve(text, &environment) {
            Ok(Value::Text(text)) => Some((text, false)),
            Ok(Value::Interpolated(text)) => Some((text, true)),
            _ => None,
        }
    }

    #[test]
    fn references_defaults_and_dollars() {
        for (text, expected, referred) in [
            ("${A}", "${B}", true),
            ("x${A}y${B:-d}z", "x${B}ydz", true),
            ("${B:-}", "", true),
            ("$$A and $A and 5 $", "$A and $A and 5 $", false),
            ("$${A}", "${A}", false),
            ("é$é", "é$é", false),
        ] {
            assert_eq!(resolved(text), Some((expected.to_owned(), referred)), "{text}");
        }
    }

    #[test]
    fn missing_and_unfinished_references_are_mistakes() {
        for text in ["${B}", "${A", "${}", "${1A}", "${A B}", "${A}${B}"] {
            assert_eq!(resolved(text), None, "{text}");
        }
    }
}
