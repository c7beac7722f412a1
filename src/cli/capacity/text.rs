use std::path::Path;

use super::quantity::rounded;
use super::{CapacityArguments, Found, Question};
use crate::cli::console::plural;
use crate::cli::exit::Exit;
use statistics::Limit;

/// What is said of a search.
pub struct CapacityReport<'a> {
    pub arguments: &'a CapacityArguments,
    pub question: &'a Question,
    pub found: &'a Found,
    pub exit: Exit,
}

impl CapacityReport<'_> {
    /// The limit, how it was found, and the verdict.
    pub fn text(&self, folder: &Path) -> String {
        let mut lines = vec![self.limit(), self.effort()];
        lines.extend(self.ends());
        if let Some(reason) = &self.found.unjudged {
            lines.push(format!("undecided: beyond the limit nothing was judged: {reason}"));
        }
        lines.extend(self.requirement());
        lines.push(format!("results: {}", folder.display()));
        lines.join("\n") + "\n"
    }

    fn limit(&self) -> String {
        let (question, found) = (self.question, self.found);
        let (vary, holds) = (&question.vary, question.expectation.text());
        let all = |side: fn(&Limit) -> bool| found.limits.iter().all(side);
        if all(|limit| matches!(limit, Limit::Below(_))) {
            let from = &question.from;
            return format!(
                "no limit found: `{holds}` does not hold at {vary} = {from}, the smallest value; \
                 search from a smaller one with `--from`"
            );
        }
        if all(|limit| matches!(limit, Limit::Above(_))) {
            let end = question.from.of(question.range.to);
            return format!(
                "no limit found: `{holds}` holds at {vary} = {end}, the largest value; search \
                 further with `--to`"
            );
        }
        let limit = question.from.of(found.limit);
        format!("`{holds}` holds up to {vary} = {limit}{}", self.interval())
    }

    fn interval(&self) -> String {
        let Some(interval) = self.found.interval else {
            return ", without an interval (it needs more `--repeats`)".to_owned();
        };
        let [lower, upper] = [interval.lower, interval.upper].map(|end| self.question.from.of(end));
        let percent = 100.0 * self.arguments.confidence.level();
        format!(" ({lower} to {upper} at {percent} % confidence)")
    }

    fn effort(&self) -> String {
        let runs = plural(self.found.trials.len() as u64, "run");
        let searches = match self.found.limits.len() {
            1 => "1 search".to_owned(),
            searches => format!("{searches} searches"),
        };
        let percent = rounded(100.0 * self.arguments.resolution);
        format!(
            "{runs} in {searches}; a value that holds and one that fails are \
             {percent} % apart at most"
        )
    }

    /// That some of the searches did not find the limit within the range.
    fn ends(&self) -> Option<String> {
        let limits = &self.found.limits;
        let ends = limits.iter().filter(|limit| !matches!(limit, Limit::Between(..))).count();
        (ends > 0 && ends < limits.len())
            .then(|| format!("{ends} of the searches ended at the smallest or the largest value"))
    }

    fn requirement(&self) -> Option<String> {
        let required = self.arguments.require.as_ref()?;
        let word = match self.exit {
            Exit::Done => "pass",
            Exit::Failed => "fail",
            _ => "undecided",
        };
        Some(format!("{word}: at least {required} is required"))
    }
}
