//! A comparison as OpenMetrics text (1.0), as GitLab shows it in a merge request.

use std::fmt::Write as _;

use super::document::ComparisonDocument;
use super::gates;
use comparison::{Comparison, Estimate};

/// The mean over runs of each metric of each group, the differences, and the gates: 1 for
/// a pass, 0 for what is none. In the order of the tables, so that equal comparisons are
/// equal texts.
pub fn openmetrics(document: &ComparisonDocument) -> String {
    let (mut means, mut differences) = (Family::default(), Family::default());
    for (term, comparison) in document.sections.iter().flat_map(|section| &section.metrics) {
        for estimate in estimates(comparison) {
            means.add(&estimate.group, term.text(), estimate.mean);
        }
        for candidate in &comparison.candidates {
            let difference = candidate.test.as_ref().map(|test| test.difference);
            differences.add(&candidate.estimate.group, term.text(), difference);
        }
    }
    let mut passes = Family::default();
    for verdict in &document.verdicts {
        let pass = f64::from(u8::from(gates::word(&verdict.outcome) == "pass"));
        passes.add(&verdict.candidate, &verdict.gate.to_string(), Some(pass));
    }
    means.text("runner_mean", "Mean over runs, in the unit of the metric")
        + &differences.text("runner_difference", "Group minus base")
        + &passes.text("runner_gate_pass", "1 for a pass, 0 for what is none")
        + "# EOF\n"
}

fn estimates(comparison: &Comparison) -> impl Iterator<Item = &Estimate> {
    let candidates = comparison.candidates.iter().map(|candidate| &candidate.estimate);
    [&comparison.base].into_iter().chain(candidates)
}

/// The samples of one gauge.
#[derive(Default)]
struct Family(Vec<(String, f64)>);

impl Family {
    /// Adds a sample; nothing, where there is none, or where it is there before.
    fn add(&mut self, group: &str, metric: &str, value: Option<f64>) {
        let labels = format!("{{group=\"{}\",metric=\"{}\"}}", escaped(group), escaped(metric));
        let is_new = self.0.iter().all(|(known, _)| *known != labels);
        self.0.extend(value.filter(|_| is_new).map(|value| (labels, value)));
    }

    fn text(&self, name: &str, help: &str) -> String {
        let mut text = format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
        for (labels, value) in &self.0 {
            // Writing to a text cannot fail.
            _ = writeln!(text, "{name}{labels} {value}");
        }
        text
    }
}

/// The value of a label.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
