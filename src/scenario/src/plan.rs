//! The plan of a run: valid, complete, and independent of the files it was read from.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

pub use super::arrival::{Arrival, Schedule, Stage};
pub use super::catalogue::{ActionState, Catalogue};
pub use super::delay::DelaySampler;
pub use super::mapping::{
    Call, Format, Mapping, Method, RenderedCall, Reply, RewardCall, SingularPath, StepCall, Take,
    TakeError, Taken, ValueSource, Variables,
};
pub use super::model::Settings;
pub use super::reward::{ActionRewards, Chance, Choice, Formula, Preference, RewardRule, Wanted};
pub use super::secret::{Redactor, Secret};
pub use super::service::{ConnectionPlan, Header, HttpPlan, Operation, Retries, Timeouts};
use ::policy::Policy;
use metrics::{Expectation, PhaseScope, Tags};
use protocol::{FeatureObject, RankableAction, ServiceConfiguration};
use seed::{PhaseKey, Seed};
use shard::{Shard, Stride};
pub use twin::LoggedChoices;

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
        super::digest::parts(self)
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
    pub(super) fn populations<'a>(
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
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
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

/// What a results folder holds, and in which form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outputs {
    /// The iterations, `events.csv`.
    pub events: OutputForm,
    /// The joined events of the loop, `log.dsjson`.
    pub log: OutputForm,
    /// The percentiles of latencies in the summary, in rising order; none, if they are the usual
    /// ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub percentiles: Vec<f64>,
}

impl Outputs {
    /// Whether they are those of a scenario that says nothing of them.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// The form of a large file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputForm {
    /// There is none.
    None,
    /// As text.
    #[default]
    Plain,
    /// Zstandard-compressed, in a file with the suffix `.zst`.
    Zstd,
    /// As Parquet, once the run is complete; until then Zstandard-compressed.
    Parquet,
}

/// Whose time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ClockKind {
    /// Simulated time, as fast as the machine can.
    Virtual,
    /// The machine's time.
    Wall,
}

/// Who turns up, in which context, and what they want.
#[derive(Debug, Clone, Serialize)]
pub struct Population {
    /// The names of the context dimensions.
    pub dimensions: Vec<String>,
    /// The rows. One is drawn for each iteration, in proportion to its weight.
    pub rows: Vec<Visitor>,
}

/// One row of the population.
#[derive(Debug, Clone, Serialize)]
pub struct Visitor {
    /// The value of each dimension as text, for results.
    pub context: Arc<[String]>,
    /// The context features of the Rank request.
    pub features: Arc<[FeatureObject]>,
    /// What they want.
    #[serde(flatten)]
    pub preference: Preference,
    /// The indices of the actions that can be offered to them; all, if none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<Arc<[usize]>>,
    /// How often this row turns up, relative to the others. Finite, positive.
    pub weight: f64,
    /// The actions as they are offered to them, in the order of `actions`, where their features are
    /// their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offered: Option<Arc<[RankableAction]>>,
    /// What a log says of them, where the world is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logged: Option<Logged>,
}

/// A world that is a log.
#[derive(Debug, Clone, Serialize)]
pub struct LogWorld {
    /// How it is played.
    pub kind: LogKind,
    /// What is to be known of it, in sentences.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// How a log is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum LogKind {
    /// Event by event, in their order. A choice counts where it is the logged one.
    Replay,
    /// In a world that is fitted on it.
    Twin,
}

/// What a log says of a visitor.
#[derive(Debug, Clone, Serialize)]
pub enum Logged {
    /// One event of a replay.
    Event {
        /// The index of the action that was taken.
        chosen: usize,
        /// Its reward.
        reward: f64,
        /// With which probability the same choice counts: the lowest probability of the log, of
        /// that of this event. Then every action of every event counts equally often.
        keep: f64,
    },
    /// What is known of each action that is offered, in a twin.
    Choices(#[serde(skip)] Arc<[LoggedChoices]>),
}

/// One step of the run.
#[derive(Debug, Clone, Serialize)]
pub struct Phase {
    /// The name, unique in the scenario.
    pub name: String,
    /// The name as an address of draws.
    #[serde(skip)]
    pub key: PhaseKey,
    /// Phases with the same number, which follow each other, begin at one moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel: Option<usize>,
    /// What its numbers are tagged with.
    #[serde(skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// What is done.
    pub step: Step,
}

impl Phase {
    /// A phase of this name, alone and without tags.
    #[must_use]
    pub fn new(name: &str, step: Step) -> Self {
        let (parallel, tags) = (None, Tags::new());
        Self { name: name.to_owned(), key: PhaseKey::new(name), parallel, tags, step }
    }

    /// What metrics may say of it.
    #[must_use]
    pub fn scope(&self) -> PhaseScope<'_> {
        let iterations = match &self.step {
            Step::Iterate(iterate) => Some(iterate.iterations),
            _ => None,
        };
        PhaseScope {
            name: &self.name,
            iterations,
            slots: self.step.slots().unwrap_or(0),
            tags: &self.tags,
        }
    }
}

/// What a phase does.
#[derive(Debug, Clone, Serialize)]
pub enum Step {
    /// Rank and Reward, over and over.
    Iterate(Iterate),
    /// Lets time pass.
    Wait(Duration),
    /// Waits for the operator, or for what the operator does to the service.
    Pause(Pause),
    /// Runs an offline evaluation.
    Evaluate(Evaluate),
    /// Makes a learning policy the online one.
    ApplyPolicy(NamedPolicy),
    /// Changes settings, and reads them back.
    Configure(Configure),
    /// Clears the loop's model, log and policy.
    Reset,
}

impl Step {
    /// How many slots its iterations fill, if they have slots.
    #[must_use]
    pub fn slots(&self) -> Option<usize> {
        match self {
            Self::Iterate(iterate) => iterate.slots.map(NonZero::get),
            _ => None,
        }
    }
}

/// Rank and Reward, over and over.
#[derive(Debug, Clone, Serialize)]
pub struct Iterate {
    /// How often, in all shards together.
    pub iterations: u64,
    /// When they start.
    pub arrival: Arrival,
    /// After how many iterations the model's age is asked for; never, if it is zero.
    pub model_check_interval: u64,
    /// After so many failed iterations more than these the service is given up.
    pub error_budget: Option<u64>,
    /// How long a visitor takes between the choice and the reward.
    pub think_time: Delay,
    /// What becomes of rewards on their way to the service.
    #[serde(skip_serializing_if = "RewardDelivery::is_reliable")]
    pub delivery: RewardDelivery,
    /// How many slots an iteration fills, if it does not choose a single action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<NonZero<usize>>,
    /// Who turns up in this phase alone, if not those who usually do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Population>,
    /// When other visitors begin to turn up, in this phase and, unless it is parallel to others,
    /// those after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
}

/// What becomes of rewards on their way to the service: shares of them, in `[0, 1]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct RewardDelivery {
    /// Never arrive.
    pub lost: f64,
    /// Are sent twice.
    pub repeated: f64,
}

impl RewardDelivery {
    /// Whether every reward arrives once.
    #[must_use]
    pub fn is_reliable(&self) -> bool {
        *self == Self::default()
    }
}

/// The truth changes: other visitors turn up, or the same with other preferences.
#[derive(Debug, Clone, Serialize)]
pub struct Drift {
    /// From this iteration on.
    pub at: u64,
    /// Who turns up then.
    pub population: Population,
}

/// Iterations per second. Finite, positive.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate(pub f64);

/// A delay that varies from iteration to iteration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Delay {
    /// Always the same.
    Constant(Duration),
    /// Log-normal, by its median and its 99th percentile.
    LogNormal {
        /// Half of the delays are below.
        median: Duration,
        /// 99 in 100 are below. At least the median.
        p99: Duration,
    },
}

/// Waits for the operator, or for what the operator does to the service.
#[derive(Debug, Clone, Serialize)]
pub enum Pause {
    /// Shows the text and waits for the Enter key.
    Prompt(String),
    /// Asks the service every `poll` until something changes.
    Until {
        /// What has to change.
        change: AwaitedChange,
        /// What the operator is reminded of.
        reminder: Option<String>,
        /// How often the service is asked.
        poll: Duration,
        /// After how long the run gives up.
        timeout: Duration,
    },
}

/// What a pause waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum AwaitedChange {
    /// The arguments of the online policy.
    Policy,
    /// The last-modified time of the model.
    Model,
}

/// A learning policy with a name.
#[derive(Debug, Clone, Serialize)]
pub struct NamedPolicy {
    /// The name.
    pub name: String,
    /// The policy.
    #[serde(serialize_with = "arguments")]
    pub policy: Policy,
}

/// Runs an offline evaluation over everything logged so far.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluate {
    /// Policies to compare, beside the online policy and the baselines.
    pub policies: Vec<NamedPolicy>,
    /// Whether to search for better ones.
    pub discover: bool,
    /// What to apply afterwards.
    pub apply: Apply,
    /// After how long the run gives up.
    pub timeout: Duration,
}

/// What is applied after an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Apply {
    /// Nothing.
    None,
    /// The policy with the highest estimate, baselines left out: the top-most row of
    /// the portal's table. Nothing, if that is the online policy.
    Best,
    /// The policy with the highest lower bound. Nothing, if none exceeds what the online
    /// policy earned.
    Safest,
    /// The policy that the service calls optimal: better beyond doubt, else nothing.
    Optimal,
    /// The policy with this name.
    Named(String),
}

/// Changes settings, and reads them back. What is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Configure {
    /// What to change.
    pub change: Settings,
    /// What must hold when the settings are read back; what was changed is checked too.
    pub verify: Settings,
}

/// What is called.
#[derive(Debug, Clone, Serialize)]
pub enum TargetPlan {
    /// The loop inside.
    Embedded(Box<EmbeddedPlan>),
    /// The loop inside, served over HTTP on the loopback for as long as the run lasts.
    Served(Box<ServedPlan>),
    /// A service by its address.
    Http(Box<HttpPlan>),
}

impl TargetPlan {
    /// How the service is called, if it is not shaped like Personalizer.
    #[must_use]
    pub fn mapping(&self) -> Option<&Arc<Mapping>> {
        match self {
            Self::Http(plan) => plan.mapping.as_ref(),
            Self::Embedded(_) | Self::Served(_) => None,
        }
    }

    /// The settings and the learning policy that the loop starts with; a service's are its
    /// own.
    #[must_use]
    pub fn start(&self) -> Option<(&ServiceConfiguration, &Policy)> {
        match self {
            Self::Embedded(plan) => Some((&plan.configuration, &plan.policy)),
            Self::Served(plan) => Some((&plan.configuration, &plan.policy)),
            Self::Http(_) => None,
        }
    }
}

/// The loop inside, served over HTTP.
#[derive(Debug, Clone, Serialize)]
pub struct ServedPlan {
    /// The settings it starts with.
    pub configuration: ServiceConfiguration,
    /// The learning policy it starts with.
    #[serde(serialize_with = "arguments")]
    pub policy: Policy,
    /// The programs that the scenario names: no others are started.
    #[serde(skip)]
    pub programs: Vec<Policy>,
}

/// The loop inside.
#[derive(Debug, Clone, Serialize)]
pub struct EmbeddedPlan {
    /// The settings it starts with.
    pub configuration: ServiceConfiguration,
    /// The learning policy it starts with.
    #[serde(serialize_with = "arguments")]
    pub policy: Policy,
    /// The programs that the scenario names: no others are started.
    #[serde(skip)]
    pub programs: Vec<Policy>,
    /// How long Rank seems to take.
    pub rank_latency: Delay,
    /// How long Reward seems to take.
    pub reward_latency: Delay,
}

fn arguments<S: Serializer>(policy: &Policy, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(policy.arguments())
}
