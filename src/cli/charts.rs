use std::time::Duration;

use super::console::Models;
use metrics::{Metric, Operation, PhaseTally, Summary, last_tenth};
use plan::Plan;
use plan::{AwaitedChange, ClockKind, Configure, Pause, Preference, Settings, Step, Visitor};
use protocol::LearningMode;
use record::{ModelCheck, ModelExport, ObserveError, Observer, PhaseRecord, Progress};
use report::chart::{Svg, percent};
use report::{
    LatencyChart, LatencyCurve, Quantile, SuccessBatch, SuccessChart, SuccessPhase, latency_svg,
    success_curve_svg,
};

/// Remembers which models the loop served.
#[derive(Clone, Default)]
pub struct ModelHistory {
    checks: Vec<ModelCheck>,
    exports: Vec<ModelExport>,
    /// How many models were exported, if the target tells.
    exported: Option<u64>,
}

impl ModelHistory {
    /// The numbers for a summary.
    pub fn counts(&self) -> Models {
        let changes = self.checks.iter().filter(|check| check.changed).count();
        Models { exports: self.exported, checks: self.checks.len() as u64, changes: changes as u64 }
    }

    /// After how many iterations of a phase the model was exported, or, where the target does
    /// not tell, after how many a check found a new one.
    pub fn marks(&self, phase: usize) -> Vec<u64> {
        let exports = self.exports.iter().filter(|export| export.phase == phase);
        if self.exported.is_some() || !self.exports.is_empty() {
            return exports.map(|export| export.iterations).collect();
        }
        let changes = self.checks.iter().filter(|check| check.phase == phase && check.changed);
        changes.map(|check| check.iterations).collect()
    }
}

impl Observer for ModelHistory {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        match progress {
            Progress::ModelChecked(check) => self.checks.push(check.clone()),
            Progress::ModelExported(export) => self.exports.push(*export),
            Progress::PhaseEnded(PhaseRecord { model_exports: Some(models), .. }) => {
                *self.exported.get_or_insert(0) += models;
            }
            _ => {}
        }
        Ok(())
    }
}

/// The pictures of a run, by the names of their files.
pub fn pictures(plan: &Plan, summary: &Summary, models: &ModelHistory) -> [(&'static str, Svg); 2] {
    [
        ("success_curve.svg", success_curve_svg(&success_chart(plan, summary, models))),
        ("latency.svg", latencies(title(plan), plan.clock == ClockKind::Virtual, summary)),
    ]
}

/// The picture of how long calls took.
pub fn latencies(title: String, simulated: bool, summary: &Summary) -> Svg {
    latency_svg(&latency_chart(title, simulated, summary))
}

fn title(plan: &Plan) -> String {
    format!("{}, seed {}", plan.name, plan.seed)
}

/// The phases that iterated, with their indices.
pub fn iterated(summary: &Summary) -> impl Iterator<Item = (usize, &PhaseTally)> {
    summary.phases().iter().enumerate().filter(|(_, tally)| tally.iterations() > 0)
}

fn success_chart(plan: &Plan, summary: &Summary, models: &ModelHistory) -> SuccessChart {
    let phase = |(index, tally): (usize, &PhaseTally)| SuccessPhase {
        name: tally.name().to_owned(),
        before: before(plan, summary, index),
        iterations: tally.iterations(),
        batches: batches(plan.curve_batch, tally, drift(plan, index)),
        drift: drift(plan, index),
        model_exports: models.marks(index),
        last_tenth: tally.measure(Metric::SuccessRate, Some(last_tenth(tally.iterations()))),
        exploration: exploration(plan, summary, index),
        actions: successful_actions(plan, index),
        slots: plan.phases[index].step.slots().unwrap_or(1),
    };
    SuccessChart { title: title(plan), phases: iterated(summary).map(phase).collect() }
}

/// How many actions there are to choose from, where it is known how many of them are successes:
/// one, or as many as there are slots, if each action is worth something of its own.
fn successful_actions(plan: &Plan, index: usize) -> usize {
    let is_by_rewards = |row: &Visitor| matches!(row.preference, Preference::Rewards(_));
    let Step::Iterate(iterate) = &plan.phases[index].step else { return plan.choices() };
    let population = iterate.users.as_ref().unwrap_or(&plan.population);
    let is_known = iterate.slots.is_none() || population.rows.iter().all(is_by_rewards);
    if is_known { plan.choices() } else { 0 }
}

/// The batches of a phase. A batch ends at a drift.
fn batches(size: u64, tally: &PhaseTally, drift: Option<u64>) -> Vec<SuccessBatch> {
    let made = tally.iterations();
    let step = usize::try_from(size).unwrap_or(usize::MAX);
    let until = |from: u64, to: u64| {
        (from..to).step_by(step).map(move |first| {
            let end = first.saturating_add(size).min(to);
            let (successes, events) = tally.successes(first..end);
            SuccessBatch { first_iteration: first, last_iteration: end - 1, events, successes }
        })
    };
    let drift = drift.unwrap_or(0).min(made);
    until(0, drift).chain(until(drift, made)).collect()
}

/// The iteration before which the population of a phase drifts.
pub fn drift(plan: &Plan, index: usize) -> Option<u64> {
    match &plan.phases[index].step {
        Step::Iterate(iterate) => iterate.drift.as_ref().map(|drift| drift.at),
        _ => None,
    }
}

/// What was done since the phase before that iterated. That time passed is worth a word
/// only if nothing else was done.
fn before(plan: &Plan, summary: &Summary, index: usize) -> Vec<String> {
    let since = iterated(summary).map(|(other, _)| other).take_while(|other| *other < index);
    let first = since.last().map_or(0, |other| other + 1);
    let is_wait = |other: &usize| matches!(plan.phases[*other].step, Step::Wait(_));
    let (waits, deeds): (Vec<_>, Vec<_>) = (first..index).partition(is_wait);
    let told = if deeds.is_empty() { waits } else { deeds };
    told.into_iter().map(|other| caption(&plan.phases[other].step, summary, other)).collect()
}

/// A phase that makes no iterations, in a few words.
fn caption(step: &Step, summary: &Summary, index: usize) -> String {
    match step {
        Step::Iterate(_) => "no iterations".to_owned(),
        Step::Wait(duration) => format!("waited {}", humantime::format_duration(*duration)),
        Step::Pause(Pause::Prompt(_)) => "pause".to_owned(),
        Step::Pause(Pause::Until { change, .. }) => format!("{} changed", change_word(*change)),
        Step::Evaluate(_) => evaluation(summary, index),
        Step::ApplyPolicy(policy) => format!("applied {}", policy.name),
        Step::Configure(configure) => settings(configure),
        Step::Reset => "data cleared".to_owned(),
    }
}

fn change_word(change: AwaitedChange) -> &'static str {
    match change {
        AwaitedChange::Policy => "policy",
        AwaitedChange::Model => "model",
    }
}

fn evaluation(summary: &Summary, index: usize) -> String {
    let mut applied = summary.applied().iter().filter(|(phase, _)| *phase == index);
    let applied = applied.next_back().map_or("nothing", |(_, policy)| &policy.name);
    format!("evaluation: applied {applied}")
}

/// What was changed, in the shortest words.
fn settings(configure: &Configure) -> String {
    let Settings {
        reward_wait_time,
        default_reward,
        reward_aggregation,
        exploration_percentage,
        model_export_frequency,
        log_retention_days,
        learning_mode,
    } = &configure.change;
    let time = |name, time: &Option<Duration>| {
        time.map(|time| format!("{name} {}", humantime::format_duration(time)))
    };
    let changes = [
        time("export", model_export_frequency),
        time("reward wait", reward_wait_time),
        exploration_percentage.map(|share| format!("explore {}", percent(share))),
        default_reward.map(|reward| format!("default reward {reward}")),
        reward_aggregation.map(|by| format!("aggregation {by:?}")),
        log_retention_days.map(|days| format!("log kept {days}d")),
        learning_mode.map(|mode| format!("mode {mode:?}")),
    ];
    let changes: Vec<_> = changes.into_iter().flatten().collect();
    if changes.is_empty() { "settings verified".to_owned() } else { changes.join(", ") }
}

/// The share of events that explore in a phase, as far as it is known and as far as it
/// is epsilon that explores.
pub fn exploration(plan: &Plan, summary: &Summary, index: usize) -> Option<f64> {
    let configuration = plan.target.start().map(|(configuration, _)| configuration);
    let changes = || plan.phases[..index].iter().filter_map(|phase| changed(&phase.step));
    let mode = changes().filter_map(|change| change.learning_mode).next_back();
    let mode = mode.or(configuration.and_then(|configuration| configuration.learning_mode));
    let share = changes().filter_map(|change| change.exploration_percentage).next_back();
    let share = share.or(configuration.map(|configuration| configuration.exploration_percentage));
    let is_learned = matches!(mode, None | Some(LearningMode::Online));
    share.filter(|_| is_learned && explores_by_epsilon(plan, summary, index))
}

fn changed(step: &Step) -> Option<&Settings> {
    if let Step::Configure(configure) = step { Some(&configure.change) } else { None }
}

/// Whether the policy that is online in a phase explores by epsilon; one that is not
/// known is taken to.
fn explores_by_epsilon(plan: &Plan, summary: &Summary, index: usize) -> bool {
    let applied = summary.applied().iter().rfind(|(phase, _)| *phase < index);
    let arguments = match (applied, plan.target.start()) {
        (Some((_, policy)), _) => &policy.arguments,
        (None, Some((_, policy))) => policy.arguments(),
        (None, None) => return true,
    };
    epsilon(arguments).is_some()
}

/// The share of choices that a policy draws evenly; none, if it explores in another way.
pub fn epsilon(arguments: &str) -> Option<f64> {
    let mut words = arguments.split([' ', '=']).filter(|word| !word.is_empty());
    if words.clone().any(|word| ["--first", "--softmax"].contains(&word)) {
        return None;
    }
    words.find(|word| *word == "--epsilon")?;
    words.next()?.parse().ok()
}

fn latency_chart(title: String, simulated: bool, summary: &Summary) -> LatencyChart {
    let quantile = |(share, latency_us)| Quantile { share, latency_us };
    let curve = |operation: Operation, tally: &PhaseTally| {
        let latencies = tally.latencies(operation)?;
        Some(LatencyCurve {
            phase: tally.name().to_owned(),
            operation: operation.name().to_owned(),
            calls: latencies.count(),
            quantiles: latencies.shares().into_iter().map(quantile).collect(),
        })
    };
    let curves = Operation::ALL.into_iter().flat_map(|operation| {
        iterated(summary).filter_map(move |(_, tally)| curve(operation, tally))
    });
    LatencyChart { title, simulated, curves: curves.collect() }
}
