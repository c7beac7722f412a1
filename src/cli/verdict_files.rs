//! `--junit` and `--markdown`: verdicts for a CI server.

use std::path::PathBuf;

use clap::Args;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::error::Error;
use super::output_file;

/// Where verdicts go, beside stdout.
#[derive(Debug, Clone, Default, Args)]
pub struct VerdictFiles {
    /// Write the verdicts as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Append the verdicts as Markdown, such as for `$GITHUB_STEP_SUMMARY`.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

impl VerdictFiles {
    /// Whether there is a file that needs verdicts.
    pub fn needs_verdicts(&self) -> bool {
        self.junit.is_some()
    }

    /// Refuses `--junit` where nothing is judged: an empty suite is green.
    pub fn check(&self, key: &str, is_judged: bool) -> Result<(), Error> {
        if is_judged || !self.needs_verdicts() {
            return Ok(());
        }
        let error = Error::usage("nothing is judged, so there are no verdicts for `--junit`");
        Err(error.help(format!("add `{key}:` to the scenario")))
    }

    /// Writes the files that were asked for: a suite of these verdicts, and this Markdown.
    pub fn write(
        &self,
        suite: &str,
        rows: &[VerdictRow],
        markdown: impl FnOnce() -> String,
    ) -> Result<(), Error> {
        if let Some(path) = &self.junit {
            output_file::write(path, &junit(suite, rows))?;
        }
        if let Some(path) = &self.markdown {
            output_file::append(path, &markdown())?;
        }
        Ok(())
    }
}

/// A verdict as every format shows it.
#[derive(Debug, Clone)]
pub struct VerdictRow {
    /// What was judged: a gate or an expectation.
    pub name: String,
    /// Of whom: `cubic against default`, or the scenario.
    pub subject: String,
    /// The numbers that decided.
    pub observed: String,
    /// The verdict and its reason.
    pub words: String,
    /// What it means for the build.
    pub result: RowResult,
}

/// What a verdict means for a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowResult {
    /// What was asked for was shown.
    Passed,
    /// Nothing was shown, and that is no failure.
    Skipped,
    /// The opposite was shown, or nothing where that is a failure.
    Failed,
    /// There was nothing to judge.
    NotJudged,
}

/// JUnit XML: one suite, a case for each verdict.
fn junit(suite: &str, rows: &[VerdictRow]) -> String {
    let mut cases = TestSuite::new(plain(suite));
    for row in rows {
        let mut case = TestCase::new(plain(&row.name), status(row));
        case.set_classname(plain(&row.subject));
        case.set_system_out(plain(&row.observed));
        cases.add_test_case(case);
    }
    let mut report = Report::new("runner");
    report.add_test_suite(cases);
    report.to_string().expect("memory can be written")
}

fn status(row: &VerdictRow) -> TestCaseStatus {
    let mut status = match row.result {
        RowResult::Passed => return TestCaseStatus::success(),
        RowResult::Skipped => TestCaseStatus::skipped(),
        RowResult::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        RowResult::NotJudged => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    status.set_message(plain(&format!("{} {}", row.words, row.observed)));
    status
}

/// XML 1.0 has no control characters.
fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// A table in Markdown of at most about so many bytes; empty without verdicts.
pub fn markdown_table(what: &str, rows: &[VerdictRow], most: usize) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut text = format!("\n| {what} | of | observed | |\n|---|---|---|---|\n");
    for row in rows {
        let [name, subject, observed, words] =
            [&row.name, &row.subject, &row.observed, &row.words].map(|text| escaped_markdown(text));
        let line = format!("| {name} | {subject} | {observed} | **{words}** |\n");
        if text.len() + line.len() > most {
            return text + "| … | | | |\n";
        }
        text += &line;
    }
    text
}

/// A text in which nothing is markup.
pub fn escaped_markdown(text: &str) -> String {
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
