//! A comparison with its verdicts, which every output format renders.

use super::gates;
use super::markdown::markdown;
use crate::cli::error::Error;
use crate::cli::exit::Exit;
use crate::cli::verdict_files::VerdictFiles;
use comparison::{Comparison, Estimate, Finding, GateOutcome, GateVerdict};
use metrics::Term;
use statistics::Confidence;

/// A comparison and its gate verdicts.
pub struct ComparisonDocument {
    /// The name of the scenario.
    pub name: String,
    /// The comparisons, one for each base.
    pub sections: Vec<Section>,
    /// The gate verdicts.
    pub verdicts: Vec<GateVerdict>,
    /// The confidence level of the intervals.
    pub confidence: Confidence,
    /// The difference for which seeds are planned, as written.
    pub detect: Option<String>,
    /// Whether every run that was planned exists.
    pub is_complete: bool,
}

/// A base and the groups that are compared with it.
pub struct Section {
    /// The heading: the policy, where several are compared.
    pub title: Option<String>,
    /// Lines above the tables.
    pub remarks: Vec<String>,
    /// The comparison by each metric.
    pub metrics: Vec<(Term, Comparison)>,
}

impl Section {
    /// What was measured of the base by each metric, where its only candidate has the same in
    /// every run and nothing is to be noted.
    pub fn identical(&self) -> Option<Vec<(&Term, &Estimate)>> {
        let same = self.metrics.iter().map(|(term, comparison)| {
            let [candidate] = &comparison.candidates[..] else { return None };
            let noted = |of: &Estimate| of.censored > 0 || !of.missing.is_empty();
            let is_same = candidate.finding == Finding::Identical
                && !noted(&comparison.base)
                && !noted(&candidate.estimate);
            is_same.then_some((term, &comparison.base))
        });
        same.collect()
    }
}

impl ComparisonDocument {
    /// Takes every gate verdict back, for this reason.
    pub fn refuse(&mut self, reason: &str) {
        let outcome = GateOutcome::NotMeasured(reason.to_owned());
        self.verdicts.iter_mut().for_each(|verdict| verdict.outcome = outcome.clone());
    }

    /// The exit code of the gates. Gates on incomplete results are not judged.
    pub fn exit(&self) -> Exit {
        if !self.is_complete && !self.verdicts.is_empty() {
            Exit::Incomplete
        } else if self.verdicts.iter().any(GateVerdict::fails) {
            Exit::Failed
        } else if self.verdicts.iter().any(GateVerdict::is_undecided) {
            Exit::Inconclusive
        } else {
            Exit::Done
        }
    }

    /// Writes the gates, and in Markdown the tables too.
    pub fn write_files(&self, files: &VerdictFiles) -> Result<(), Error> {
        files.write(&self.name, &gates::rows(&self.verdicts), || markdown(self))
    }

    /// One line on the gates that did not pass, where that is a failure.
    pub fn failure(&self) -> Option<String> {
        let failed = self.verdicts.iter().filter(|of| of.fails() || of.is_undecided());
        let named: Vec<String> =
            failed.map(|of| format!("{} ({})", of.gate, gates::who(of))).collect();
        let (first, rest) = named.split_first()?;
        let more = match rest.len() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let (failed, all) = (named.len(), self.verdicts.len());
        Some(format!("{failed} of {all} gates did not pass: {first}{more}"))
    }
}
