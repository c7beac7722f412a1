use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::entries::{
    LatencyKind, PhaseEntry, ShardEntry, Status, StoppedAt, Tool, WallClockEntry,
};
use super::files::{Durability, FileChecksum, replace};
use super::layout::MANIFEST;
use metrics::{PhaseScope, Summary, micros};
use plan::Plan;
use plan::{ClockKind, LogKind, Outputs, TargetPlan};
use record::{ObserveError, PhaseRecord, PhaseStarted};
use seed::Seed;
use shard::Shard;
use timestamp::Timestamp;

/// The version of the folder's layout: it changes when readers have to.
const FORMAT: u32 = 1;

/// The manifest of a run: written before its other files, and again after them.
///
/// Two runs of one plan on the virtual clock differ in `wall_clock` alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The layout of the folder.
    pub format: u32,
    /// How the run ended, if it did.
    pub status: Status,
    /// Whether every phase is complete.
    pub complete: bool,
    /// The program that made the folder.
    pub tool: Tool,
    /// The name of the scenario.
    pub scenario: String,
    /// What the scenario is about.
    pub description: Option<String>,
    /// The `--set` arguments of the command line.
    pub overrides: Vec<String>,
    /// SHA-256 over everything that determines the requests.
    pub plan_digest: String,
    /// The same of its parts, to name what differs from another plan.
    #[serde(default)]
    pub plan_parts: BTreeMap<String, String>,
    /// The seed of the run.
    pub seed: Seed,
    /// `virtual` or `wall`.
    pub clock: String,
    /// The start of the run, from which every `…_us` counts.
    pub start: Timestamp,
    /// What was called: `embedded`, `served` or `http`.
    pub target: String,
    /// What the latencies are.
    pub latencies: LatencyKind,
    /// The context dimensions, as in `events.csv`.
    pub context: Vec<String>,
    /// Whether the world is the twin of a log: `events.csv` then says what the log says of choices.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub twin: bool,
    /// How many slots the iterations of a phase have at most: `events.csv` then says what was chosen
    /// for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<usize>,
    /// How many actions may be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<u64>,
    /// How many iterations make one point of the success curve.
    pub curve_batch: u64,
    /// In which form the large files are held.
    #[serde(default, skip_serializing_if = "Outputs::is_usual")]
    pub outputs: Outputs,
    /// The phases, in the order of the plan.
    pub phases: Vec<PhaseEntry>,
    /// The shard of the load that was made here, if not all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The shards that were merged here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<ShardEntry>,
    /// The expectations of a sharded load, judged after the merge.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<String>,
    /// Where a run stopped that is not complete.
    pub stopped_at: Option<StoppedAt>,
    /// Every other file of the folder, once the run ended.
    pub files: BTreeMap<String, FileChecksum>,
    /// What differs from run to run.
    pub wall_clock: WallClockEntry,
}

/// When and where a run happens.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The calendar time of the run's clock at its start; virtual runs have their own
    /// calendar.
    pub clock_start: Timestamp,
    /// The machine's calendar time.
    pub started: Timestamp,
    /// The name of the machine, if it is known.
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
        let (name, version) = ("runner", env!("CARGO_PKG_VERSION"));
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
            twin: plan.log.as_ref().is_some_and(|log| log.kind == LogKind::Twin),
            slots: plan.most_slots(),
            actions: Some(available_actions(plan)),
            curve_batch: plan.curve_batch,
            outputs: plan.outputs.clone(),
            phases: plan.phases.iter().map(|phase| PhaseEntry::of(phase, plan)).collect(),
            shard: plan.shard,
            shards: Vec::new(),
            expectations: shard_expectations(plan),
            stopped_at: None,
            files: BTreeMap::new(),
            wall_clock,
        }
    }

    /// The phases, as expectations and summaries need them.
    pub fn scopes(&self) -> impl Iterator<Item = PhaseScope<'_>> {
        let (phases, slots) = (self.phases.iter(), self.slots.unwrap_or(0));
        phases.map(move |phase| PhaseScope {
            name: &phase.name,
            iterations: phase.iterations,
            slots,
            tags: &phase.tags,
        })
    }

    /// Why latencies are not valid, by the name of the phase, as the shards reported it.
    #[must_use]
    pub(crate) fn saturation(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::<String, Vec<String>>::new();
        for entry in &self.shards {
            for (phase, reason) in &entry.saturation {
                let reason = format!("shard {}: {reason}", entry.shard);
                all.entry(phase.clone()).or_default().push(reason);
            }
        }
        all.into_iter().map(|(phase, reasons)| (phase, reasons.join("; "))).collect()
    }

    /// The index of the phase of this name.
    pub(crate) fn phase_index(&self, name: &str) -> Option<usize> {
        self.phases.iter().position(|phase| phase.name == name)
    }

    /// The summary of the run before anything happened.
    pub(super) fn summary(&self) -> Summary {
        Summary::new(self.scopes()).with_percentiles(&self.outputs.percentiles)
    }

    /// The phases that begin at one moment with that of index `first`, the first of them.
    pub(super) fn together(&self, first: usize) -> Range<usize> {
        let parallel = self.phases.get(first).and_then(|phase| phase.parallel);
        let beside = self.phases.iter().skip(first + 1);
        let beside = beside.take_while(|of| parallel.is_some() && of.parallel == parallel);
        first..first + 1 + beside.count()
    }

    /// Whether two phases begin at one moment.
    pub(super) fn are_parallel(&self, left: usize, right: usize) -> bool {
        let parallel = self.phases[left].parallel;
        parallel.is_some() && parallel == self.phases[right].parallel
    }

    pub(super) fn phase_started(&mut self, started: &PhaseStarted) {
        if let Some(phase) = self.phases.get_mut(started.phase) {
            phase.started_us = Some(micros(started.at));
        }
    }

    pub(super) fn phase_ended(&mut self, ended: &PhaseRecord) {
        if let Some(phase) = self.phases.get_mut(ended.phase) {
            phase.ended_us = Some(micros(ended.ended));
            phase.asked_rate = ended.asked_rate;
            phase.model_exports = ended.model_exports;
        }
    }

    /// Marks the run as running again.
    pub(super) fn reopen(&mut self) {
        (self.status, self.stopped_at) = (Status::Running, None);
    }

    pub(super) fn write(&self, folder: &Path, durability: Durability) -> Result<(), ObserveError> {
        replace(&folder.join(MANIFEST), &json(self), durability)
    }

    /// The first phase that is not complete, where `made(phase)` iterations are recorded.
    #[must_use]
    pub(crate) fn next_step(&self, made: impl Fn(usize) -> u64) -> Option<StoppedAt> {
        let phases = self.phases.iter().enumerate();
        let (index, phase) =
            phases.into_iter().find(|(index, _)| !self.is_complete(*index, &made))?;
        let iteration = phase.iterations.map(|_| made(index));
        Some(StoppedAt { phase: phase.name.clone(), iteration })
    }

    /// Whether a phase is complete: it made its iterations, or ended, or a later one has
    /// started. The recorded iterations decide over the manifest, which may be older.
    pub(crate) fn is_complete(&self, phase: usize, made: impl Fn(usize) -> u64) -> bool {
        let entry = &self.phases[phase];
        match entry.iterations {
            Some(planned) => made(phase) >= planned,
            None => entry.ended_us.is_some() || self.is_followed(phase, made),
        }
    }

    /// Whether a later phase has started.
    fn is_followed(&self, phase: usize, made: impl Fn(usize) -> u64) -> bool {
        let mut later = phase + 1..self.phases.len();
        later.any(|later| self.phases[later].started_us.is_some() || made(later) > 0)
    }
}

/// The expectations of a shard, judged after the merge; a whole run judges its own.
fn shard_expectations(plan: &Plan) -> Vec<String> {
    let texts = plan.expectations.iter().map(|expectation| expectation.text().to_owned());
    texts.filter(|_| plan.shard.is_some()).collect()
}

/// How many actions can be chosen.
pub(crate) fn available_actions(plan: &Plan) -> u64 {
    plan.choices() as u64
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
