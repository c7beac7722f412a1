//! Learning policies in a file of their own: lines of `NAME = ARGUMENTS`, or learning
//! settings as the service exports them.

use std::ops::Range;
use std::sync::Arc;

use super::document::{Node, Value};
use super::format::Reading;
use super::model;
use diagnostic::{Diagnostic, Place, Report, Source};
use learner::LearningPolicy;
use plan::NamedPolicy;
use protocol::PolicyContract;

/// A learning policy as it is written.
pub(super) struct Written {
    /// Its name: the arguments, if it has none.
    pub name: String,
    /// Its arguments.
    pub place: Place,
}

/// The learning policies of a text.
pub fn policies(source: &Arc<Source>, report: &mut Report) -> Vec<NamedPolicy> {
    let written = written(source, report);
    written.into_iter().filter_map(|written| parsed(written, report)).collect()
}

/// The learning policy `[NAME=]ARGUMENTS`.
pub fn policy(source: &Arc<Source>, report: &mut Report) -> Option<NamedPolicy> {
    parsed(one(source, 0..source.text().len()), report)
}

/// The learning policies of a text, not parsed.
pub(super) fn written(source: &Arc<Source>, report: &mut Report) -> Vec<Written> {
    if source.text().trim_start().starts_with(['{', '[']) {
        return of_json(source, report);
    }
    let mut written = Vec::new();
    let mut start = 0;
    for line in source.text().split_inclusive('\n') {
        let content = line.trim();
        if !content.is_empty() && !content.starts_with('#') {
            let from = start + line.find(content).unwrap_or(0);
            written.push(one(source, from..from + content.len()));
        }
        start += line.len();
    }
    written
}

/// Arguments begin with a dash, names do not.
fn one(source: &Arc<Source>, span: Range<usize>) -> Written {
    let text = &source.text()[span.clone()];
    let name_end = text.find('=').filter(|_| !text.trim_start().starts_with('-'));
    let rest = name_end.map_or(0, |end| end + 1);
    let arguments = text[rest..].trim();
    let start = span.start + rest + text[rest..].find(arguments).unwrap_or(0);
    let name = name_end.map_or(arguments, |end| text[..end].trim()).to_owned();
    Written { name, place: Place::new(source, start..start + arguments.len()) }
}

/// Learning settings as the service exports them: one or several.
fn of_json(source: &Arc<Source>, report: &mut Report) -> Vec<Written> {
    let one = serde_json::from_str(source.text()).map(|contract: PolicyContract| vec![contract]);
    let contracts = one.or_else(|_| serde_json::from_str::<Vec<PolicyContract>>(source.text()));
    match contracts {
        Ok(contracts) => {
            contracts.into_iter().map(|contract| of_contract(source, contract)).collect()
        }
        Err(error) => {
            let message = format!("`{}` contains no learning settings: {error}", source.path());
            let help = r#"expected {"name": "…", "arguments": "--cb_explore_adf …"}, or a list"#;
            report.push(Diagnostic::error(message).help(help));
            Vec::new()
        }
    }
}

/// Arguments in JSON may be escaped: they are shown as a text of their own.
fn of_contract(source: &Source, contract: PolicyContract) -> Written {
    let arguments = Source::new(source.path(), contract.arguments);
    let length = arguments.text().len();
    Written { name: contract.name, place: Place::new(&arguments, 0..length) }
}

fn parsed(written: Written, report: &mut Report) -> Option<NamedPolicy> {
    let Written { name, place } = written;
    if place.text().starts_with('{') {
        let mut reading = Reading::new(report, None);
        let text = Node { value: Value::Text(place.text().to_owned()), place };
        let policy = reading.document(&model::policy(), &text, "the learning policy")?;
        return Some(NamedPolicy { name, policy });
    }
    match LearningPolicy::parse_for_evaluation(place.text()) {
        Ok(policy) => {
            note_dropped(&place, &policy, report);
            Some(NamedPolicy { name, policy: policy.into() })
        }
        Err(errors) => {
            for error in errors {
                let within = place.span.start + error.span.start..place.span.start + error.span.end;
                let mistake = Diagnostic::error(error.message).within(&place.source, within);
                report.push(mistake.maybe_help(error.help));
            }
            None
        }
    }
}

fn note_dropped(place: &Place, policy: &LearningPolicy, report: &mut Report) {
    if !policy.dropped().is_empty() {
        let dropped = policy.dropped().join(" ");
        let message = format!(
            "{}: `{dropped}` controls the program Vowpal Wabbit, not learning",
            place.source.path()
        );
        report.push(Diagnostic::warning(message).help("leave it out; it has no effect here"));
    }
}
