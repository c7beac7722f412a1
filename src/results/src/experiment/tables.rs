//! The tables of an experiment.

use super::manifest::ExperimentManifest;
use super::read::CellResult;
use crate::cell::{guard, optional};
use metrics::{Definition, Metric, PhaseTally, REGISTRY};

/// A row for each phase of each cell, with every metric of it.
pub(super) fn cells(manifest: &ExperimentManifest, cells: &[CellResult]) -> csv::Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let axes = manifest.axes.iter().map(|axis| guard(axis));
    let all = || cells.iter().flat_map(|cell| cell.phases.iter());
    let has = |metric: &Metric| all().any(|phase| phase.measure(*metric, None).is_some());
    let is_shown = |of: &&Definition| of.metric != Metric::Extrapolation || has(&of.metric);
    let shown: Vec<&Definition> = REGISTRY.iter().filter(is_shown).collect();
    let metrics = shown.iter().map(|metric| metric.name.replace('.', "_"));
    let fixed = ["seed", "phase"].map(ToOwned::to_owned);
    let last = ["first_tenth_success_rate", "last_quarter_success_rate"].map(ToOwned::to_owned);
    let header: Vec<String> = axes.chain(fixed).chain(metrics).chain(last).collect();
    table.write_record(&header)?;
    for CellResult { index, seed, phases, .. } in cells {
        let labels = &manifest.variants[manifest.cells[*index].variant].labels;
        for phase in phases.iter().filter(|phase| phase.iterations() > 0) {
            let labels = labels.iter().map(|label| guard(label));
            let fixed = [seed.to_string(), guard(phase.name())];
            let metrics = shown.iter().map(|metric| optional(whole(phase, metric)));
            let row = labels.chain(fixed).chain(metrics).chain(ends(phase));
            table.write_record(row.collect::<Vec<_>>())?;
        }
    }
    Ok(table.into_inner().map_err(csv::IntoInnerError::into_error)?)
}

fn whole(phase: &PhaseTally, metric: &Definition) -> Option<f64> {
    phase.measure(metric.metric, None)
}

fn ends(phase: &PhaseTally) -> [String; 2] {
    let iterations = phase.iterations();
    let success = |window| optional(phase.measure(Metric::SuccessRate, Some(window)));
    [success(0..iterations.div_ceil(10)), success(iterations - iterations / 4..iterations)]
}
