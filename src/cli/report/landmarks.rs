//! What the curves of results are read against.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::charts::{self, ModelHistory, epsilon};
use metrics::{PhaseTally, Summary};
use plan::Plan;
use results::RunFolder;
use results::experiment::{CellResult, ExperimentResults};
use scenario::kept_exploration;

/// What curves are read against.
#[derive(Debug, Clone, Default)]
pub struct Landmarks {
    /// How many actions may be chosen, if it is known.
    pub actions: Option<u64>,
    /// The iterations before which the population of a phase drifts, by the phase.
    pub drifts: BTreeMap<String, u64>,
    /// After how many iterations a model was exported, by the phase.
    pub exports: BTreeMap<String, Vec<u64>>,
    /// The shares of choices that are drawn evenly, a policy each; of the phases before another
    /// policy is applied.
    pub explored: BTreeMap<String, Vec<f64>>,
}

impl Landmarks {
    /// Of a run that goes on.
    pub fn of_plan(plan: &Plan, summary: &Summary, models: &ModelHistory) -> Self {
        let phases = || charts::iterated(summary).map(|(index, tally)| (index, tally.name()));
        let drifts = phases().filter_map(|(index, name)| {
            charts::drift(plan, index).map(|drift| (name.to_owned(), drift))
        });
        let exports = phases().map(|(index, name)| (name.to_owned(), models.marks(index)));
        let explored = phases().map(|(index, name)| {
            let share = charts::exploration(plan, summary, index);
            (name.to_owned(), share.into_iter().collect())
        });
        Self {
            actions: Some(plan.choices() as u64),
            drifts: drifts.collect(),
            exports: exports.collect(),
            explored: explored.collect(),
        }
    }

    pub fn of_run(run: &RunFolder) -> Self {
        let phases = run.manifest.phases.iter();
        let drifts = phases.filter_map(|phase| Some((phase.name.clone(), phase.drift_at?)));
        Self {
            actions: run.manifest.actions,
            drifts: drifts.collect(),
            exports: exports(&run.folder),
            explored: explored(&run.folder, &run.manifest.overrides, &[]),
        }
    }

    pub fn of_experiment(experiment: &ExperimentResults) -> Self {
        let manifest = &experiment.manifest;
        let is_policy = |axis: &String| axis == "policy";
        let policies: Vec<&str> =
            manifest.variants.iter().filter_map(|of| of.policy.as_deref()).collect();
        // Another axis may change how much is explored.
        let explored = if manifest.axes.iter().all(is_policy) {
            explored(&experiment.folder, &manifest.overrides, &policies)
        } else {
            BTreeMap::new()
        };
        Self { explored, ..Self::of_cells(experiment) }
    }

    /// The landmarks of an experiment that may still be running.
    pub fn of_cells(experiment: &ExperimentResults) -> Self {
        let ExperimentResults { manifest, cells, .. } = experiment;
        Self {
            actions: manifest.actions,
            drifts: manifest.drifts.clone(),
            exports: common_exports(cells),
            explored: BTreeMap::new(),
        }
    }
}

/// Exports of different cells count as one if they lie within this part (1/40) of the iterations of
/// the phase: a curve does not show smaller differences.
const COMMON: u64 = 40;

/// After how many iterations all cells exported models: the medians of the first exports, of the
/// second ones and so on, up to one that some cell did not make or made elsewhere.
fn common_exports(cells: &[CellResult]) -> BTreeMap<String, Vec<u64>> {
    let names = cells.first().into_iter().flat_map(|cell| cell.model_exports.keys());
    let common = |phase: &String| {
        let exports: Vec<&[u64]> = cells
            .iter()
            .map(|cell| cell.model_exports.get(phase).map_or(&[][..], Vec::as_slice))
            .collect();
        let phases = cells.iter().flat_map(|cell| cell.phases.iter());
        let iterations = phases.filter(|of| of.name() == phase).map(PhaseTally::iterations).max();
        let apart = iterations.unwrap_or_default() / COMMON;
        let number = |number: usize| {
            let mut all =
                exports.iter().map(|of| of.get(number).copied()).collect::<Option<Vec<_>>>()?;
            all.sort_unstable();
            (all[all.len() - 1] - all[0] <= apart).then(|| all[all.len() / 2])
        };
        (phase.clone(), (0..).map_while(number).collect())
    };
    names.map(common).collect()
}

/// After how many iterations a run exported models.
fn exports(folder: &Path) -> BTreeMap<String, Vec<u64>> {
    let mut exports: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    // A run against a service that tells nothing of its models has no such file.
    let Ok(mut table) = csv::Reader::from_path(folder.join("model_exports.csv")) else {
        return exports;
    };
    for row in table.records().map_while(Result::ok) {
        if let (Some(phase), Some(Ok(at))) = (row.get(0), row.get(1).map(str::parse)) {
            exports.entry(phase.to_owned()).or_default().push(at);
        }
    }
    exports
}

/// The shares that these policies draw evenly, each once; without policies, that of the scenario.
fn explored(folder: &Path, overrides: &[String], policies: &[&str]) -> BTreeMap<String, Vec<f64>> {
    let environment = |name: &str| std::env::var(name).ok();
    let kept = kept_exploration(&folder.join("scenario.yaml"), overrides, &environment);
    let Some(kept) = kept else { return BTreeMap::new() };
    let own = kept.policy.as_deref();
    let policies = if policies.is_empty() { own.as_slice() } else { policies };
    let share = |policy: &&str| epsilon(policy).map(|epsilon| kept.percentage.unwrap_or(epsilon));
    let mut shares: Vec<f64> = policies.iter().filter_map(share).collect();
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    kept.phases.into_iter().map(|phase| (phase, shares.clone())).collect()
}
