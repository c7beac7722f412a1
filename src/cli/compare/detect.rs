//! `--detect`: how many seeds show a difference.

use super::document::ComparisonDocument;
use crate::cli::console::{Cell, Paint, Side, Table, count, name};
use comparison::{Comparison, Difference};
use metrics::{Quantity, Term};

/// A table for each metric; empty without `--detect`.
pub fn tables(document: &ComparisonDocument) -> String {
    let Some(text) = &document.detect else { return String::new() };
    let metrics = document.sections.iter().flat_map(|section| &section.metrics);
    let tables = metrics.filter_map(|(term, comparison)| {
        let effect = term.value(text).ok()?;
        Some(format!("\n{}", table(term, comparison, effect)))
    });
    tables.collect()
}

fn table(term: &Term, comparison: &Comparison, effect: f64) -> String {
    let quantity = Quantity { value: effect, dimension: term.definition().dimension };
    let head = format!("seeds that show ±{} of {}", quantity.written(), term.text());
    let mut table = Table::new(&[
        (&head, Side::Left),
        ("seeds now", Side::Right),
        ("needed", Side::Right),
        ("at most", Side::Right),
    ]);
    for candidate in &comparison.candidates {
        table.row(row(candidate, effect));
    }
    table.text()
        + "  needed: with 80 % power, by the correction in force and the deviation of these runs\n  \
           at most: if their true deviation is at the upper end of its 80 % interval\n"
}

fn row(candidate: &Difference, effect: f64) -> [Cell; 4] {
    let needed = |seeds: Option<u64>| seeds.map_or("too many".to_owned(), count);
    let [seeds, upper] = match candidate.pairs_to_detect(effect) {
        Some(both) => both.map(needed),
        None => ["the spread is unknown".to_owned(), String::new()],
    };
    [
        Cell::painted(name(&candidate.estimate.group), Paint::Name),
        candidate.observations.to_string().into(),
        seeds.into(),
        upper.into(),
    ]
}
