//! A comparison as Markdown that fits a step summary or a comment.

use std::fmt::Write as _;

use super::document::{ComparisonDocument, Section};
use super::gates;
use super::text::{p, partly_paired, signed, value, within, words};
use comparison::{Comparison, Estimate};
use metrics::Term;

/// A comment holds 65,536 characters, and a step summary more.
const LARGEST: usize = 60_000;

/// The gates first, then what was compared; what would not fit is left out, and said.
pub fn markdown(document: &ComparisonDocument) -> String {
    let mut text = format!("## {}\n", escaped(&document.name));
    gate_table(document, &mut text);
    let mut left_out = 0;
    for section in &document.sections {
        let section = section_text(section);
        if text.len() + section.len() > LARGEST {
            left_out += 1;
        } else {
            text += &section;
        }
    }
    if left_out > 0 {
        _ = writeln!(text, "\n{left_out} more tables do not fit here: run `runner compare`.");
    }
    text
}

fn gate_table(document: &ComparisonDocument, text: &mut String) {
    if document.verdicts.is_empty() {
        return;
    }
    *text += "\n| gate | policy | observed | |\n|---|---|---|---|\n";
    for verdict in &document.verdicts {
        let gate = escaped(&verdict.gate.to_string());
        let (who, words) = (escaped(&gates::who(verdict)), escaped(&gates::words(verdict)));
        let row = format!("| {gate} | {who} | {} | **{words}** |\n", gates::observed(verdict));
        if text.len() + row.len() > LARGEST / 2 {
            *text += "| … | | | |\n";
            return;
        }
        *text += &row;
    }
}

fn section_text(section: &Section) -> String {
    let mut text = String::new();
    if let Some(title) = &section.title {
        _ = write!(text, "\n### {}\n", escaped(title));
    }
    if !section.remarks.is_empty() {
        text += "\n";
    }
    for remark in &section.remarks {
        _ = writeln!(text, "- {}", escaped(remark.trim()));
    }
    for (term, comparison) in &section.metrics {
        table(term, comparison, &mut text);
    }
    text
}

fn table(term: &Term, comparison: &Comparison, text: &mut String) {
    let dimension = term.definition().dimension;
    let head =
        "mean ± sd | runs | difference | interval | p | |\n|---|---:|---:|---:|---|---:|---|";
    _ = writeln!(text, "\n| {} | {head}", escaped(term.text()));
    let estimate = |of: &Estimate| {
        format!("| {} | {} | {} ", escaped(&of.group), value(of, dimension), of.runs)
    };
    _ = writeln!(text, "{}| | | | base |", estimate(&comparison.base));
    for candidate in &comparison.candidates {
        let tested = candidate.test.as_ref();
        let difference = tested.map(|of| signed(of.difference, dimension));
        let interval = tested.and_then(|of| of.interval).map(|of| within(of, dimension));
        let (words, _) = words(candidate, dimension);
        _ = writeln!(
            text,
            "{}| {} | {} | {} | {} |",
            estimate(&candidate.estimate),
            difference.unwrap_or_default(),
            interval.unwrap_or_default(),
            escaped(&candidate.adjusted_p.map_or(String::new(), p)),
            escaped(&words),
        );
    }
    let notes = comparison
        .candidates
        .iter()
        .filter_map(|candidate| Some((&candidate.estimate.group, partly_paired(candidate)?)));
    for (group, note) in notes {
        _ = writeln!(text, "\n{}: {}", escaped(group), escaped(&note));
    }
}

/// A text in which nothing is markup.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '~' => {
                escaped.push('\\');
                escaped.push(character);
            }
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}
