use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::{Durability, FileSeal, replace};
use super::shards::{self, ShardEntry};
use super::writer::Origin;
use metrics::{PhaseScope, micros};
use record::{ObserveError, PhaseRecord, PhaseStarted};
use scenario::Plan;
use scenario::plan::{ClockKind, Phase, Step, TargetPlan};
use seed::Seed;
use shard::Shard;
use timestamp::Timestamp;

/// The name of the manifest in its folder.
pub const MANIFEST: &str = "manifest.json";

/// What the layout of the folder is called; it changes when a reader would have to.
const FORMAT: u32 = 1;

/// What a folder is about: written before anything else, sealed after everything else.
///
/// Two runs of one plan on the virtual clock differ in `wall_clock` alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The layout of the folder.
    pub format: u32,
    /// How the run ended, if it did.
    pub status: Status,
    /// Whether every phase was walked to its end.
    pub complete: bool,
    /// What made the folder.
    pub tool: Tool,
    /// The name of the scenario.
    pub scenario: String,
    /// What the scenario is about.
    pub description: Option<String>,
    /// What the command line changed in the scenario.
    pub overrides: Vec<String>,
    /// SHA-256 over everything that decides what is sent.
    pub plan_digest: String,
    /// The same of its parts, to say what differs from another plan.
    #[serde(default)]
    pub plan_parts: BTreeMap<String, String>,
    /// The seed of the run.
    pub seed: Seed,
    /// Whose time passed: `virtual` or `wall`.
    pub clock: String,
    /// The moment from which every `…_us` counts.
    pub start: Timestamp,
    /// What was called: `embedded`, `served` or `http`.
    pub target: String,
    /// What the latencies are.
    pub latencies: LatencyKind,
    /// The context dimensions, as in `events.csv`.
    pub context: Vec<String>,
    /// How many iterations make one point of the success curve.
    pub curve_batch: u64,
    /// The phases, in the order of the plan.
    pub phases: Vec<PhaseEntry>,
    /// Which part of a load was made here, if not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The shards that were merged here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<ShardEntry>,
    /// What must hold of a load that is cut, once its shards are merged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<String>,
    /// Where a run stopped that is not complete.
    pub stopped_at: Option<StoppedAt>,
    /// Every other file of the folder, once it is sealed.
    pub files: BTreeMap<String, FileSeal>,
    /// What differs from run to run.
    pub wall_clock: WallClockEntry,
}

/// How a run ended, if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It did not, or it was killed.
    Running,
    /// Every phase was walked to its end.
    Complete,
    /// It was asked to stop.
    Interrupted,
    /// The target or a phase failed.
    Failed,
    /// Some of its shards are not there.
    Partial,
}

/// What made a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// The name of the program.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What latencies are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyKind {
    /// Whether they were drawn, not measured.
    pub simulated: bool,
}

/// A phase and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseEntry {
    /// The name.
    pub name: String,
    /// What it does, such as `iterate`.
    pub kind: String,
    /// How many iterations it is to make, if it makes any.
    pub iterations: Option<u64>,
    /// When it began, in microseconds of the run.
    pub started_us: Option<u64>,
    /// When it ended.
    pub ended_us: Option<u64>,
    /// What the service said before the change that it waits for, if it waits for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaited: Option<String>,
}

/// Where a run stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedAt {
    /// The phase that would go on.
    pub phase: String,
    /// The iteration that would come next, in a phase that makes any.
    pub iteration: Option<u64>,
}

/// What differs from run to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WallClockEntry {
    /// When the run began.
    pub started: Timestamp,
    /// When it went on after it had ended early.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<Timestamp>,
    /// When the folder was sealed.
    pub ended: Option<Timestamp>,
    /// The name of the machine.
    pub host: Option<String>,
}

impl Manifest {
    pub(super) fn of(plan: &Plan, origin: &Origin) -> Self {
        let wall_clock = WallClockEntry {
            started: origin.started,
            ended: None,
            resumed: Vec::new(),
            host: origin.host.clone(),
        };
        let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        Self {
            format: FORMAT,
            status: Status::Running,
            complete: false,
            tool: Tool { name: name.to_owned(), version: version.to_owned() },
            scenario: plan.name.clone(),
            description: plan.description.clone(),
            overrides: plan.source.overrides.clone(),
            plan_digest: plan.digest.clone(),
            plan_parts: plan.parts(),
            seed: plan.seed,
            clock: clock_name(plan.clock).to_owned(),
            start: origin.clock_start,
            target: target_name(&plan.target).to_owned(),
            latencies: LatencyKind { simulated: matches!(plan.target, TargetPlan::Embedded(_)) },
            context: plan.population.dimensions.clone(),
            curve_batch: plan.curve_batch,
            phases: plan.phases.iter().map(|phase| PhaseEntry::of(phase, plan)).collect(),
            shard: plan.shard,
            shards: Vec::new(),
            expectations: shards::expectations(plan),
            stopped_at: None,
            files: BTreeMap::new(),
            wall_clock,
        }
    }

    /// The phases, as expectations and summaries know them.
    pub fn scopes(&self) -> impl Iterator<Item = PhaseScope<'_>> {
        let phases = self.phases.iter();
        phases.map(|phase| PhaseScope { name: &phase.name, iterations: phase.iterations })
    }

    pub(super) fn phase_started(&mut self, started: &PhaseStarted) {
        if let Some(phase) = self.phases.get_mut(started.phase) {
            phase.started_us = Some(micros(started.at));
        }
    }

    pub(super) fn phase_ended(&mut self, ended: &PhaseRecord) {
        if let Some(phase) = self.phases.get_mut(ended.phase) {
            phase.ended_us = Some(micros(ended.ended));
        }
    }

    pub(super) fn write(&self, folder: &Path, durability: Durability) -> Result<(), ObserveError> {
        replace(&folder.join(MANIFEST), &json(self), durability)
    }

    /// Where a run of which so many iterations of each phase are known would go on.
    #[must_use]
    pub fn next_step(&self, iterations: impl Fn(usize) -> u64) -> Option<StoppedAt> {
        let open = |(index, phase): &(usize, &PhaseEntry)| match phase.iterations {
            Some(planned) => iterations(*index) < planned,
            None => phase.ended_us.is_none() && !self.went_beyond(*index, &iterations),
        };
        let (index, phase) = self.phases.iter().enumerate().find(open)?;
        let iteration = phase.iterations.map(|_| iterations(index));
        Some(StoppedAt { phase: phase.name.clone(), iteration })
    }

    /// Whether a later phase has begun: then this one had ended.
    fn went_beyond(&self, index: usize, iterations: impl Fn(usize) -> u64) -> bool {
        let later = self.phases.iter().enumerate().skip(index + 1);
        later.into_iter().any(|(index, phase)| phase.started_us.is_some() || iterations(index) > 0)
    }
}

impl PhaseEntry {
    fn of(phase: &Phase, plan: &Plan) -> Self {
        let iterations = match &phase.step {
            Step::Iterate(iterate) => Some(plan.stride().count(iterate.iterations)),
            _ => None,
        };
        let (name, kind) = (phase.name.clone(), kind(&phase.step).to_owned());
        Self { name, kind, iterations, started_us: None, ended_us: None, awaited: None }
    }
}

/// What a phase is called in a scenario.
fn kind(step: &Step) -> &'static str {
    match step {
        Step::Iterate(_) => "iterate",
        Step::Wait(_) => "wait",
        Step::Pause(_) => "pause",
        Step::Evaluate(_) => "evaluate",
        Step::ApplyPolicy(_) => "apply_policy",
        Step::Configure(_) => "configure",
        Step::Reset => "reset",
    }
}

fn target_name(target: &TargetPlan) -> &'static str {
    match target {
        TargetPlan::Embedded(_) => "embedded",
        TargetPlan::Served(_) => "served",
        TargetPlan::Http(_) => "http",
    }
}

fn clock_name(clock: ClockKind) -> &'static str {
    match clock {
        ClockKind::Virtual => "virtual",
        ClockKind::Wall => "wall",
    }
}

/// JSON for people and programs, with a line break at the end.
pub(super) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("results have string keys only");
    bytes.push(b'\n');
    bytes
}
