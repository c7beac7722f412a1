//! A comparison as a table, in the manner of benchstat.

use super::document::{ComparisonDocument, Section};
use super::{detect, gates};
use crate::cli::console::{Cell, Paint, Side, Table, name};
use comparison::{Comparison, Description, Difference, Estimate, Finding};
use metrics::{Dimension, Quantity, Term};
use statistics::{Analysis, Confidence, FEWEST_RUNS, Interval};

/// For people: what differs, a table a metric, the gates.
pub fn text(document: &ComparisonDocument) -> String {
    let sections = document.sections.iter().map(|section| shown(section, document.confidence));
    sections.collect::<Vec<_>>().join("\n")
        + &one_run(document)
        + &detect::tables(document)
        + &gates::table(&document.verdicts)
}

/// What to do where only one run of each is compared.
pub const ONE_RUN_REMEDY: &str =
    "Several `seeds` in a `matrix`, or several runs in each `--group`, allow a verdict";

/// The remedy, once for all tables.
fn one_run(document: &ComparisonDocument) -> String {
    let tables = document.sections.iter().flat_map(|section| &section.metrics);
    let mut all = tables.flat_map(|(_, comparison)| &comparison.candidates);
    let is_one = |of: &Difference| of.finding == Finding::Description(Description::OneRunEach);
    if all.any(is_one) { format!("\n{ONE_RUN_REMEDY}.\n") } else { String::new() }
}

fn shown(section: &Section, confidence: Confidence) -> String {
    let title = section.title.as_ref().map(|title| Paint::Strong.over(&name(title)) + "\n");
    let mut remarks: String = section.remarks.iter().map(|remark| name(remark) + "\n").collect();
    if !remarks.is_empty() {
        remarks.push('\n');
    }
    let tables = if let Some(same) = section.identical() {
        identical(&same)
    } else {
        let tables = section.metrics.iter().map(|(term, of)| table(term, of, confidence));
        tables.collect::<Vec<_>>().join("\n")
    };
    title.unwrap_or_default() + &remarks + &tables
}

/// One table with a row for each metric: no metric differs in any run.
fn identical(measured: &[(&Term, &Estimate)]) -> String {
    let mut table = Table::new(&[
        ("identical in every run", Side::Left),
        ("mean ± sd", Side::Right),
        ("runs", Side::Right),
    ]);
    for (term, estimate) in measured {
        let value = value(estimate, term.definition().dimension);
        table.row(vec![
            Cell::painted(term.text().to_owned(), Paint::Name),
            value.into(),
            estimate.runs.to_string().into(),
        ]);
    }
    table.text()
}

fn table(term: &Term, comparison: &Comparison, confidence: Confidence) -> String {
    let dimension = term.definition().dimension;
    let interval = format!("{}% interval", 100.0 * confidence.level());
    let mut table = Table::new(&[
        (term.text(), Side::Left),
        ("mean ± sd", Side::Right),
        ("runs", Side::Right),
        ("difference", Side::Right),
        (&interval, Side::Left),
        ("p", Side::Right),
        ("", Side::Left),
    ]);
    table.row(base_row(&comparison.base, dimension));
    for candidate in &comparison.candidates {
        table.row(row(candidate, dimension));
    }
    table.text() + &pairing(comparison) + &not_measured(comparison)
}

/// Which runs are compared, where some have no partner.
fn pairing(comparison: &Comparison) -> String {
    let lines = comparison.candidates.iter().filter_map(|candidate| {
        let group = name(&candidate.estimate.group);
        Some(format!("  {group}: {}\n", partly_paired(candidate)?))
    });
    lines.collect()
}

/// What is compared where only some of the runs share a seed with the base.
pub fn partly_paired(difference: &Difference) -> Option<String> {
    let Difference { pairs, estimate, analysis, .. } = difference;
    let test = match analysis {
        Analysis::PairsOnly => {
            "only they are compared: their correlation gives the narrower interval"
        }
        Analysis::PartlyPaired => "all runs are compared, by the test for partly paired samples",
        Analysis::Unpaired if *pairs > 0 => "all runs are compared, by Welch's test",
        Analysis::Unpaired | Analysis::Paired => return None,
    };
    Some(format!("{pairs} of {} runs share a seed with the base; {test}", estimate.runs))
}

fn not_measured(comparison: &Comparison) -> String {
    let candidates = comparison.candidates.iter().map(|candidate| &candidate.estimate);
    let mut lines = String::new();
    for estimate in [&comparison.base].into_iter().chain(candidates) {
        if let Some(why) = censored(estimate) {
            lines.extend(["  ", &name(&estimate.group), ": ", &why, "\n"]);
        }
        for why in &estimate.missing {
            lines.extend(["  not measured: ", &name(&estimate.group), ", ", &name(why), "\n"]);
        }
    }
    lines
}

/// What a mean over runs that did not get there is worth.
pub fn censored(estimate: &Estimate) -> Option<String> {
    let Estimate { censored, runs, .. } = estimate;
    let rest = "runs, which count as if it had been at their end";
    (*censored > 0).then(|| format!("not reached in {censored} of {runs} {rest}"))
}

fn base_row(base: &Estimate, dimension: Dimension) -> Vec<Cell> {
    let mut cells = estimate_cells(base, dimension);
    cells.extend([String::new(), String::new(), String::new(), "base".to_owned()].map(Cell::from));
    cells
}

fn estimate_cells(estimate: &Estimate, dimension: Dimension) -> Vec<Cell> {
    vec![
        Cell::painted(name(&estimate.group), Paint::Name),
        value(estimate, dimension).into(),
        estimate.runs.to_string().into(),
    ]
}

/// The mean and the standard deviation.
pub fn value(estimate: &Estimate, dimension: Dimension) -> String {
    let mean =
        estimate.mean.map_or("-".to_owned(), |value| Quantity { value, dimension }.to_string());
    match estimate.deviation {
        Some(value) => format!("{mean} ± {}", Quantity { value, dimension }),
        None => mean,
    }
}

fn row(difference: &Difference, dimension: Dimension) -> Vec<Cell> {
    let mut cells = estimate_cells(&difference.estimate, dimension);
    let (words, paint) = words(difference, dimension);
    let test = difference.test.as_ref();
    let is_shown =
        matches!(difference.finding, Finding::Better | Finding::Worse | Finding::Different);
    let observed = test.map_or("-".to_owned(), |test| signed(test.difference, dimension));
    let interval = test.and_then(|test| test.interval);
    cells.extend([
        Cell::painted(observed, if is_shown { Paint::Strong } else { Paint::Faint }),
        interval.map_or(String::new(), |of| within(of, dimension)).into(),
        difference.adjusted_p.map_or(String::new(), p).into(),
        Cell::painted(words, paint),
    ]);
    cells
}

/// What is shown, in words.
pub fn words(difference: &Difference, dimension: Dimension) -> (String, Paint) {
    match difference.finding {
        Finding::Better => ("better".to_owned(), Paint::Good),
        Finding::Worse => ("worse".to_owned(), Paint::Bad),
        Finding::Different => ("different".to_owned(), Paint::Doubtful),
        Finding::Identical => ("identical in every run".to_owned(), Paint::Plain),
        Finding::NotShown => (not_shown(difference, dimension), Paint::Faint),
        Finding::Description(why) => (described(why, difference, dimension), Paint::Doubtful),
    }
}

fn not_shown(difference: &Difference, dimension: Dimension) -> String {
    format!("~{}", could_show(difference, dimension))
}

/// ` could have shown ±0.0200`; empty where the spread is unknown.
fn could_show(difference: &Difference, dimension: Dimension) -> String {
    let quantity = difference.detectable.map(|value| Quantity { value, dimension });
    quantity.map_or(String::new(), |quantity| format!(" could have shown ±{quantity}"))
}

fn described(why: Description, difference: &Difference, dimension: Dimension) -> String {
    let few = |what: &str| {
        let could = could_show(difference, dimension);
        let could = if could.is_empty() { could } else { format!(";{could}") };
        format!("{} {what}: no verdict below {FEWEST_RUNS}{could}", difference.observations)
    };
    match why {
        Description::NoRuns => "nothing to compare".to_owned(),
        Description::OneRunEach => "one run each: no inference".to_owned(),
        Description::FewPairs => few("pairs"),
        Description::FewRuns => few("runs"),
        Description::NoSpread => {
            "the same difference in every run: no spread, no verdict".to_owned()
        }
    }
}

/// A difference with its sign.
pub fn signed(value: f64, dimension: Dimension) -> String {
    let sign = if value < 0.0 { "−" } else { "+" };
    format!("{sign}{}", Quantity { value: value.abs(), dimension })
}

/// An interval of differences.
pub fn within(interval: Interval, dimension: Dimension) -> String {
    format!("[{}, {}]", signed(interval.lower, dimension), signed(interval.upper, dimension))
}

/// A p, as precise as anybody needs it.
pub fn p(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }
}
