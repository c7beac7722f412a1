//! The verdicts of `expect:` as an exit code, a line and rows for a CI server.

use super::exit::Exit;
use super::verdict_files::{RowResult, VerdictRow, escaped_markdown, markdown_table};
use metrics::{Holds, Verdict};

/// The exit code of a run that completed.
pub fn exit(verdicts: &[Verdict]) -> Exit {
    if verdicts.iter().all(holds) { Exit::Done } else { Exit::Failed }
}

fn holds(verdict: &Verdict) -> bool {
    verdict.holds == Holds::Held
}

/// One line on the expectations that do not hold.
pub fn failure(verdicts: &[Verdict]) -> Option<String> {
    let failed: Vec<&Verdict> = verdicts.iter().filter(|verdict| !holds(verdict)).collect();
    let first = failed.first()?;
    let more = match failed.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    Some(format!(
        "{} of {} expectations do not hold: `{}`, observed {}{more}",
        failed.len(),
        verdicts.len(),
        first.text,
        observed(first)
    ))
}

/// The observed value, or why there is none.
pub fn observed(verdict: &Verdict) -> String {
    let nothing = || verdict.reason.clone().unwrap_or_else(|| "nothing".to_owned());
    verdict.observed.map_or_else(nothing, |quantity| quantity.to_string())
}

/// The expectations of a scenario for a CI server.
pub fn rows(scenario: &str, verdicts: &[Verdict]) -> Vec<VerdictRow> {
    let row = |verdict: &Verdict| {
        let (words, result) = match verdict.holds {
            Holds::Held => ("pass", RowResult::Passed),
            Holds::Failed => ("fail", RowResult::Failed),
            Holds::NoSamples => ("not judged", RowResult::NotJudged),
        };
        VerdictRow {
            name: verdict.text.clone(),
            subject: scenario.to_owned(),
            observed: observed(verdict),
            words: words.to_owned(),
            result,
        }
    };
    verdicts.iter().map(row).collect()
}

/// The expectations as Markdown that fits a step summary or a comment.
pub fn markdown(scenario: &str, rows: &[VerdictRow]) -> String {
    const LARGEST: usize = 60_000;
    let table = markdown_table("expectation", rows, LARGEST);
    format!("## {}\n{table}", escaped_markdown(scenario))
}
