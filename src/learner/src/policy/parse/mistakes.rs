//! What is wrong with an option, in words.

use std::ops::Range;

use super::Parser;
use crate::policy::PolicyError;
use crate::policy::options::{OPTIONS, OptionSpec, Support};
use crate::policy::tokens::Token;

impl PolicyError {
    /// At its place where so many bytes stand before.
    pub(super) fn after(self, bytes: usize) -> Self {
        Self { span: self.span.start + bytes..self.span.end + bytes, ..self }
    }
}

impl Parser<'_> {
    pub(super) fn refuse(&mut self, span: Range<usize>, message: String, help: Option<String>) {
        self.errors.push(PolicyError { span, message, help });
    }

    pub(super) fn refuse_unknown(&mut self, name: &Token<'_>) {
        let message = format!("`{}` is no option of a learning policy", name.text);
        let supported = OPTIONS.iter().filter(|spec| spec.support == Support::Full);
        let typed = name.text.trim_start_matches('-');
        let distance = |spec: &&OptionSpec| strsim::damerau_levenshtein(spec.name, typed);
        let near = supported.min_by_key(distance).filter(|spec| distance(spec) * 3 <= typed.len());
        self.refuse(
            name.span.clone(),
            message,
            near.map(|spec| format!("did you mean `--{}`?", spec.name)),
        );
    }

    pub(super) fn refuse_value(&mut self, spec: &OptionSpec, value: &Token<'_>) {
        let message = format!("`--{}` takes no value, found `{}`", spec.name, value.text);
        self.refuse(value.span.clone(), message, None);
    }

    pub(super) fn refuse_missing(&mut self, spec: &OptionSpec, what: &str, token: &Token<'_>) {
        let message = format!("`--{}` needs a value", spec.name);
        self.refuse(token.span.clone(), message, Some(format!("write `--{} {what}`", spec.name)));
    }
}

/// What to do where an option of `runner evaluate` cannot be used.
pub(super) fn remedy(name: &str) -> &'static str {
    if name == "cb_explore" {
        "use `--cb_explore_adf`: requests tell actions apart by their ids, not by their numbers"
    } else {
        "leave it out here"
    }
}
