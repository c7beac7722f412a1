//! Policies that could not be replayed to the end.

use crate::cli::console::name;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use diagnostic::{Diagnostic, Report};
use evaluation::FailureCause;
use evaluation::run::PolicyFailure;

/// What is said of the policies that failed, if some did; the others are shown.
pub fn error(failures: &[PolicyFailure]) -> Option<Error> {
    let mut report = Report::new();
    for failure in failures {
        let message = format!("policy `{}` was not judged: {failure}", name(&failure.policy));
        report.push(Diagnostic::error(message).help(remedy(&failure.cause)));
    }
    let is_bug = |failure: &PolicyFailure| matches!(failure.cause, FailureCause::Panic(_));
    let exit = if failures.iter().any(is_bug) { Exit::Bug } else { Exit::Usage };
    report.has_errors().then(|| Error::from(report).with_exit(exit))
}

fn remedy(cause: &FailureCause) -> &'static str {
    match cause {
        FailureCause::Event(mismatch) => mismatch.remedy(),
        FailureCause::Unseen(why) => why.remedy(),
        FailureCause::Model(_) => "the other policies are shown; see `runner guide programs`",
        FailureCause::Logged(_) => {
            "expected the probability of the action taken, or a distribution over the actions"
        }
        FailureCause::Panic(_) => "this is a bug: report it with the policy and the event",
    }
}
