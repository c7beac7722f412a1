//! Warnings about scenarios that are valid, and will not do what their author expects.

use std::time::Duration;

use super::model::{PhaseItem, StepFile};
use diagnostic::{Diagnostic, Place, Report};
use plan::settings::written;
use plan::{Apply, Arrival, Iterate, Phase, Plan, Rate, Step, TargetPlan};
use protocol::{LearningMode, ServiceConfiguration};

/// A rate counts as reached from this share of it on: latencies are means.
const REACHED: f64 = 0.95;

/// Warns of phases that cannot reach their rate, of policies whose exploration is overridden,
/// and of a loop that never serves what it learned.
pub(super) fn warn(plan: &Plan, items: &[PhaseItem], report: &mut Report) {
    for (phase, item) in phases(plan, items) {
        if let Step::Iterate(iterate) = &phase.step {
            warn_of_rate(phase, item, iterate, &plan.target, report);
        }
    }
    if let Some((start, _)) = plan.target.start() {
        warn_of_epsilon(plan, items, start, report);
        warn_of_learning(plan, items, start, report);
    }
}

/// The phases, each with where it is.
fn phases<'a>(
    plan: &'a Plan,
    items: &'a [PhaseItem],
) -> impl Iterator<Item = (&'a Phase, &'a PhaseItem)> {
    plan.phases.iter().filter_map(|phase| {
        let item = items.iter().find(|item| item.name == phase.name)?;
        Some((phase, item))
    })
}

fn warn_of_rate(
    phase: &Phase,
    item: &PhaseItem,
    iterate: &Iterate,
    target: &TargetPlan,
    report: &mut Report,
) {
    let seconds = duration_of_iteration(iterate, target);
    let (most, wanted, key) = match &iterate.arrival {
        Arrival::Closed { concurrency, rate: Some(rate) } => (*concurrency, rate.0, "concurrency"),
        Arrival::Closed { rate: None, .. } => return,
        Arrival::Open(schedule) => {
            let rates = schedule.stages.iter().map(|stage| stage.to.0);
            (schedule.max_in_flight, rates.fold(schedule.start_rate(), f64::max), "max_in_flight")
        }
    };
    let reached = as_number(most) / seconds;
    if reached >= REACHED * wanted {
        return;
    }
    let message = format!(
        "`{}` cannot reach {}: {most} under way at once, {} each on average, make {}",
        phase.name,
        shown_rate(wanted),
        shown_time(seconds),
        shown_rate(reached),
    );
    let needed = (wanted * seconds).ceil();
    let help = format!("raise `{key}` to {needed} or more, or lower the rate");
    report.push(Diagnostic::warning(message).at(place_of_rate(item)).help(help));
}

fn place_of_rate(item: &PhaseItem) -> &Place {
    match &item.step {
        Some(StepFile::Iterate(iterate)) => {
            iterate.rate.as_ref().map_or(&item.place, |rate| &rate.place)
        }
        _ => &item.place,
    }
}

/// How long an iteration takes on average, in seconds, as far as that is declared: of a
/// service nothing is known.
fn duration_of_iteration(iterate: &Iterate, target: &TargetPlan) -> f64 {
    let calls = match target {
        TargetPlan::Embedded(plan) => plan.rank_latency.mean() + plan.reward_latency.mean(),
        TargetPlan::Served(_) | TargetPlan::Http(_) => 0.0,
    };
    calls + iterate.think_time.mean()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn as_number(count: usize) -> f64 {
    count as f64
}

fn shown_rate(per_second: f64) -> String {
    format!("{}/s", shown(per_second))
}

fn shown_time(seconds: f64) -> String {
    if seconds < 1.0 {
        format!("{} ms", shown(seconds * 1e3))
    } else {
        format!("{} s", shown(seconds))
    }
}

/// A moment of the run: to the second, where it is not a matter of milliseconds.
fn shown_moment(seconds: f64) -> String {
    let digits = if seconds < 10.0 { 1e3 } else { 1.0 };
    written(Duration::from_secs_f64((seconds * digits).round() / digits))
}

/// Three digits or so.
fn shown(number: f64) -> String {
    let places = if number < 10.0 { 2 } else { usize::from(number < 100.0) };
    let text = format!("{number:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// The settings of the loop decide how much a policy explores, also one that is applied later.
fn warn_of_epsilon(
    plan: &Plan,
    items: &[PhaseItem],
    start: &ServiceConfiguration,
    report: &mut Report,
) {
    let mut share = start.exploration_percentage;
    for (phase, item) in phases(plan, items) {
        match &phase.step {
            Step::Configure(configure) => {
                share = configure.change.exploration_percentage.unwrap_or(share);
            }
            Step::ApplyPolicy(applied) => {
                #[expect(clippy::cast_possible_truncation, reason = "policies have 32 bits")]
                let overridden = applied
                    .policy
                    .epsilon()
                    .filter(|epsilon| epsilon.total_cmp(&(share as f32)).is_ne());
                if let Some(epsilon) = overridden {
                    let message = format!(
                        "`--epsilon {epsilon}` of `{}` has no effect: the loop explores {share}",
                        phase.name
                    );
                    let help = format!(
                        "add `configure: {{ exploration_percentage: {epsilon} }}` after it"
                    );
                    report.push(Diagnostic::warning(message).at(&item.place).help(help));
                }
            }
            _ => {}
        }
    }
}

/// Warns if no model is exported before the last iterations end: everything is then decided
/// by a model that has learned nothing.
fn warn_of_learning(
    plan: &Plan,
    items: &[PhaseItem],
    start: &ServiceConfiguration,
    report: &mut Report,
) {
    if start.learning_mode == Some(LearningMode::LoggingOnly) {
        return;
    }
    let Some(last) = plan.phases.iter().rposition(|phase| matches!(phase.step, Step::Iterate(_)))
    else {
        return;
    };
    let mut time = Timeline::new(start);
    let mut next = 0;
    while next <= last {
        let together = plan.together(next);
        next = together.end;
        if time.pass_all(&plan.phases[together], &plan.target).is_none() {
            return;
        }
    }
    let Some(export) = time.first_export().filter(|export| *export >= time.now) else { return };
    let phase = &plan.phases[last];
    let message = format!(
        "no model is exported before `{}` ends after {}: the first is due at {}",
        phase.name,
        shown_moment(time.now),
        shown_moment(export),
    );
    let help = "lower `reward_wait_time` and `model_export_frequency` of `loop`, or make more \
        iterations; nothing that is learned is served";
    let place = items.iter().find(|item| item.name == phase.name).map(|item| &item.place);
    let warning = Diagnostic::warning(message).help(help);
    report.push(place.map_or(warning.clone(), |place| warning.at(place)));
}

/// The time of a run as it can be foreseen, in seconds.
struct Timeline {
    now: f64,
    /// How long a reward is waited for, and how often models are exported.
    wait: f64,
    frequency: f64,
    /// When the first event since the last reset was logged.
    first_event: Option<f64>,
}

impl Timeline {
    fn new(start: &ServiceConfiguration) -> Self {
        Self {
            now: 0.0,
            wait: start.reward_wait_time.0.as_secs_f64(),
            frequency: start.model_export_frequency.0.as_secs_f64(),
            first_event: None,
        }
    }

    /// Goes on to the end of the last of phases that begin at one moment; none, as below.
    fn pass_all(&mut self, phases: &[Phase], target: &TargetPlan) -> Option<()> {
        let (began, mut ended) = (self.now, self.now);
        for phase in phases {
            self.now = began;
            self.pass(phase, target)?;
            ended = ended.max(self.now);
        }
        self.now = ended;
        Some(())
    }

    /// Goes on to the end of a phase; none, if that cannot be foreseen, or if the phase makes a
    /// model itself.
    fn pass(&mut self, phase: &Phase, target: &TargetPlan) -> Option<()> {
        match &phase.step {
            Step::Iterate(iterate) => {
                self.first_event.get_or_insert(self.now);
                self.now += duration_of_phase(iterate, target)?;
            }
            Step::Wait(time) => self.now += time.as_secs_f64(),
            Step::Reset => self.first_event = None,
            Step::Configure(configure) => {
                let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
                let change = &configure.change;
                self.wait = seconds(change.reward_wait_time).unwrap_or(self.wait);
                self.frequency = seconds(change.model_export_frequency).unwrap_or(self.frequency);
            }
            Step::Evaluate(evaluate) if evaluate.apply == Apply::None => {}
            Step::Evaluate(_) | Step::ApplyPolicy(_) | Step::Pause(_) => return None,
        }
        Some(())
    }

    /// When the first model is exported that has learned something. An event is learned when
    /// the wait for its reward is over, and models are exported at multiples of the frequency.
    fn first_export(&self) -> Option<f64> {
        let learned = self.first_event? + self.wait;
        Some(((learned / self.frequency).floor() + 1.0) * self.frequency)
    }
}

/// How long the iterations take, in seconds; none where nothing bounds them.
fn duration_of_phase(iterate: &Iterate, target: &TargetPlan) -> Option<f64> {
    let seconds = duration_of_iteration(iterate, target);
    #[expect(clippy::cast_precision_loss, reason = "a phase makes fewer than 2^53 iterations")]
    let iterations = iterate.iterations as f64;
    match &iterate.arrival {
        Arrival::Open(schedule) => Some(schedule.time_of(iterations)),
        Arrival::Closed { concurrency, rate } => {
            let possible = as_number(*concurrency) / seconds;
            let rate = rate.map_or(possible, |Rate(rate)| rate.min(possible));
            rate.is_finite().then_some(iterations / rate)
        }
    }
}
