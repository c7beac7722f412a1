//! The whole of a plan.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use super::{
    Catalogue, LogWorld, Outputs, Phase, Population, Redactor, RewardRule, Secret, Step,
    TargetPlan, digest,
};
use metrics::Expectation;
use protocol::RankableAction;
use seed::Seed;
use shard::{Shard, Stride};

/// Everything a run needs.
///
/// As JSON it is what decides what is sent: see [`Plan::digest`].
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The name of the scenario; it names the results folder.
    #[serde(skip)]
    pub name: String,
    /// What the scenario is about, for the summary.
    #[serde(skip)]
    pub description: Option<String>,
    /// The seed of the run.
    pub seed: Seed,
    /// The YAML text as it was read, and what `--set` and `--seed` made of it.
    #[serde(skip)]
    pub source: Source,
    /// SHA-256 over everything that decides what is sent: the effective scenario and
    /// the contents of its files. 64 hex digits.
    #[serde(skip)]
    pub digest: String,
    /// Who turns up, in which context, and what they want.
    pub population: Population,
    /// The actions of every Rank request.
    pub actions: Arc<[RankableAction]>,
    /// What the world is made of, if it is a log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogWorld>,
    /// Which of the actions each event offers, if not all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<Arc<Catalogue>>,
    /// Ids of actions that every Rank request excludes (from the request template).
    pub excluded_actions: Vec<String>,
    /// Whether events are activated later (from the request template).
    pub defer_activation: bool,
    /// How a choice becomes a reward.
    pub reward: RewardRule,
    /// What is called.
    pub target: TargetPlan,
    /// Whose time passes.
    pub clock: ClockKind,
    /// How many iterations make one point of the success curve.
    #[serde(skip)]
    pub curve_batch: u64,
    /// In which form the results folder holds its large files.
    #[serde(skip)]
    pub outputs: Outputs,
    /// The phases, in order.
    pub phases: Vec<Phase>,
    /// What must hold at the end.
    #[serde(skip)]
    pub expectations: Vec<Expectation>,
    /// Which part of the iterations is made, if the load is cut.
    #[serde(skip)]
    pub shard: Option<Shard>,
}

impl Plan {
    /// SHA-256 of each part that decides what is sent, by a name for people.
    #[must_use]
    pub fn parts(&self) -> BTreeMap<String, String> {
        digest::parts(self)
    }

    /// The iterations that are made of each phase.
    #[must_use]
    pub fn stride(&self) -> Stride {
        self.shard.unwrap_or(Shard::WHOLE).stride()
    }

    /// The phases that begin at one moment with that of index `first`, the first of them.
    #[must_use]
    pub fn together(&self, first: usize) -> Range<usize> {
        let parallel = self.phases.get(first).and_then(|phase| phase.parallel);
        let beside = self.phases.iter().skip(first + 1);
        let beside = beside.take_while(|of| parallel.is_some() && of.parallel == parallel);
        first..first + 1 + beside.count()
    }

    /// Everyone who turns up, in any phase.
    pub fn populations<'a>(
        usual: &'a Population,
        phases: &'a [Phase],
    ) -> impl Iterator<Item = &'a Population> {
        let of_phases = phases.iter().filter_map(|phase| match &phase.step {
            Step::Iterate(iterate) => Some(iterate),
            _ => None,
        });
        let others = of_phases.flat_map(|iterate| {
            let drifted = iterate.drift.as_ref().map(|drift| &drift.population);
            iterate.users.iter().chain(drifted)
        });
        std::iter::once(usual).chain(others)
    }

    /// Whether the log of the loop is ever read: by an evaluation, by the loop's own
    /// optimization, or by a learning policy that learns it anew.
    #[must_use]
    pub fn reads_log(&self) -> bool {
        let reads = |phase: &Phase| {
            matches!(phase.step, Step::Evaluate(_) | Step::ApplyPolicy(_) | Step::Configure(_))
        };
        let optimizes = self.target.start().is_none_or(|(configuration, _)| {
            configuration.is_auto_optimization_enabled.unwrap_or_default()
        });
        optimizes || self.phases.iter().any(reads)
    }

    /// How many slots the iterations of a phase have at most, if any has slots.
    #[must_use]
    pub fn most_slots(&self) -> Option<usize> {
        self.phases.iter().filter_map(|phase| phase.step.slots()).max()
    }

    /// How many actions an event offers that are not excluded: the mean, where it varies.
    #[must_use]
    pub fn choices(&self) -> usize {
        match self.catalogue.as_ref().and_then(|catalogue| catalogue.candidates) {
            Some((least, most)) => usize::midpoint(least, most),
            None => self.actions.len().saturating_sub(self.excluded_actions.len()),
        }
    }

    /// Takes the secrets of the plan out of texts.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        Redactor::new(self.secrets())
    }

    /// Every text of the plan that must appear in no output.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let service = match &self.target {
            TargetPlan::Http(service) => Some(service),
            TargetPlan::Embedded(_) | TargetPlan::Served(_) => None,
        };
        service.into_iter().flat_map(|service| service.secrets())
    }
}

/// The text of the scenario file.
#[derive(Debug, Clone)]
pub struct Source {
    /// The path as the user gave it.
    pub path: String,
    /// The text as it was read.
    pub text: String,
    /// `--set` and `--seed`, in the order given.
    pub overrides: Vec<String>,
}

/// Whose time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ClockKind {
    /// Simulated time, as fast as the machine can.
    Virtual,
    /// The machine's time.
    Wall,
}
