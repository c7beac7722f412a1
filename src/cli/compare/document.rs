//! A comparison with its verdicts, which every output format renders.

use crate::cli::exit::Exit;
use comparison::{Comparison, GateVerdict};
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

impl ComparisonDocument {
    /// The exit code of the gates.
    pub fn exit(&self) -> Exit {
        if self.verdicts.iter().any(GateVerdict::fails) {
            Exit::Failed
        } else if self.verdicts.iter().any(GateVerdict::is_undecided) {
            Exit::Inconclusive
        } else {
            Exit::Done
        }
    }
}
