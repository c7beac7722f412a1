//! Gates as JUnit XML: a suite for the comparison, a case for each gate and policy.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::document::ComparisonDocument;
use super::gates;
use comparison::{GateOutcome, GateVerdict};

/// What fails a gate is a failure, what could not be measured an error, and what is not
/// decided is skipped, unless the gate says that this is a failure.
pub fn junit(document: &ComparisonDocument) -> String {
    let mut suite = TestSuite::new(plain(&document.name));
    for verdict in &document.verdicts {
        suite.add_test_case(case(verdict));
    }
    let mut report = Report::new("runner compare");
    report.add_test_suite(suite);
    // It is written to memory.
    report.to_string().unwrap_or_default()
}

fn case(verdict: &GateVerdict) -> TestCase {
    let mut case = TestCase::new(plain(&verdict.gate.to_string()), status(verdict));
    case.set_classname(plain(&gates::who(verdict)));
    case.set_system_out(plain(&gates::observed(verdict)));
    case
}

fn status(verdict: &GateVerdict) -> TestCaseStatus {
    let mut status = match &verdict.outcome {
        GateOutcome::Pass => return TestCaseStatus::success(),
        GateOutcome::Inconclusive(_) if !verdict.gate.inconclusive_fails => {
            TestCaseStatus::skipped()
        }
        GateOutcome::NotMeasured(_) => TestCaseStatus::non_success(NonSuccessKind::Error),
        GateOutcome::Fail | GateOutcome::Inconclusive(_) => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
    };
    status.set_message(plain(&format!("{} {}", gates::words(verdict), gates::observed(verdict))));
    status
}

/// XML 1.0 has no control characters.
pub fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
