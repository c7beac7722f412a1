//! Cells that are runs against live targets: their order, and what is done between them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::document::{Node, Value};
use crate::format::Placed;
use crate::model::MatrixFile;
use diagnostic::{Diagnostic, Place, Report};
use plan::{Phase, Plan, Step, TargetPlan};

/// In which order the runs of live targets are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellOrder {
    /// Seed by seed, the variants of every second seed backwards: a linear drift of the machine
    /// falls on all variants alike.
    Abba,
    /// Variant by variant.
    Sequential,
}

impl CellOrder {
    /// The cells in this order, each given by its variant and the number of its seed: their
    /// indices.
    pub(super) fn of(self, cells: &[(usize, u64)]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..cells.len()).collect();
        order.sort_by_key(|index| {
            let (variant, seed) = cells[*index];
            let place = i64::try_from(variant).unwrap_or(i64::MAX);
            match self {
                Self::Sequential => (variant as u64, 0),
                Self::Abba if seed.is_multiple_of(2) => (seed, place),
                Self::Abba => (seed, -place),
            }
        });
        order
    }
}

/// What is done before each run of a live target, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Between {
    /// Whether the run begins with a `reset` phase.
    pub reset: bool,
    /// A program and its arguments.
    pub command: Option<Vec<String>>,
    /// How long nothing is sent.
    pub wait: Duration,
}

/// How the runs of live targets follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveCells {
    /// Their order.
    pub order: CellOrder,
    /// What is done between them.
    pub between: Between,
}

/// What a matrix says about runs of live targets, if it has some.
pub(super) fn live_cells(
    matrix: &MatrixFile,
    is_live: bool,
    report: &mut Report,
) -> Option<LiveCells> {
    if !is_live {
        let order = matrix.order.as_ref().map(|order| ("order", &order.key));
        let between = matrix.between.as_ref().map(|between| ("between", &between.key));
        for (name, place) in order.into_iter().chain(between) {
            let message = format!("`{name}` is for live targets: virtual worlds do not meet");
            report.push(Diagnostic::error(message).at(place).help("leave it out"));
        }
        return None;
    }
    Some(LiveCells {
        order: matrix.order.as_ref().map_or(CellOrder::Abba, |order| order.value),
        between: matrix.between.as_ref().map(|between| between.value.clone()).unwrap_or_default(),
    })
}

/// Whether the target is called over the network, one run after the other.
pub(super) fn is_live(plan: &Plan) -> bool {
    matches!(plan.target, TargetPlan::Http(_) | TargetPlan::Served(_))
}

/// Begins the phases of a cell with a `reset`, where that is asked for and not there.
pub(super) fn begin_with_reset(root: &mut Node, between: Option<&Placed<Between>>) {
    let Some(between) = between.filter(|between| between.value.reset) else { return };
    let phases = root.entries_mut().iter_mut().find(|entry| entry.key == "phases");
    let Some(Value::List(phases)) = phases.map(|phases| &mut phases.value.value) else { return };
    let is_reset = |phase: &Node| phase.text() == Some("reset") || phase.get("reset").is_some();
    if !phases.first().is_some_and(is_reset) {
        let value = Value::Text("reset".to_owned());
        phases.insert(0, Node { value, place: between.place.clone() });
    }
}

/// Refuses runs of a service that would begin with what the run before them left, unless the
/// matrix says that this is right.
pub(super) fn refuse_learned_state(plan: &Plan, matrix: &Placed<MatrixFile>, report: &mut Report) {
    let (TargetPlan::Http(service), None) = (&plan.target, &matrix.between) else { return };
    let is_prepared = service.mapping.as_ref().is_some_and(|mapping| !mapping.setup.is_empty());
    if is_prepared || begins_anew(&plan.phases) {
        return;
    }
    let message = "each run would begin with what the service learned in the run before it";
    let help = "say what is done before each run, such as `between: reset` or \
                `between: { command: [./restart] }`; `between: none`, if the service does not \
                learn from one run to the next";
    report.push(Diagnostic::error(message).at(&matrix.key).help(help));
}

/// Whether a `reset` stands before the first iterations.
fn begins_anew(phases: &[Phase]) -> bool {
    let mut first = phases.iter().filter_map(|phase| match phase.step {
        Step::Reset => Some(true),
        Step::Iterate(_) => Some(false),
        _ => None,
    });
    first.next().unwrap_or(true)
}

/// Refuses an embedded loop whose time is the machine's.
pub(super) fn refuse_wall_clock(place: &Place, report: &mut Report) {
    let message = "a matrix over embedded loops needs the virtual clock";
    let help = "use `clock: virtual`; or `target: served`, to measure the loop over HTTP";
    report.push(Diagnostic::error(message).at(place).help(help));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_seed_is_run_backwards() {
        let cells: Vec<(usize, u64)> =
            (0..4).flat_map(|seed| (0..3).map(move |variant| (variant, seed))).collect();
        let variants = |order: CellOrder| -> Vec<usize> {
            order.of(&cells).into_iter().map(|index| cells[index].0).collect()
        };
        assert_eq!(variants(CellOrder::Abba), [0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0]);
        assert_eq!(variants(CellOrder::Sequential), [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    }

    /// The mean place of each variant is the same, so that a linear drift cancels.
    #[test]
    fn abba_balances_a_linear_drift() {
        for (variants, seeds) in [(2, 2), (2, 10), (5, 4), (7, 6)] {
            let cells: Vec<(usize, u64)> = (0..seeds)
                .flat_map(|seed| (0..variants).map(move |variant| (variant, seed)))
                .collect();
            let order = CellOrder::Abba.of(&cells);
            let sum = |variant: usize| -> usize {
                let places = order.iter().enumerate();
                places.filter(|(_, index)| cells[**index].0 == variant).map(|(at, _)| at).sum()
            };
            assert!((1..variants).all(|variant| sum(variant) == sum(0)), "{variants} × {seeds}");
        }
    }
}
