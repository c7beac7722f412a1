//! Expectations of every phase with some tags: `{region: eu}.rank.p99 < 50ms`.

use std::ops::Range;

use super::parse;
use super::{Expectation, ExpectationError, PhaseScope};

type Failure = Vec<ExpectationError>;

/// One expectation of each phase that has the tags in braces; the one that is written, if there
/// are no braces.
pub(super) fn parse(text: &str, phases: &[PhaseScope<'_>]) -> Result<Vec<Expectation>, Failure> {
    let start = text.len() - text.trim_start().len();
    let Some(inner) = text[start..].strip_prefix('{') else {
        return parse::parse(text, phases).map(|expectation| vec![expectation]);
    };
    let Some(length) = inner.find('}') else {
        return Err(failure(start..text.len(), "these braces have no end", "add `}`".to_owned()));
    };
    let selector = start..start + length + 2;
    let wanted = wanted(&inner[..length], start + 1)?;
    let has = |phase: &&PhaseScope<'_>| {
        let mut wanted = wanted.iter();
        phase.iterations.is_some()
            && wanted.all(|(name, value)| phase.tags.get(*name).is_some_and(|own| own == value))
    };
    let chosen: Vec<_> = phases.iter().filter(has).collect();
    if chosen.is_empty() {
        let message = format!("no phase has the tags `{}`", text[selector.clone()].trim());
        return Err(failure(selector, &message, tags_of(phases)));
    }
    let rest = &text[selector.end..];
    if !rest.starts_with('.') {
        let help = "write the metric behind them, such as `{region: eu}.rank.p99`".to_owned();
        return Err(failure(selector, "these tags have no metric", help));
    }
    chosen.into_iter().map(|phase| of_phase(phase.name, rest, &selector, phases)).collect()
}

/// The expectation of one phase; mistakes are shown in the text with braces.
fn of_phase(
    name: &str,
    rest: &str,
    selector: &Range<usize>,
    phases: &[PhaseScope<'_>],
) -> Result<Expectation, Failure> {
    let at = |position: usize, within: usize| match position.checked_sub(name.len()) {
        Some(behind) if behind > 0 => selector.end + behind,
        _ => within,
    };
    parse::parse(&format!("{name}{rest}"), phases).map_err(|errors| {
        let shown = |error: ExpectationError| ExpectationError {
            span: at(error.span.start, selector.start)..at(error.span.end, selector.end),
            ..error
        };
        errors.into_iter().map(shown).collect()
    })
}

/// The tags between the braces, which begin at byte `start`.
fn wanted(text: &str, start: usize) -> Result<Vec<(&str, &str)>, Failure> {
    let mut at = start;
    let tag = |part| {
        let span = at..at + str::len(part);
        at = span.end + 1;
        let tag = part.split_once(':').map(|(name, value)| (name.trim(), value.trim()));
        tag.filter(|(name, value)| !name.is_empty() && !value.is_empty()).ok_or_else(|| {
            let message = format!("`{}` is not a tag", part.trim());
            failure(span, &message, "write `{region: eu}`".to_owned())
        })
    };
    text.split(',').map(tag).collect()
}

/// Which tags there are.
fn tags_of(phases: &[PhaseScope<'_>]) -> String {
    let tags = phases.iter().flat_map(|phase| phase.tags);
    let mut tags: Vec<_> = tags.map(|(name, value)| format!("`{name}: {value}`")).collect();
    tags.sort();
    tags.dedup();
    if tags.is_empty() {
        "give phases `tags`, such as `tags: { region: eu }`".to_owned()
    } else {
        format!("tags are {}", tags.join(", "))
    }
}

fn failure(span: Range<usize>, message: &str, help: String) -> Failure {
    vec![ExpectationError { span, message: message.to_owned(), help: Some(help) }]
}
