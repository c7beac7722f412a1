//! Learning policies that stand in a scenario.

use super::document::Node;
use diagnostic::{Diagnostic, Report};
use learner::LearningPolicy;

/// What the service accepts.
const LONGEST_ARGUMENTS: usize = 1024;
const LONGEST_NAME: usize = 256;

/// Parses the arguments that are the text of `node`; mistakes are shown where they
/// stand in it.
pub(super) fn parse(node: &Node, report: &mut Report) -> Option<LearningPolicy> {
    let text = node.text()?;
    if text.chars().count() > LONGEST_ARGUMENTS {
        let message = format!("learning policies have at most {LONGEST_ARGUMENTS} characters");
        report.push(Diagnostic::error(message).at(&node.place));
    }
    match LearningPolicy::parse(text) {
        Ok(policy) => Some(policy),
        Err(errors) => {
            for error in errors {
                let place = node.place_within(error.span);
                report.push(Diagnostic::error(error.message).at(&place).maybe_help(error.help));
            }
            None
        }
    }
}

/// Refuses names that the service refuses.
pub(super) fn check_name(name: &str, diagnose: impl Fn(String) -> Diagnostic, report: &mut Report) {
    if name.chars().count() > LONGEST_NAME {
        report.push(diagnose(format!("names of policies have at most {LONGEST_NAME} characters")));
    }
    if is_reserved(name) {
        report.push(diagnose(format!("the evaluation has a row `{name}` of its own")));
    }
}

/// Names of rows that every evaluation has, or that discovery makes.
pub(super) fn is_reserved(name: &str) -> bool {
    ["online", "baseline1", "baselinerand"].contains(&&*name.to_lowercase()) || is_discovered(name)
}

/// Names that discovery gives to what it finds: `Hyper1`, `Inter-len2`.
pub(super) fn is_discovered(name: &str) -> bool {
    let name = name.to_lowercase();
    let number = name.strip_prefix("hyper").or_else(|| name.strip_prefix("inter-len"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}
