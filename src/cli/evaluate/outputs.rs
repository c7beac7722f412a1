//! `--junit` and `--markdown`: an evaluation for a CI server.

use std::fmt::Write as _;

use super::gates;
use super::json::shown;
use super::judge::LogEvaluation;
use super::text::{number, signed};
use crate::cli::error::Error;
use crate::cli::verdict_files::{VerdictFiles, escaped_markdown, markdown_table};
use evaluation::analysis::{Findings, PolicyReport};
use evaluation::run::Origin;

/// Writes the files that are asked for.
pub fn write(files: &VerdictFiles, evaluation: &LogEvaluation) -> Result<(), Error> {
    files.write("runner evaluate", &gates::rows(&evaluation.gates), || markdown(evaluation))
}

/// A comment holds 65,536 characters.
const LARGEST_TABLE: usize = 30_000;

/// The gates first, then what each policy would have earned.
fn markdown(evaluation: &LogEvaluation) -> String {
    let mut text = "## runner evaluate\n".to_owned();
    text += &markdown_table("gate", &gates::rows(&evaluation.gates), LARGEST_TABLE);
    let events = evaluation.found.summary.labelled;
    _ = writeln!(text, "\n{events} events\n");
    text += "| policy | reward | interval | vs online | interval | p | | effective |\n";
    text += "|---|---:|---|---:|---|---:|---|---:|\n";
    for report in &evaluation.reports {
        let held_out = report.held_out.as_ref().filter(|_| report.origin == Origin::Discovered);
        text += &row(evaluation, report, held_out.unwrap_or(&report.whole));
    }
    for failure in &evaluation.found.failures {
        let [policy, why] =
            [&failure.policy, &failure.to_string()].map(|text| escaped_markdown(text));
        _ = writeln!(text, "| {policy} | – | | | | | **not judged: {why}** | |");
    }
    text
}

fn row(evaluation: &LogEvaluation, report: &PolicyReport, found: &Findings) -> String {
    let interval = |lower: f64, upper: f64| format!("[{}, {}]", number(lower), number(upper));
    let value = found.cressie_read.ok();
    let compared = found.to_online.and_then(|of| of.compared.ok()).map(|of| of.difference);
    let verdict = found.to_online.map(|of| {
        let word = shown(of.verdict(evaluation.analysis.confidence));
        of.reason().map_or(word.to_owned(), |why| format!("{word}: {why}"))
    });
    let p = found.to_online.and_then(|of| of.p_holm).map(|p| format!("{p:.4}"));
    let cells = [
        escaped_markdown(&report.name),
        value.map_or("–".to_owned(), |of| number(of.value)),
        value.map_or(String::new(), |of| interval(of.lower, of.upper)),
        compared.map_or(String::new(), |of| signed(of.value)),
        compared.map_or(String::new(), |of| interval(of.lower, of.upper)),
        p.unwrap_or_default(),
        escaped_markdown(&verdict.unwrap_or_default()),
        format!("{:.0}", found.overlap.effective_examples),
    ];
    format!("| {} |\n", cells.join(" | "))
}
