//! `runner plan`: what there is to do, as a list that can be cut, kept and held to.
//!
//! It is made of the content: two scenarios have one digest only if they ask for the same
//! work under the same version of this program.

mod difference;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::file::{self, LARGEST_SCENARIO};
use super::load::Scenario;
use super::matrix::{Cell, Experiment};
use diagnostic::{Diagnostic, Report};
use plan::{Arrival, Phase, Plan, Step, TargetPlan};
use plan::{cut, digest};
use seed::Seed;
use shard::Shard;
use timestamp::Timestamp;

/// The version of the document.
const FORMAT: u32 = 1;

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkPlan {
    /// The version of the document.
    pub format: u32,
    /// Name and version of the program that made it.
    pub tool: String,
    /// The name of the scenario.
    pub scenario: String,
    /// What the command line changed in it.
    pub overrides: Vec<String>,
    /// SHA-256 over the work and the program's version, 64 hex digits; into how many shards
    /// it is cut and when it starts are not in it.
    pub digest: String,
    /// Into how many shards it is to be cut, if that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shards: Option<NonZero<u64>>,
    /// When every shard of a load starts, if that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_at: Option<Timestamp>,
    /// The work.
    #[serde(flatten)]
    pub work: Work,
}

/// What is cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// The cells of a matrix.
    Experiment {
        /// What the cells are made of.
        variants: Vec<WorkVariant>,
        /// The cells, in the order of the matrix.
        cells: Vec<WorkCell>,
    },
    /// The iterations of a load on a service.
    Load {
        /// SHA-256 of each part that decides what is sent, by a name for people.
        parts: BTreeMap<String, String>,
        /// The phases.
        phases: Vec<WorkPhase>,
    },
    /// One world, which cannot be cut.
    World {
        /// SHA-256 of each part that decides what is sent, by a name for people.
        parts: BTreeMap<String, String>,
    },
}

/// A combination of values of the axes of a matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkVariant {
    /// A value for each axis, by its name.
    pub labels: BTreeMap<String, String>,
    /// SHA-256 of each part that decides what is sent, by a name for people.
    pub parts: BTreeMap<String, String>,
}

/// A cell of a matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkCell {
    /// What it is, by its content.
    pub key: String,
    /// Which of the variants, from 0.
    pub variant: usize,
    /// Its seed.
    pub seed: Seed,
    /// Which block it belongs to, from 0: the cells of one seed are one, and stay together.
    pub block: u64,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// A phase of a load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkPhase {
    /// Its name.
    pub name: String,
    /// How many iterations all shards make together.
    pub iterations: u64,
    /// When the iteration with index `i` is due.
    pub due: String,
    /// The iterations of each shard.
    pub strides: Vec<WorkStride>,
}

/// The iterations of one shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkStride {
    /// Whose they are.
    pub shard: Shard,
    /// The index of the first.
    pub first: u64,
    /// How far it is from one to the next.
    pub step: u64,
    /// How many they are.
    pub iterations: u64,
    /// Its share of the rate, per second: at the start, and at the end of each stage.
    pub rates: Vec<f64>,
}

impl WorkPlan {
    /// The work that a scenario asks for.
    ///
    /// # Errors
    /// Why it cannot be cut into so many shards, or not be started at once.
    pub fn new(
        scenario: &Scenario,
        shards: Option<NonZero<u64>>,
        start_at: Option<Timestamp>,
    ) -> Result<Self, Report> {
        let plan = scenario.plan();
        check(scenario, shards, start_at)?;
        let work = |shards: Option<NonZero<u64>>| match scenario {
            Scenario::Experiment(experiment) => cells(experiment, shards),
            Scenario::Run(plan) if matches!(plan.target, TargetPlan::Embedded(_)) => {
                Work::World { parts: plan.parts() }
            }
            Scenario::Run(plan) => load(plan, shards.unwrap_or(NonZero::<u64>::MIN)),
        };
        let tool = concat!("runner ", env!("CARGO_PKG_VERSION")).to_owned();
        let redact = |change: &String| plan.redactor().redact(change);
        Ok(Self {
            format: FORMAT,
            digest: digest::of(&(&tool, &plan.name, &plan.digest, work(None))),
            tool,
            scenario: plan.name.clone(),
            overrides: plan.source.overrides.iter().map(redact).collect(),
            shards,
            start_at,
            work: work(shards),
        })
    }

    /// Reads a plan that was written before.
    ///
    /// # Errors
    /// Why the file is none.
    pub fn read(path: &Path) -> Result<Self, Diagnostic> {
        let shown = path.display().to_string();
        let source = file::read(path, &shown, LARGEST_PLAN)?;
        serde_json::from_str(source.text()).map_err(|error| {
            let message = format!("`{shown}` is not a plan: {error}");
            Diagnostic::error(message).help("make one by `runner plan SCENARIO -o FILE`")
        })
    }

    /// The document.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        // A plan has keys of text only.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// Plans are written by this program: a line a cell.
const LARGEST_PLAN: u64 = 1024 * LARGEST_SCENARIO;

impl Scenario {
    /// What all of it has in common: name, text, changes.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        match self {
            Self::Run(plan) => plan,
            Self::Experiment(experiment) => experiment.scenario(),
        }
    }

    fn is_load(&self) -> bool {
        matches!(self, Self::Run(plan) if !matches!(plan.target, TargetPlan::Embedded(_)))
    }
}

fn check(
    scenario: &Scenario,
    shards: Option<NonZero<u64>>,
    start_at: Option<Timestamp>,
) -> Result<(), Report> {
    if start_at.is_some() && !scenario.is_load() {
        let message = "only a load on a service has a time to start at";
        return Err(Diagnostic::error(message).help("leave `--start-at` out").into());
    }
    match (scenario, shards) {
        // Every shard refuses alike.
        (Scenario::Run(plan), Some(count)) => plan.part(Shard::of_block(0, count)).map(drop),
        _ => Ok(()),
    }
}

fn cells(experiment: &Experiment, shards: Option<NonZero<u64>>) -> Work {
    let blocks = experiment.blocks();
    let cell = |(cell, block): (&Cell, &u64)| WorkCell {
        key: experiment.key(*cell),
        variant: cell.variant,
        seed: cell.seed,
        block: *block,
        shard: shards.map(|count| Shard::of_block(*block, count)),
    };
    let variant = |variant: &super::matrix::Variant| {
        let labels = experiment.axes.iter().cloned().zip(variant.labels.iter().cloned());
        WorkVariant { labels: labels.collect(), parts: variant.plan.parts() }
    };
    Work::Experiment {
        variants: experiment.variants.iter().map(variant).collect(),
        cells: experiment.cells.iter().zip(&blocks).map(cell).collect(),
    }
}

fn load(plan: &Plan, shards: NonZero<u64>) -> Work {
    let phase = |phase: &Phase| {
        let Step::Iterate(iterate) = &phase.step else { return None };
        let stride = |shard: Shard| WorkStride {
            shard,
            first: shard.stride().first,
            step: shard.stride().step.get(),
            iterations: shard.share(iterate.iterations),
            rates: cut::shared_rates(&iterate.arrival, shard),
        };
        Some(WorkPhase {
            name: phase.name.clone(),
            iterations: iterate.iterations,
            due: due(&iterate.arrival).to_owned(),
            strides: Shard::all(shards).map(stride).collect(),
        })
    };
    Work::Load { parts: plan.parts(), phases: plan.phases.iter().filter_map(phase).collect() }
}

/// The rule of the due times, which is that of the whole in every shard.
fn due(arrival: &Arrival) -> &'static str {
    match arrival {
        Arrival::Closed { .. } => "when it starts",
        Arrival::Open(schedule) if schedule.poisson && schedule.all().is_some() => {
            "when the area below the rate of all shards reaches the sum of the first i+1 of n+1 \
             exponential draws, in proportion to the whole area over the sum of all of them"
        }
        Arrival::Open(schedule) if schedule.poisson => {
            "when the area below the rate of all shards reaches the sum of the first i+1 \
             exponential draws"
        }
        Arrival::Open(_) => "when the area below the rate of all shards reaches i",
    }
}
