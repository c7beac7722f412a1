//! `--junit` and `--markdown`: an evaluation for a CI server.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::LogEvaluation;
use super::arguments::EvaluateArguments;
use super::gates::{GateOutcome, GateVerdict};
use super::json::shown;
use crate::cli::compare::{escaped_markdown, plain_xml};
use crate::cli::error::{Error, not_written};
use evaluation::analysis::{Findings, PolicyReport};
use evaluation::run::Origin;

/// Writes the files that are asked for.
pub fn write(arguments: &EvaluateArguments, evaluation: &LogEvaluation) -> Result<(), Error> {
    if let Some(path) = &arguments.junit {
        fs::write(path, junit(&evaluation.gates)).map_err(|error| not_written(path, &error))?;
    }
    if let Some(path) = &arguments.markdown {
        append(path, &markdown(evaluation)).map_err(|error| not_written(path, &error))?;
    }
    Ok(())
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

/// A suite for the evaluation, a case for each gate and policy. What fails a gate is a
/// failure, what could not be judged an error, and what is not decided is skipped, unless the
/// gate says that this is a failure.
fn junit(verdicts: &[GateVerdict]) -> String {
    let mut suite = TestSuite::new("runner evaluate");
    for verdict in verdicts {
        let mut case = TestCase::new(plain_xml(&verdict.gate), status(verdict));
        case.set_classname(plain_xml(&verdict.subject));
        case.set_system_out(plain_xml(&verdict.numbers()));
        suite.add_test_case(case);
    }
    let mut report = Report::new("runner evaluate");
    report.add_test_suite(suite);
    report.to_string().expect("memory can be written")
}

fn status(verdict: &GateVerdict) -> TestCaseStatus {
    let mut status = match &verdict.outcome {
        GateOutcome::Pass => return TestCaseStatus::success(),
        GateOutcome::Inconclusive if !verdict.inconclusive_fails => TestCaseStatus::skipped(),
        GateOutcome::NotJudged(_) => TestCaseStatus::non_success(NonSuccessKind::Error),
        GateOutcome::Fail | GateOutcome::Inconclusive => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
    };
    status.set_message(plain_xml(&format!("{} {}", verdict.words(), verdict.numbers())));
    status
}

/// The gates first, then what each policy would have earned.
fn markdown(evaluation: &LogEvaluation) -> String {
    let mut text = "## runner evaluate\n".to_owned();
    if !evaluation.gates.is_empty() {
        text += "\n| gate | policy | observed | |\n|---|---|---|---|\n";
    }
    for verdict in &evaluation.gates {
        let [gate, subject, words] =
            [&verdict.gate, &verdict.subject, &verdict.words()].map(|text| escaped_markdown(text));
        _ = writeln!(text, "| {gate} | {subject} | {} | **{words}** |", verdict.numbers());
    }
    let events = evaluation.found.summary.labelled;
    _ = writeln!(text, "\n{events} events\n");
    text += "| policy | reward | interval | vs online | interval | p | | effective |\n";
    text += "|---|---:|---|---:|---|---:|---|---:|\n";
    for report in &evaluation.reports {
        let held_out = report.held_out.as_ref().filter(|_| report.origin == Origin::Discovered);
        text += &row(evaluation, report, held_out.unwrap_or(&report.whole));
    }
    text
}

fn row(evaluation: &LogEvaluation, report: &PolicyReport, found: &Findings) -> String {
    let interval = |lower: f64, upper: f64| format!("[{lower:.4}, {upper:.4}]");
    let value = found.cressie_read.ok();
    let compared = found.to_online.and_then(|of| of.compared.ok()).map(|of| of.difference);
    let verdict = found.to_online.map(|of| {
        let word = shown(of.verdict(evaluation.analysis.confidence));
        of.reason().map_or(word.to_owned(), |why| format!("{word}: {why}"))
    });
    let p = found.to_online.and_then(|of| of.p_holm).map(|p| format!("{p:.4}"));
    let cells = [
        escaped_markdown(&report.name),
        value.map_or("–".to_owned(), |of| format!("{:.4}", of.value)),
        value.map_or(String::new(), |of| interval(of.lower, of.upper)),
        compared.map_or(String::new(), |of| format!("{:+.4}", of.value)),
        compared.map_or(String::new(), |of| interval(of.lower, of.upper)),
        p.unwrap_or_default(),
        escaped_markdown(&verdict.unwrap_or_default()),
        format!("{:.0}", found.overlap.effective_examples),
    ];
    format!("| {} |\n", cells.join(" | "))
}
