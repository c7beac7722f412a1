//! The entries of a manifest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use metrics::Tags;
use plan::Plan;
use plan::{Phase, Step};
use shard::Shard;
use timestamp::Timestamp;

/// How a run ended, if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It has not ended, or was killed.
    Running,
    /// Every phase is complete.
    Complete,
    /// It was asked to stop.
    Interrupted,
    /// The target or a phase failed.
    Failed,
    /// Some of its shards are missing.
    Partial,
}

/// The program that made a folder.
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
    /// Whether they were simulated, not measured.
    pub simulated: bool,
}

/// A phase, and when it started and ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseEntry {
    /// The name.
    pub name: String,
    /// Its kind, such as `iterate`.
    pub kind: String,
    /// How many iterations it plans, if it makes any.
    pub iterations: Option<u64>,
    /// Phases with the same number, which follow each other, began at one moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<usize>,
    /// What its numbers are tagged with.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// When it began, in microseconds of the run.
    pub started_us: Option<u64>,
    /// When it ended.
    pub ended_us: Option<u64>,
    /// The iteration before which the population drifts, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_at: Option<u64>,
    /// The rate that was asked for, in iterations per second, once it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_rate: Option<f64>,
    /// How many models the loop exported in it, if the target tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_exports: Option<u64>,
    /// The value of the service's setting before the change that the phase waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaited: Option<String>,
}

/// Where a run stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedAt {
    /// The phase that would continue.
    pub phase: String,
    /// The iteration that would come next, in a phase that makes any.
    pub iteration: Option<u64>,
}

/// What differs from run to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WallClockEntry {
    /// When the run began.
    pub started: Timestamp,
    /// When it was resumed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The name of the machine.
    pub host: Option<String>,
}

/// A shard that was merged. Its times count from its own start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// Which.
    pub shard: Shard,
    /// Whether its run is complete.
    pub complete: bool,
    /// When it started.
    pub start: Timestamp,
    /// What differs from run to run.
    pub wall_clock: WallClockEntry,
    /// Its phases.
    pub phases: Vec<PhaseEntry>,
    /// Why latencies of a phase are not valid, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub saturation: BTreeMap<String, String>,
    /// The notices of its run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

impl PhaseEntry {
    pub(super) fn of(phase: &Phase, plan: &Plan) -> Self {
        let iterate = match &phase.step {
            Step::Iterate(iterate) => Some(iterate),
            _ => None,
        };
        Self {
            name: phase.name.clone(),
            kind: kind(&phase.step).to_owned(),
            iterations: iterate.map(|iterate| plan.stride().count(iterate.iterations)),
            parallel: phase.parallel,
            tags: phase.tags.clone(),
            started_us: None,
            ended_us: None,
            drift_at: iterate.and_then(|iterate| iterate.drift.as_ref()).map(|drift| drift.at),
            asked_rate: None,
            model_exports: None,
            awaited: None,
        }
    }
}

/// The name of the kind of a phase, as in a scenario.
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
