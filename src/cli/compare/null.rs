//! `runner compare --null`: the noise of runs that differ in their seeds only.

use super::text::value;
use crate::cli::console::{Cell, Paint, Side, Table, name};
use comparison::{Group, NullComparison, default_terms, null};
use metrics::{Quantity, Term};
use statistics::Confidence;

/// A table for each metric: the runs of each group compared with each other.
pub fn text(groups: &[Group], terms: &[Term], confidence: Confidence) -> String {
    let usual;
    let terms = if terms.is_empty() {
        usual = default_terms(groups);
        &usual[..]
    } else {
        terms
    };
    let tables = terms.iter().map(|term| table(term, groups, confidence));
    tables.collect::<Vec<_>>().join("\n") + LIMITS
}

/// What the share of splits can show, and what it cannot.
const LIMITS: &str = "
The share compares random halves of the same runs, so it is close to its level by construction.
Far above it: the test does not suit these runs (outliers, or few distinct values).
Close to it: nothing is shown about other seeds or other policies. For that, run the policy under
fresh seeds and compare the two folders.
";

fn table(term: &Term, groups: &[Group], confidence: Confidence) -> String {
    let nominal = format!("different, {}% expected", round(100.0 * confidence.miss()));
    let mut table = Table::new(&[
        (term.text(), Side::Left),
        ("mean ± sd", Side::Right),
        ("runs", Side::Right),
        (&nominal, Side::Right),
        ("shows, without common seeds", Side::Right),
    ]);
    for group in groups {
        table.row(row(term, &null(term, group, confidence)));
    }
    table.text()
}

fn row(term: &Term, null: &NullComparison) -> [Cell; 5] {
    let dimension = term.definition().dimension;
    let share = null.different.map(|share| format!("{:.1}%", 100.0 * share));
    let shows = null.detectable.map(|value| format!("±{}", Quantity { value, dimension }));
    [
        Cell::painted(name(&null.estimate.group), Paint::Name),
        value(&null.estimate, dimension).into(),
        null.estimate.runs.to_string().into(),
        share.unwrap_or("too few runs".to_owned()).into(),
        shows.unwrap_or("-".to_owned()).into(),
    ]
}

/// A percentage without the noise of its last digits.
fn round(percentage: f64) -> f64 {
    libm::round(percentage * 1000.0) / 1000.0
}
