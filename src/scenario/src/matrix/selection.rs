//! Which cells of a matrix are run.

use super::axis::{Axis, AxisValue};
use crate::document::Node;
use crate::format::{Named, Placed, as_count};
use crate::model::MatrixFile;
use diagnostic::{Diagnostic, Report, nearest};

/// Where a cell lies: the index of its value on each axis, and its seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Coordinates {
    pub values: Vec<usize>,
    pub seed: u64,
}

/// Some of the coordinates of cells: what is `None` may be anything.
struct Pattern {
    values: Vec<Option<usize>>,
    seed: Option<u64>,
}

/// All cells but those that `exclude` names, and those that `include` adds.
pub(super) fn select(
    axes: &mut [Axis],
    seeds: &[u64],
    matrix: &Placed<MatrixFile>,
    report: &mut Report,
) -> Vec<Coordinates> {
    let lengths: Vec<usize> = axes.iter().map(|axis| axis.values.len()).collect();
    let excluded = patterns(axes, matrix.exclude.as_deref(), false, report);
    let included = patterns(axes, matrix.include.as_deref(), true, report);
    let anything = Pattern { values: vec![None; axes.len()], seed: None };
    let mut cells = anything.cells(&lengths, seeds);
    cells.retain(|cell| !excluded.iter().any(|pattern| pattern.matches(cell)));
    for cell in included.iter().flat_map(|pattern| pattern.cells(&lengths, seeds)) {
        if !cells.contains(&cell) {
            cells.push(cell);
        }
    }
    if cells.is_empty() && !report.has_errors() {
        report.push(Diagnostic::error("`exclude` leaves no cell of the matrix").at(&matrix.place));
    }
    cells
}

fn patterns(
    axes: &mut [Axis],
    list: Option<&[Vec<Named<Node>>]>,
    adds: bool,
    report: &mut Report,
) -> Vec<Pattern> {
    let items = list.unwrap_or_default();
    items.iter().map(|item| pattern(axes, item, adds, report)).collect()
}

fn pattern(axes: &mut [Axis], item: &[Named<Node>], adds: bool, report: &mut Report) -> Pattern {
    let mut pattern = Pattern { values: vec![None; axes.len()], seed: None };
    for entry in item {
        if entry.name == "seed" {
            pattern.seed = seed(entry, report);
        } else if let Some(at) = axes.iter().position(|axis| axis.name == entry.name) {
            pattern.values[at] = value(&mut axes[at], entry, adds, report);
        } else {
            report.push(no_such_axis(axes, entry));
        }
    }
    pattern
}

fn seed(entry: &Named<Node>, report: &mut Report) -> Option<u64> {
    let seed = as_count(&entry.value);
    if seed.is_none() {
        let message = format!("a seed is a whole number, found {}", entry.value.kind());
        report.push(Diagnostic::error(message).at(&entry.value.place));
    }
    seed
}

/// The index of a value; one that is not there is added where that makes sense.
fn value(axis: &mut Axis, entry: &Named<Node>, adds: bool, report: &mut Report) -> Option<usize> {
    let value = AxisValue::of(&entry.value);
    let known = axis.values.iter().position(|other| other.is(&value));
    let is_named = axis.values.iter().any(|value| value.is_named);
    if known.is_none() && adds && !is_named {
        axis.values.push(value);
        return Some(axis.values.len() - 1);
    }
    if known.is_none() {
        let message = format!("`{}` has no value `{}`", axis.name, value.label);
        let near = nearest(&value.label, axis.values.iter().map(|value| value.label.as_str()));
        let help = near.map(|near| format!("did you mean `{near}`?"));
        report.push(Diagnostic::error(message).at(&entry.value.place).maybe_help(help));
    }
    known
}

fn no_such_axis(axes: &[Axis], entry: &Named<Node>) -> Diagnostic {
    let mut names: Vec<&str> = axes.iter().map(|axis| axis.name.as_str()).collect();
    names.push("seed");
    let help = match nearest(&entry.name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the axes are `{}`", names.join("`, `")),
    };
    Diagnostic::error(format!("the matrix has no axis `{}`", entry.name))
        .at(&entry.place)
        .help(help)
}

impl Pattern {
    fn matches(&self, cell: &Coordinates) -> bool {
        let mut values = self.values.iter().zip(&cell.values);
        self.seed.is_none_or(|seed| seed == cell.seed)
            && values.all(|(wanted, value)| wanted.is_none_or(|wanted| wanted == *value))
    }

    /// The cells that it names, seed by seed.
    fn cells(&self, lengths: &[usize], seeds: &[u64]) -> Vec<Coordinates> {
        let seeds = self.seed.map_or_else(|| seeds.to_vec(), |seed| vec![seed]);
        let axes = self.values.iter().zip(lengths);
        let combinations = axes.fold(vec![Vec::new()], |all, axis| extended(&all, axis));
        let cell = |seed: u64| {
            combinations.iter().map(move |values| Coordinates { values: values.clone(), seed })
        };
        seeds.into_iter().flat_map(cell).collect()
    }
}

/// Each combination, with each value of one more axis.
fn extended(
    combinations: &[Vec<usize>],
    (wanted, length): (&Option<usize>, &usize),
) -> Vec<Vec<usize>> {
    let values = wanted.map_or(0..*length, |wanted| wanted..wanted + 1);
    let with = |combination: &Vec<usize>, value: usize| {
        combination.iter().copied().chain([value]).collect()
    };
    let all = combinations
        .iter()
        .flat_map(|combination| values.clone().map(move |value| with(combination, value)));
    all.collect()
}
