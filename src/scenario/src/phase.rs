//! The phases of a scenario.

use std::num::NonZero;

use super::arrival::arrival;
use super::format::{Placed, Read, Share};
use super::model::{
    ConfigureFile, DriftFile, EvaluateFile, IterateFile, PauseFile, PhaseItem, ScenarioFile,
    StepFile,
};
use diagnostic::{Diagnostic, Report};
use metrics::Tags;
use plan::{
    Apply, Configure, Drift, Evaluate, Iterate, NamedPolicy, Pause, Phase, Population,
    RewardDelivery, Settings, Step,
};

/// Reads who turns up in phases.
pub(super) trait Visitors {
    /// Those of a file.
    fn users(&self, users: &Placed<String>, report: &mut Report) -> Option<Population>;

    /// The drift of a phase of so many iterations.
    fn drift(&self, drift: &DriftFile, iterations: u64, report: &mut Report) -> Option<Drift>;
}

/// The phases, as far as they can be understood.
pub(super) fn phases(
    file: &ScenarioFile,
    visitors: &dyn Visitors,
    report: &mut Report,
) -> Vec<Phase> {
    let (Ok(interval), Ok(shared)) = (file.model_check, &file.tags) else { return Vec::new() };
    let of_target = file.target.as_ref().ok().and_then(|target| target.value.tags());
    let shared: Vec<&Tags> = shared.iter().chain(of_target).collect();
    let items = file.phases.iter().flatten();
    let made = items.filter_map(|item| {
        let step = step(item, interval, visitors, report)?;
        let (parallel, tags) = (item.parallel, tags(item, &shared));
        Some(Phase { parallel, tags, ..Phase::new(&item.name, step) })
    });
    made.collect()
}

/// The tags of a phase: its own before those of the target, and these before those of the scenario.
/// What makes no iterations has none.
fn tags(item: &PhaseItem, shared: &[&Tags]) -> Tags {
    let Some(StepFile::Iterate(file)) = &item.step else { return Tags::new() };
    let all = shared.iter().copied().chain(&file.tags).flatten();
    all.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn step(
    item: &PhaseItem,
    interval: Share,
    visitors: &dyn Visitors,
    report: &mut Report,
) -> Option<Step> {
    Some(match item.step.as_ref()? {
        StepFile::Iterate(file) => {
            let mut iterate = iterate(item, file, interval, report)?;
            let users = file.users.as_ref();
            iterate.users = users.and_then(|users| visitors.users(users, report));
            let drift = file.drift.as_ref();
            iterate.drift =
                drift.and_then(|drift| visitors.drift(drift, iterate.iterations, report));
            Step::Iterate(iterate)
        }
        StepFile::Wait(time) => Step::Wait(*time),
        StepFile::Pause(pause) => Step::Pause(Pause::from(pause)),
        StepFile::Evaluate(file) => Step::Evaluate(evaluate(file)?),
        StepFile::ApplyPolicy(name, policy) => Step::ApplyPolicy(NamedPolicy {
            name: name.as_ref().unwrap_or(&item.name).clone(),
            policy: policy.clone(),
        }),
        StepFile::Configure(file) => Step::Configure(configure(item, file, report)),
        StepFile::Reset => Step::Reset,
    })
}

fn iterate(
    item: &PhaseItem,
    file: &IterateFile,
    interval: Share,
    report: &mut Report,
) -> Option<Iterate> {
    let (arrival, iterations) = arrival(item, file, report)?;
    Some(Iterate {
        iterations,
        arrival,
        error_budget: file.error_budget.map(|share| share.of(iterations)),
        model_check_interval: file.model_check.unwrap_or(interval).of(iterations),
        think_time: file.think_time,
        delivery: RewardDelivery {
            lost: file.lost_rewards.value,
            repeated: file.repeated_rewards.value,
        },
        users: None,
        slots: file.slots.as_ref().and_then(|slots| NonZero::new(slots.value)),
        drift: None,
    })
}

impl From<&PauseFile> for Pause {
    fn from(pause: &PauseFile) -> Self {
        match pause {
            PauseFile::Prompt(prompt) => Self::Prompt(prompt.clone()),
            PauseFile::Until(until) => Self::Until {
                change: until.until.value,
                reminder: until.reminder.clone(),
                poll: until.poll,
                timeout: until.timeout,
            },
        }
    }
}

/// None, if one of its policies could not be read.
fn evaluate(file: &EvaluateFile) -> Option<Evaluate> {
    let policies =
        file.policies.iter().flatten().map(|policy| {
            Ok(NamedPolicy { name: policy.name.clone(), policy: policy.value.clone()? })
        });
    Some(Evaluate {
        policies: policies.collect::<Read<_>>().ok()?,
        discover: file.discover,
        apply: what_to_apply(&file.apply),
        timeout: file.timeout,
    })
}

fn what_to_apply(text: &str) -> Apply {
    match text {
        "none" => Apply::None,
        "best" => Apply::Best,
        "safest" => Apply::Safest,
        "optimal" => Apply::Optimal,
        name => Apply::Named(name.to_owned()),
    }
}

fn configure(item: &PhaseItem, file: &ConfigureFile, report: &mut Report) -> Configure {
    let ConfigureFile { change, verify, .. } = file;
    if *change == Settings::default() && *verify == Settings::default() {
        let diagnostic = Diagnostic::error("`configure` changes nothing and verifies nothing");
        report.push(
            diagnostic
                .at(&item.place)
                .help("name the settings to change, for example `reward_wait_time: 5m`"),
        );
    }
    Configure { change: change.clone(), verify: verify.clone() }
}
