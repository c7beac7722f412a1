//! `runner compare`

mod annotations;
mod build;
mod command;
mod detect;
mod document;
mod gates;
mod json;
mod markdown;
mod null;
mod openmetrics;
mod subject;
mod text;
mod traces;

pub use build::{between, of_cells, of_experiment, sections};
pub use command::{CompareArguments, Outputs, run};
pub use document::Section;
pub use json::json;
pub use subject::{Subject, read_baseline};
pub use text::{ONE_RUN_REMEDY, p, signed, text, value, within as within_text, words};

use comparison::{Comparison, Group, compare, default_terms};
use metrics::Term;
use statistics::Confidence;

/// Compares the groups with the one called `base`, or with the first, by these metrics, or
/// by the usual ones.
pub fn within(
    groups: &[Group],
    base: Option<&str>,
    terms: &[Term],
    confidence: Confidence,
) -> Vec<(Term, Comparison)> {
    let base = base.map_or(groups.first(), |base| groups.iter().find(|group| group.name == base));
    let Some(base) = base else { return Vec::new() };
    let candidates: Vec<&Group> = groups.iter().filter(|group| group.name != base.name).collect();
    let terms = if terms.is_empty() { default_terms(groups) } else { terms.to_vec() };
    let compared = terms.into_iter().map(|term| {
        let comparison = compare(&term, base, &candidates, confidence);
        (term, comparison)
    });
    compared.collect()
}
