//! All that a comparison came to, for every way to tell it.

use crate::cli::exit::Exit;
use comparison::{Comparison, GateVerdict};
use metrics::Term;
use statistics::Confidence;

/// What is compared, and what that shows.
pub struct Account {
    /// What it is about: the scenario.
    pub name: String,
    /// What was compared with what.
    pub parts: Vec<Part>,
    /// What became of the gates.
    pub verdicts: Vec<GateVerdict>,
    /// How sure the intervals are.
    pub confidence: Confidence,
}

/// A base and what is compared with it.
pub struct Part {
    /// What stands above the table: the policy, where there are several.
    pub title: Option<String>,
    /// What is said of it before the figures.
    pub remarks: Vec<String>,
    /// The metrics.
    pub figures: Vec<(Term, Comparison)>,
}

impl Account {
    /// What the gates make of it.
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
