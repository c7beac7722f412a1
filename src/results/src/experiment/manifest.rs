use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::entries::Tool;
use crate::manifest::available_actions;
use plan::{Step, TargetPlan};
use scenario::{Cell, CellOrder, Experiment};
use seed::Seed;
use shard::{Shard, blocks};

/// The version of the folder's layout.
const FORMAT: u32 = 1;

/// What an experiment is about. Nothing in it depends on when, where or how fast it ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentManifest {
    /// The version of the folder's layout.
    pub format: u32,
    /// Whether every cell is done.
    pub complete: bool,
    /// Which part of the cells is run in this folder, if not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// What wrote it.
    pub tool: Tool,
    /// The name of the scenario.
    pub scenario: String,
    /// What it is about.
    pub description: Option<String>,
    /// `--set`, in the order given.
    pub overrides: Vec<String>,
    /// The names of the axes, the seed left out.
    pub axes: Vec<String>,
    /// How many actions may be chosen, if it is the same in all variants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<u64>,
    /// The iterations before which the population of a phase drifts, by the phase.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drifts: BTreeMap<String, u64>,
    /// How many iterations make one point of the success curve.
    pub curve_batch: u64,
    /// The ceiling of seeds, where they were added in rounds until every gate was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_decided: Option<u64>,
    /// In which order runs against live targets were made; absent in virtual worlds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<CellOrder>,
    /// The combinations of their values.
    pub variants: Vec<VariantEntry>,
    /// The cells, in the order of the matrix.
    pub cells: Vec<CellEntry>,
}

/// A combination of values of the axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantEntry {
    /// A value for each axis.
    pub labels: Vec<String>,
    /// The learning policy that the loop starts with.
    pub policy: Option<String>,
    /// SHA-256 of each part that decides what is sent, by a name for people.
    pub plan_parts: BTreeMap<String, String>,
    /// Whether it is a simulation among runs against live targets.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_simulated: bool,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CellEntry {
    /// The digest of its content.
    pub key: String,
    /// Which of the variants.
    pub variant: usize,
    /// Its seed.
    pub seed: Seed,
    /// Its status.
    pub status: CellStatus,
}

/// The status of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellStatus {
    /// It is not done.
    Absent,
    /// It is done.
    Complete,
    /// It failed, for this reason.
    Failed(String),
}

impl ExperimentManifest {
    pub(super) fn of(experiment: &Experiment, shard: Option<Shard>) -> Self {
        let scenario = experiment.scenario();
        let (overrides, redactor) = (&scenario.source.overrides, experiment.redactor());
        let (name, version) = ("runner", env!("CARGO_PKG_VERSION"));
        let is_live = experiment.live.is_some();
        let variant = |variant: &scenario::Variant| VariantEntry {
            labels: variant.labels.clone(),
            policy: variant.plan.target.start().map(|(_, policy)| policy.arguments().to_owned()),
            plan_parts: variant.plan.parts(),
            is_simulated: is_live && matches!(variant.plan.target, TargetPlan::Embedded(_)),
        };
        let cell = |cell: &Cell| CellEntry {
            key: experiment.key(*cell),
            variant: cell.variant,
            seed: cell.seed,
            status: CellStatus::Absent,
        };
        Self {
            format: FORMAT,
            complete: false,
            shard,
            tool: Tool { name: name.to_owned(), version: version.to_owned() },
            scenario: scenario.name.clone(),
            description: scenario.description.clone(),
            overrides: overrides.iter().map(|text| redactor.redact(text)).collect(),
            axes: experiment.axes.clone(),
            actions: actions(experiment),
            drifts: drifts(experiment),
            curve_batch: scenario.curve_batch,
            until_decided: experiment.until_decided,
            order: experiment.live.as_ref().map(|live| live.order),
            variants: experiment.variants.iter().map(variant).collect(),
            cells: experiment.cells.iter().map(cell).collect(),
        }
    }

    /// The plan that it is of: itself without shard and progress.
    #[must_use]
    pub fn plan(&self) -> Self {
        let mut plan = Self { complete: false, shard: None, ..self.clone() };
        plan.cells.iter_mut().for_each(|cell| cell.status = CellStatus::Absent);
        plan
    }

    /// Whether each cell is run in this folder.
    #[must_use]
    pub fn own(&self) -> Vec<bool> {
        let blocks = self.blocks().into_iter();
        blocks.map(|block| self.shard.is_none_or(|shard| shard.holds(block))).collect()
    }

    /// The block of each cell: the cells of one seed are one, numbered as they turn up.
    #[must_use]
    pub fn blocks(&self) -> Vec<u64> {
        blocks(self.cells.iter().map(|cell| cell.seed))
    }

    /// The values of a cell, by the names of their axes.
    #[must_use]
    pub fn labels(&self, cell: &CellEntry) -> BTreeMap<String, String> {
        self.axes.iter().cloned().zip(self.variants[cell.variant].labels.iter().cloned()).collect()
    }
}

fn actions(experiment: &Experiment) -> Option<u64> {
    let mut all = experiment.variants.iter().map(|variant| available_actions(&variant.plan));
    let first = all.next()?;
    all.all(|actions| actions == first).then_some(first)
}

/// The drifts that all variants have.
fn drifts(experiment: &Experiment) -> BTreeMap<String, u64> {
    let of = |variant: &scenario::Variant| -> BTreeMap<String, u64> {
        let phases = variant.plan.phases.iter();
        let drifts = phases.filter_map(|phase| match &phase.step {
            Step::Iterate(iterate) => Some((phase.name.clone(), iterate.drift.as_ref()?.at)),
            _ => None,
        });
        drifts.collect()
    };
    let all = experiment.variants.iter().map(of);
    let common = |mut left: BTreeMap<String, u64>, right: BTreeMap<String, u64>| {
        left.retain(|phase, at| right.get(phase) == Some(at));
        left
    };
    all.reduce(common).unwrap_or_default()
}

impl VariantEntry {
    /// What tells it from the others, for people.
    #[must_use]
    pub fn name(&self) -> String {
        self.labels.join(" · ")
    }
}
