//! The words of the arguments, and the options among them.

use std::ops::Range;

use super::options::{OPTIONS, OptionSpec};

/// A word of the arguments.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub text: &'a str,
    pub span: Range<usize>,
}

/// The words, one after the other.
pub(super) struct Words<'a> {
    arguments: &'a str,
    position: usize,
}

impl<'a> Words<'a> {
    pub fn new(arguments: &'a str) -> Self {
        Self { arguments, position: 0 }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = &self.arguments[self.position..];
        let start = self.position + rest.find(|c: char| !c.is_whitespace())?;
        let rest = &self.arguments[start..];
        let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
        self.position = start + length;
        Some(Token { text: &rest[..length], span: start..start + length })
    }
}

/// An option as it is given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Given {
    /// The long name.
    pub name: &'static str,
    pub value: Option<String>,
}

/// The options that are given, in their order; what is none is left out.
pub(crate) fn given(arguments: &str) -> Vec<Given> {
    let (mut words, mut all) = (Words::new(arguments), Vec::new());
    while let Some(token) = words.next() {
        let Some((name, inline)) = split_option(&token) else { continue };
        let Some(spec) = find(name.text) else { continue };
        let value = match (spec.value, inline) {
            (None, _) => None,
            (Some(_), Some(value)) => Some(value),
            (Some(_), None) => words.next(),
        };
        let value = value.map(|value| value.text.to_owned());
        all.push(Given { name: spec.name, value });
    }
    all
}

/// `--name`, `--name=value`, `-x` or `-xvalue` into name and value.
pub(super) fn split_option<'a>(token: &Token<'a>) -> Option<(Token<'a>, Option<Token<'a>>)> {
    let text = token.text;
    let at = if text.starts_with("--") {
        text.find('=').map(|at| (at, at + 1))
    } else {
        let is_option =
            text.len() >= 2 && text.starts_with('-') && !text.as_bytes()[1].is_ascii_digit();
        is_option.then_some(())?;
        let name_length = 1 + text[1..].chars().next()?.len_utf8();
        (text.len() > name_length).then_some((name_length, name_length))
    };
    let part = |range: Range<usize>| Token {
        text: &text[range.clone()],
        span: token.span.start + range.start..token.span.start + range.end,
    };
    Some(match at {
        Some((end, start)) => (part(0..end), Some(part(start..text.len()))),
        None => (token.clone(), None),
    })
}

pub(super) fn find(name: &str) -> Option<&'static OptionSpec> {
    let long = name.strip_prefix("--");
    let letter = name.strip_prefix('-').and_then(|name| name.chars().next());
    OPTIONS.iter().find(|spec| match long {
        Some(long) => spec.name == long,
        None => letter.is_some() && spec.short == letter,
    })
}
