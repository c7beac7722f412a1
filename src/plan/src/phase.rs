//! What a run does, step by step.

use std::num::NonZero;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::{Arrival, Delay, Population, Settings};
use ::policy::Policy;
use metrics::{PhaseScope, Tags};
use seed::PhaseKey;

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

/// A policy in the identity of a plan is its arguments.
pub(crate) fn arguments<S: Serializer>(policy: &Policy, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(policy.arguments())
}
