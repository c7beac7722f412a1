use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::trace::Trace;
use metrics::{
    AppliedPolicy, EvaluationSummary, PhaseState, PhaseStateError, PhaseTally, Summary,
    SummaryReport,
};
use seed::Seed;

/// What became of one cell, as it stands in `cells/<key>.json`: everything that its
/// metrics are made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellRecord {
    /// What the cell is, by its content.
    pub key: String,
    /// Its value on each axis, by the name of the axis.
    pub labels: BTreeMap<String, String>,
    /// Its seed.
    pub seed: Seed,
    /// Its phases.
    pub phases: Vec<PhaseState>,
    /// Its evaluations.
    pub evaluations: Vec<EvaluationSummary>,
    /// The policies that were applied in it.
    pub applied: Vec<AppliedPolicy>,
    /// What a person should know of it.
    pub notices: Vec<String>,
    /// After how many iterations of each phase a model was exported, in rising order.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub model_exports: BTreeMap<String, Vec<u64>>,
    /// Who turned up in it and what was chosen.
    pub trace: Trace,
}

impl CellRecord {
    /// What became of a cell.
    ///
    /// # Panics
    /// If the summary was reduced.
    #[must_use]
    pub fn new(
        key: String,
        labels: BTreeMap<String, String>,
        seed: Seed,
        summary: &Summary,
        model_exports: BTreeMap<String, Vec<u64>>,
        trace: Trace,
    ) -> Self {
        let SummaryReport { evaluations, applied, notices, .. } = summary.report();
        let phases = summary.phases().iter().map(PhaseTally::state).collect::<Option<_>>();
        let phases = phases.expect("a summary of a run has all of its iterations");
        Self { key, labels, seed, phases, evaluations, applied, notices, model_exports, trace }
    }

    /// Its phases, to be measured, and its trace.
    ///
    /// # Errors
    /// When what was kept does not fit together.
    pub fn into_tallies(self) -> Result<(Vec<PhaseTally>, Trace), PhaseStateError> {
        let phases = self.phases.into_iter().map(PhaseTally::restore).collect::<Result<_, _>>()?;
        Ok((phases, self.trace))
    }
}
