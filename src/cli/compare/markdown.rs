//! A comparison as Markdown that fits a step summary or a comment.

use std::fmt::Write as _;

use super::document::{ComparisonDocument, Section};
use super::gates;
use super::text::{p, partly_paired, signed, value, within, words};
use crate::cli::verdict_files::{escaped_markdown, markdown_table};
use comparison::{Comparison, Estimate};
use metrics::Term;

/// A comment holds 65,536 characters, and a step summary more.
const LARGEST: usize = 60_000;

/// The gates first, then what was compared; what would not fit is left out, and said.
pub fn markdown(document: &ComparisonDocument) -> String {
    let mut text = format!("## {}\n", escaped_markdown(&document.name));
    text += &markdown_table("gate", &gates::rows(&document.verdicts), LARGEST / 2);
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

fn section_text(section: &Section) -> String {
    let mut text = String::new();
    if let Some(title) = &section.title {
        _ = write!(text, "\n### {}\n", escaped_markdown(title));
    }
    if !section.remarks.is_empty() {
        text += "\n";
    }
    for remark in &section.remarks {
        _ = writeln!(text, "- {}", escaped_markdown(remark.trim()));
    }
    if let Some(same) = section.identical() {
        identical(&same, &mut text);
    } else {
        for (term, comparison) in &section.metrics {
            table(term, comparison, &mut text);
        }
    }
    text
}

/// One table with a row for each metric: no metric differs in any run.
fn identical(measured: &[(&Term, &Estimate)], text: &mut String) {
    *text += "\n| identical in every run | mean ± sd | runs |\n|---|---:|---:|\n";
    for (term, estimate) in measured {
        let value = value(estimate, term.definition().dimension);
        _ = writeln!(text, "| {} | {value} | {} |", escaped_markdown(term.text()), estimate.runs);
    }
}

fn table(term: &Term, comparison: &Comparison, text: &mut String) {
    let dimension = term.definition().dimension;
    let head =
        "mean ± sd | runs | difference | interval | p | |\n|---|---:|---:|---:|---|---:|---|";
    _ = writeln!(text, "\n| {} | {head}", escaped_markdown(term.text()));
    let estimate = |of: &Estimate| {
        format!("| {} | {} | {} ", escaped_markdown(&of.group), value(of, dimension), of.runs)
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
            escaped_markdown(&candidate.adjusted_p.map_or(String::new(), p)),
            escaped_markdown(&words),
        );
    }
    let notes = comparison
        .candidates
        .iter()
        .filter_map(|candidate| Some((&candidate.estimate.group, partly_paired(candidate)?)));
    for (group, note) in notes {
        _ = writeln!(text, "\n{}: {}", escaped_markdown(group), escaped_markdown(&note));
    }
}
