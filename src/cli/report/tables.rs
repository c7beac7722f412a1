use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::answer::headline;
use crate::cli::compare::{self, Section, words};
use crate::cli::console::Paint;
use crate::cli::recorded;
use comparison::{Comparison, Difference, Estimate};
use metrics::{Dimension, Quantity, Term, rounded};
use report::html::{Block, Cell, Tone};

/// A difference with its sign.
fn signed(value: f64) -> String {
    let sign = if value < 0.0 { "−" } else { "+" };
    format!("{sign}{}", rounded(value.abs(), 4))
}

/// What was compared, a table a metric; that of the result first.
pub fn figures(part: &Section) -> Vec<Block> {
    let mut blocks: Vec<Block> = part.title.iter().cloned().map(Block::Text).collect();
    blocks.extend(part.remarks.iter().map(|remark| Block::Text(remark.trim().to_owned())));
    let is_headline = |metric: &&(Term, Comparison)| {
        headline(part).is_some_and(|(term, _)| *term.text() == *metric.0.text())
    };
    let (first, others): (Vec<_>, Vec<_>) = part.metrics.iter().partition(is_headline);
    let metrics = first.into_iter().chain(others);
    let tables = metrics.map(|(term, of)| (term.text().to_owned(), vec![table(term, of)]));
    blocks.push(Block::Choice(tables.collect()));
    blocks
}

fn table(term: &Term, comparison: &Comparison) -> Block {
    let dimension = term.definition().dimension;
    let head = [term.text(), "mean ± sd", "runs", "difference", "95 % interval", "p", ""];
    let mut base = estimate(&comparison.base, dimension);
    base.extend(["", "", "", "base"].map(Cell::plain));
    let rows = [base].into_iter().chain(comparison.candidates.iter().map(|of| row(of, dimension)));
    Block::Table { head: head.map(str::to_owned).to_vec(), rows: rows.collect() }
}

fn estimate(estimate: &Estimate, dimension: Dimension) -> Vec<Cell> {
    vec![
        Cell::plain(&estimate.group),
        Cell::plain(compare::value(estimate, dimension)),
        Cell::plain(estimate.runs.to_string()),
    ]
}

fn row(difference: &Difference, dimension: Dimension) -> Vec<Cell> {
    let test = difference.test.as_ref();
    let observed = test.map(|test| compare::signed(test.difference, dimension));
    let interval =
        test.and_then(|test| test.interval).map(|of| compare::within_text(of, dimension));
    let (said, paint) = words(difference, dimension);
    let mut cells = estimate(&difference.estimate, dimension);
    cells.extend([
        Cell::plain(observed.unwrap_or_default()),
        Cell::plain(interval.unwrap_or_default()),
        Cell::plain(difference.adjusted_p.map(compare::p).unwrap_or_default()),
        Cell { text: said, tone: tone(paint) },
    ]);
    cells
}

pub fn tone(paint: Paint) -> Tone {
    match paint {
        Paint::Good => Tone::Good,
        Paint::Bad => Tone::Bad,
        Paint::Doubtful => Tone::Doubtful,
        _ => Tone::Plain,
    }
}

/// Checks the files of a folder that the page quotes: gates that cannot be read would look
/// like none.
pub fn check(folder: &Path) -> Result<(), String> {
    let files = ["experiment.json", "manifest.json", "comparison.json", "summary.json"];
    files.iter().try_for_each(|name| recorded::document(folder, name).map(drop))
}

/// A file of a folder that was checked, as JSON; null, if it does not exist.
pub fn json(folder: &Path, name: &str) -> Value {
    recorded::document(folder, name).unwrap_or_default()
}

pub fn items<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// What became of the gates in a `comparison.json`; of an experiment that goes on, what is not
/// measured may still be.
pub fn gates(comparison: &Value, is_over: bool) -> Option<Block> {
    let row = |gate: &Value| {
        let outcome = text(&gate["outcome"]);
        let tone = match outcome.as_str() {
            "pass" => Tone::Good,
            "not_measured" if !is_over => Tone::Doubtful,
            "fail" | "not_measured" => Tone::Bad,
            _ => Tone::Doubtful,
        };
        let number = |value: &Value| value.as_f64().map_or(String::new(), signed);
        let interval = &gate["interval"];
        let interval = interval.is_array().then(|| {
            let level = 100.0 * gate["confidence"].as_f64().unwrap_or(0.95);
            format!("[{}, {}] ({level} %)", number(&interval[0]), number(&interval[1]))
        });
        let reason = gate["reason"].as_str().map_or(String::new(), |why| format!(": {why}"));
        vec![
            Cell::plain(text(&gate["gate"])),
            Cell::plain(format!("{} against {}", text(&gate["candidate"]), text(&gate["base"]))),
            Cell::plain(number(&gate["difference"])),
            Cell::plain(interval.unwrap_or_default()),
            Cell { text: outcome.replace('_', " ") + &reason, tone },
        ]
    };
    let rows: Vec<_> = items(comparison, "gates").map(row).collect();
    let head = ["gate", "policy", "difference", "interval", ""].map(str::to_owned).to_vec();
    (!rows.is_empty()).then_some(Block::Table { head, rows })
}

/// What an experiment or a run was set to, beside what its scenario says.
pub fn settings(folder: &Path) -> impl Iterator<Item = (String, String)> {
    let experiment = json(folder, "experiment.json");
    let manifest = if experiment.is_null() { json(folder, "manifest.json") } else { experiment };
    let overrides: Vec<_> = items(&manifest, "overrides").map(text).collect();
    let seeds = items(&manifest, "cells").filter_map(|cell| cell["seed"].as_u64()).collect();
    let policy = |variant: &Value| {
        let labels: Vec<_> = items(variant, "labels").map(text).collect();
        (labels.join(", "), text(&variant["policy"]))
    };
    let told = [("seeds", ranges(&seeds)), ("set", overrides.join(", "))];
    let told = told.map(|(name, value)| (name.to_owned(), value));
    let policies: Vec<_> = items(&manifest, "variants").map(policy).collect();
    told.into_iter().chain(policies).filter(|(_, value)| !value.is_empty())
}

/// `1 to 20, 30`
fn ranges(numbers: &BTreeSet<u64>) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*number) => *last = *number,
            _ => ranges.push((*number, *number)),
        }
    }
    let said = ranges.into_iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        _ => format!("{first} to {last}"),
    });
    said.collect::<Vec<_>>().join(", ")
}

/// The cells of an experiment that failed, and why.
pub fn failed_cells(folder: &Path) -> Vec<String> {
    let manifest = json(folder, "experiment.json");
    let failed = |cell: &Value| {
        let why = cell["status"]["failed"].as_str()?;
        Some(format!("the cell of seed {} failed: {why}", cell["seed"]))
    };
    items(&manifest, "cells").filter_map(failed).collect()
}

/// What became of the expectations of a run.
pub fn expectations(summary: &Value) -> Option<Block> {
    let is_over = summary["status"] != "running";
    let row = |verdict: &Value| {
        let observed =
            serde_json::from_value::<Dimension>(verdict["observed"]["dimension"].clone());
        let value = verdict["observed"]["value"].as_f64();
        let observed = observed
            .ok()
            .zip(value)
            .map(|(dimension, value)| Quantity { value, dimension }.to_string());
        let reason = text(&verdict["reason"]);
        let (said, tone) = match verdict["holds"].as_str() {
            Some("held") if !is_over && !reason.is_empty() => {
                (format!("holds so far: {reason}"), Tone::Doubtful)
            }
            Some("failed") if !is_over && !reason.is_empty() => {
                (format!("does not hold so far: {reason}"), Tone::Doubtful)
            }
            Some("held") => ("held".to_owned(), Tone::Good),
            Some("failed") => ("failed".to_owned(), Tone::Bad),
            _ => {
                let tone = if is_over { Tone::Bad } else { Tone::Doubtful };
                (format!("no samples: {reason}"), tone)
            }
        };
        vec![
            Cell::plain(text(&verdict["text"])),
            Cell::plain(observed.unwrap_or_default()),
            Cell { text: said, tone },
        ]
    };
    let rows: Vec<_> = items(summary, "expectations").map(row).collect();
    let head = ["expectation", "observed", ""].map(str::to_owned).to_vec();
    (!rows.is_empty()).then_some(Block::Table { head, rows })
}

/// Which features matter to the online policy, if that is told.
fn importance(evaluation: &Value) -> Option<Block> {
    let words = ["it earns less without", "it earned less without, which may be chance", "others"];
    let lists = items(evaluation, "feature_importance").zip(words);
    let rows: Vec<_> = lists
        .filter_map(|(list, words)| {
            let names: Vec<_> = list.as_array()?.iter().map(text).collect();
            (!names.is_empty())
                .then(|| vec![Cell::plain(words.to_owned()), Cell::plain(names.join(", "))])
        })
        .collect();
    let head = ["importance to the online policy", "features"].map(str::to_owned).to_vec();
    (!rows.is_empty()).then_some(Block::Table { head, rows })
}

/// What the offline evaluations found.
pub fn evaluations(summary: &Value) -> Vec<Block> {
    let table = |evaluation: &Value| {
        let row = |policy: &Value| {
            // As a summary shows it: the held-out estimate, where there was a search.
            let estimate = policy.get("held_out").unwrap_or(policy);
            let number = |key: &str| estimate[key].as_f64();
            let reward = number("average_reward").map_or(String::new(), |it| rounded(it, 4));
            let half = number("confidence_interval").filter(|half| *half > 0.0);
            let half = half.map_or(String::new(), |it| format!("±\u{a0}{}", rounded(it, 4)));
            vec![
                Cell::plain(text(&policy["name"])),
                Cell::plain(reward),
                Cell::plain(half),
                Cell::code(text(&policy["arguments"])),
            ]
        };
        let name = text(&evaluation["name"]);
        let head = [name.as_str(), "would have earned", "95 %", "arguments"];
        let head = head.map(str::to_owned).to_vec();
        Block::Table { head, rows: items(evaluation, "policies").map(row).collect() }
    };
    let blocks = items(summary, "evaluations")
        .flat_map(|evaluation| std::iter::once(table(evaluation)).chain(importance(evaluation)));
    let mut blocks: Vec<Block> = blocks.collect();
    let applied = items(summary, "applied").map(|of| format!("Applied: {}.", text(&of["name"])));
    blocks.extend(applied.map(Block::Text));
    blocks
}
