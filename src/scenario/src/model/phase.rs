//! Phases.

use std::time::Duration;

use serde_json::Value as Json;

use super::notation::{DURATION, PHASE_NAME, RATE, share};
use super::policy::{policy as learning_policy, policy_text};
use super::tags::tags;
use super::target::{delay, positive};
use crate::document::{ItemName, Node, Value, flat_items, item_names};
use crate::format::{
    BOOLEAN, Either, Form, NOTHING, Named, Owner, Placed, Read, Reading, Share, Spot, TEXT, Tagged,
    Variant, by_default, count, each_of, either, entries_of, flatten, list_of, number, object,
    optional, or, or_empty, required, required_unless, size, tagged, variant, variant_or_word,
    word,
};
use crate::policy;
use ::policy::Policy;
use diagnostic::{Diagnostic, Place};
use metrics::Tags;
use plan::{AwaitedChange, Delay, Rate};
use plan::{Settings, Stage};

/// So many slots a round may have.
pub(crate) const MOST_SLOTS: u64 = 50;

/// How many policies the service compares in one evaluation.
const MOST_POLICIES: usize = 10;

/// An item of `phases`.
#[derive(Debug, Clone)]
pub(crate) struct PhaseItem {
    /// The name, given or made of the kind.
    pub name: String,
    /// Where the name is, if it is given.
    pub name_place: Option<Place>,
    /// Where it says what is done.
    pub place: Place,
    /// Which item of `phases` it belongs to, if that is a `parallel` of several.
    pub parallel: Option<usize>,
    /// What is done; `None` if it cannot be read.
    pub step: Option<StepFile>,
}

/// What a phase does.
#[derive(Debug, Clone)]
pub(crate) enum StepFile {
    Iterate(Box<IterateFile>),
    Wait(Duration),
    Pause(PauseFile),
    Evaluate(EvaluateFile),
    ApplyPolicy(Option<String>, Policy),
    Configure(ConfigureFile),
    Reset,
}

/// What may run beside others.
fn branch() -> Tagged<StepFile> {
    tagged([iterating()])
}

fn iterating() -> Variant<StepFile> {
    variant(
        "iterate",
        "Rank and Reward, over and over.",
        object().map(|iterate| StepFile::Iterate(Box::new(iterate))),
    )
}

fn step() -> Tagged<StepFile> {
    tagged([
        iterating(),
        // Its items are read as phases, unless there are none.
        variant(
            "parallel",
            "Several phases of `iterate` that begin at one moment.",
            each_of(branch(), 1).and_then(|_, _, _| None),
        ),
        variant("wait", "Lets time pass.", wait().map(StepFile::Wait)),
        variant(
            "pause",
            "Waits for the operator, or for what the operator does to the service.",
            pause().map(StepFile::Pause),
        ),
        variant_or_word(
            "evaluate",
            "Runs an offline evaluation of everything logged so far.",
            either([object().boxed(), NOTHING.map(|()| by_default()).boxed()])
                .map(StepFile::Evaluate),
            || StepFile::Evaluate(by_default()),
        ),
        variant(
            "apply_policy",
            "Makes a learning policy the online one.",
            either([
                policy_text().map(|policy| StepFile::ApplyPolicy(None, policy)).boxed(),
                object()
                    .map(|of: PolicyFile| StepFile::ApplyPolicy(Some(of.name), of.arguments))
                    .boxed(),
            ]),
        ),
        variant(
            "configure",
            "Changes settings of the loop, and reads them back.",
            object().and_then(change_alone).map(StepFile::Configure),
        ),
        variant_or_word(
            "reset",
            "Clears the loop's model, log and learning policy.",
            NOTHING.map(|()| StepFile::Reset),
            || StepFile::Reset,
        ),
    ])
}

fn steps() -> impl Form<Value = Vec<StepFile>> {
    each_of(step(), 1).instead_of_empty("add a phase, such as `- iterate: { iterations: 1_000 }`")
}

/// The list of phases: each has a name, also if the rest of it cannot be read.
pub(super) struct Phases;

impl Form for Phases {
    type Value = Vec<PhaseItem>;

    fn fits(&self, node: &Node) -> bool {
        steps().fits(node)
    }

    fn read(
        &self,
        node: &Node,
        owner: Owner<'_>,
        reading: &mut Reading<'_>,
    ) -> Option<Vec<PhaseItem>> {
        if node.items().is_empty() {
            steps().read(node, owner, reading);
            return None;
        }
        let flat = flat_items(node.items());
        let names = item_names(flat.iter().map(|(item, _)| *item));
        let items = flat.into_iter().zip(names).filter_map(|((item, parallel), name)| {
            let owner = Owner { place: &item.place, ..owner };
            let form = if parallel.is_some() { branch() } else { step() };
            let step = form.decode(item, owner, reading);
            let place = place_of_kind(item)?.clone();
            let ItemName { name, place: name_place } = name?;
            Some(PhaseItem { name, name_place, place, parallel, step })
        });
        Some(items.collect())
    }

    fn expected(&self) -> String {
        steps().expected()
    }

    fn hint(&self, node: &Node) -> Option<String> {
        steps().hint(node)
    }

    fn schema(&self) -> Json {
        steps().schema()
    }
}

/// A word, or the first key of a map.
fn place_of_kind(item: &Node) -> Option<&Place> {
    match &item.value {
        Value::Text(_) => Some(&item.place),
        Value::Map(entries) => entries.first().map(|entry| &entry.place),
        _ => None,
    }
}

keyed! {
    /// The name.
    pub(crate) struct PhaseName {
        /// The name of the phase; its kind, if it is not said.
        _name as "name": Option<String> = optional(PHASE_NAME),
    }
}

/// What makes a round start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArrivalKind {
    Closed,
    Open,
}

keyed! {
    /// Rank and Reward, over and over.
    pub(crate) struct IterateFile {
        /// The name of the phase; expectations and results call it so.
        _name as "name": String = required(PHASE_NAME),
        /// How many rounds of Rank and Reward.
        iterations: Option<Placed<u64>> = required_unless(
            count(1, 1_000_000_000)
                .instead_of_zero("a phase without iterations can never run; leave it out")
                .at(),
            &["duration", "stages"],
        ),
        /// What makes a round start.
        arrival: ArrivalKind = or(word(&[
            (
                "closed",
                ArrivalKind::Closed,
                "A round starts when another has ended: `concurrency` are under way, and `rate` \
                 may hold them back.",
            ),
            (
                "open",
                ArrivalKind::Open,
                "Rounds start on the schedule of `rate` and `stages`, whatever the service does.",
            ),
        ]), "\"closed\""),
        /// How many rounds may be under way at once.
        concurrency: Placed<usize> = or(size(1, 65_536).at(), "1"),
        /// How many rounds may start, for example `50/s`. As many as the concurrency allows, if
        /// it is not said. The rate before the first stage of an open arrival, which may be
        /// `0/s`.
        rate: Option<Placed<Rate>> = optional(RATE.at()),
        /// How the rate of an open arrival changes, from `rate` or from nothing.
        stages: Option<Placed<Vec<Stage>>> = optional(list_of(object(), 1).at()),
        /// How long rounds of an open arrival start, in place of `iterations`.
        duration: Option<Placed<Duration>> = optional(DURATION.at()),
        /// Whether the gaps of an open arrival are random, as if visitors knew nothing of each
        /// other.
        poisson: Placed<bool> = or(BOOLEAN.at(), "false"),
        /// How many rounds of an open arrival may be under way at once. What cannot start when it
        /// is due is dropped, and counted.
        max_in_flight: Placed<usize> = or(size(1, 65_536).at(), "10000"),
        /// How long a visitor takes between the choice and the reward: a duration, or log-normal
        /// by `median` and `p99`.
        think_time: Delay = or(delay(), "\"0s\""),
        /// How many slots a round fills, each with another action: Rank and Reward are those of
        /// the contract for several slots, and the learning policy has `--ccb_explore_adf`.
        slots: Option<Placed<usize>> = optional(size(1, MOST_SLOTS).at()),
        /// The share of the rewards that never reach the service.
        lost_rewards: Placed<f64> = or(number(0.0, 1.0).at(), "0"),
        /// The share of the rewards that are sent twice.
        repeated_rewards: Placed<f64> = or(number(0.0, 1.0).at(), "0"),
        /// Who turns up in this phase alone: a file like that of `datasets`.
        users: Option<Placed<String>> = optional(TEXT.at()),
        /// When the truth changes: from then on other visitors turn up, in this phase and those
        /// after it; in one of `parallel`, in this phase alone.
        drift: Option<DriftFile> = optional(object()),
        /// How many iterations may fail, a count or a share, before the service is given up
        /// (exit 6).
        error_budget: Option<Share> = optional(share()),
        /// What the numbers of this phase are tagged with, such as `{ region: eu }`; beside the
        /// tags of the scenario.
        tags: Option<Tags> = optional(tags()),
        /// After how many iterations the model's age is asked for, if not as in the rest of the
        /// scenario.
        model_check: Option<Share> = optional(share()),
    }
}

keyed! {
    /// The truth changes.
    pub(crate) struct DriftFile {
        /// The first iteration for which it is another: a count, or a share of the phase.
        at: Placed<Share> = or(drift_start().at(), "0"),
        /// Who turns up from then on: a file like that of `datasets`.
        users: Option<Placed<String>> = required_unless(TEXT.at(), &["rotate"]),
        /// In place of `users`: everybody prefers the action that stands so many places behind
        /// that of the data set.
        rotate: Option<usize> = optional(size(1, 99_999)),
    }
}

fn drift_start() -> Either<Share> {
    either([count(0, 1_000_000_000).map(Share::Count).boxed(), share().boxed()])
}

keyed! {
    /// A linear change of the rate.
    reads Stage {
        /// The rate at its end.
        to: Rate = required(RATE),
        /// How long the change takes; `0s` is a jump.
        over: Duration = required(DURATION),
    }
}

keyed! {
    /// Lets time pass.
    struct WaitFile {
        /// The name.
        _name: PhaseName = flatten(),
        /// How long.
        time as "for": Duration = required(some_time()),
    }
}

fn wait() -> Either<Duration> {
    either([some_time().boxed(), object().map(|wait: WaitFile| wait.time).boxed()])
}

fn some_time() -> impl Form<Value = Duration> {
    DURATION.and_then(|time, spot, reading| {
        if time.is_zero() {
            let mistake = Diagnostic::error("`wait` must be above zero");
            reading.report.push(mistake.at(&spot.node.place));
            return None;
        }
        Some(time)
    })
}

/// What a pause waits for.
#[derive(Debug, Clone)]
pub(crate) enum PauseFile {
    Until(UntilFile),
    Prompt(String),
}

fn pause() -> Either<PauseFile> {
    either([
        object().map(PauseFile::Until).boxed(),
        object().map(|of: PromptFile| PauseFile::Prompt(of.prompt)).boxed(),
    ])
}

keyed! {
    /// Waits for what the operator does to the service.
    pub(crate) struct UntilFile marked "until" {
        /// The name.
        _name: PhaseName = flatten(),
        /// What has to change.
        until: Placed<AwaitedChange> = required(word(&[
            (
                "policy_changes",
                AwaitedChange::Policy,
                "The arguments of the online policy.",
            ),
            ("model_changes", AwaitedChange::Model, "The last-modified time of the model."),
        ]).at()),
        /// What the operator is reminded of.
        reminder: Option<String> = optional(TEXT),
        /// How often the service is asked.
        poll: Duration = or(positive(), "\"5s\""),
        /// After how long the run gives up.
        timeout: Duration = or(positive(), "\"1h\""),
    }
}

keyed! {
    /// Waits for the operator.
    struct PromptFile marked "prompt" {
        /// The name.
        _name: PhaseName = flatten(),
        /// What the operator reads. The Enter key goes on.
        prompt: String = required(TEXT),
    }
}

keyed! {
    /// Runs an offline evaluation of everything logged so far.
    pub(crate) struct EvaluateFile {
        /// The name.
        _name: PhaseName = flatten(),
        /// Whether to search for better learning policies.
        discover: bool = or(BOOLEAN, "false"),
        /// Learning policies to compare, by name, beside the online policy and the baselines.
        policies: Option<Vec<EvaluatedPolicy>> = optional(policies()),
        /// What to apply afterwards: `none`; `best`, the policy with the highest estimate;
        /// `safest`, the one whose interval has the highest lower bound, if that is above what the
        /// online policy earned; `optimal`, the one that the service calls optimal; or a policy by
        /// its name. With `discover`, estimates are those of the last fifth of the events, which
        /// the search has not seen.
        apply: Placed<String> = or(TEXT.at(), "\"none\""),
        /// After how long the run gives up.
        timeout: Duration = or(positive(), "\"1h\""),
    }
}

/// A policy of an evaluation.
pub(crate) type EvaluatedPolicy = Named<Read<Policy>>;

fn policies() -> impl Form<Value = Vec<EvaluatedPolicy>> {
    entries_of(learning_policy()).and_then(|policies: Vec<EvaluatedPolicy>, _, reading| {
        if let Some(policy) = policies.get(MOST_POLICIES) {
            let message = format!("an evaluation compares at most {MOST_POLICIES} policies");
            reading.report.push(Diagnostic::error(message).at(&policy.place));
        }
        for (index, policy) in policies.iter().enumerate() {
            check_policy_name(&policies[..index], policy, reading);
        }
        Some(policies)
    })
}

/// The service matches names in any case, so they must differ in more than that.
fn check_policy_name(
    earlier: &[EvaluatedPolicy],
    policy: &EvaluatedPolicy,
    reading: &mut Reading<'_>,
) {
    let Named { name, place, .. } = policy;
    policy::check_name(name, |message| Diagnostic::error(message).at(place), reading.report);
    if let Some(first) = earlier.iter().find(|other| other.name.eq_ignore_ascii_case(name)) {
        let mistake = Diagnostic::error(format!("`{name}` differs from another name only in case"));
        reading.report.push(mistake.at(place).context(&first.place, "first"));
    }
}

keyed! {
    /// A learning policy.
    struct PolicyFile {
        /// The name of the policy.
        name: String = required(TEXT),
        /// Vowpal Wabbit arguments, a linear policy, or a program.
        arguments: Policy = required(learning_policy()),
    }
}

keyed! {
    /// Changes settings, and reads them back.
    pub(crate) struct ConfigureFile {
        /// The name.
        _name: PhaseName = flatten(),
        /// What to change.
        change: Settings = flatten(),
        /// What else must hold when the settings are read back; what was changed is checked
        /// anyway.
        verify: Settings = or_empty(object()),
    }
}

/// Refuses one change of what the service refuses to change together.
fn change_alone(
    file: ConfigureFile,
    spot: Spot<'_>,
    reading: &mut Reading<'_>,
) -> Option<ConfigureFile> {
    let Settings { reward_wait_time, default_reward, reward_aggregation, .. } = &file.change;
    let of_rewards = [
        ("reward_wait_time", reward_wait_time.is_some()),
        ("default_reward", default_reward.is_some()),
        ("reward_aggregation", reward_aggregation.is_some()),
    ];
    let other = of_rewards.into_iter().find(|(_, changes)| *changes);
    let (Some(_), Some((other, _))) = (file.change.learning_mode, other) else {
        return Some(file);
    };
    let message = format!("the service refuses to change `learning_mode` and `{other}` together");
    let mistake = Diagnostic::error(message).at(spot.key("learning_mode"));
    reading.report.push(mistake.help("use two `configure` phases"));
    None
}
