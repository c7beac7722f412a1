use crate::metrics::{Latencies, Metric, Operation, PhaseTally, Summary, last_tenth};
use crate::record::{ModelCheck, ObserveError, Observer, Progress};
use crate::report::{
    LatencyChart, LatencyCurve, Quantile, SuccessBatch, SuccessChart, SuccessPhase, latency_svg,
    success_curve_svg,
};
use crate::scenario::Plan;
use crate::scenario::plan::{ClockKind, Phase, Step, TargetPlan};

/// A percentile curve has so many points a nine, and so many nines.
const POINTS_PER_NINE: i32 = 10;
const NINES: i32 = 5;

/// Remembers the checks of the model.
#[derive(Default)]
pub struct ModelChecks(Vec<ModelCheck>);

impl ModelChecks {
    /// How often the model was checked, and how often it had changed.
    pub fn counts(&self) -> (u64, u64) {
        let changes = self.0.iter().filter(|check| check.changed).count();
        (self.0.len() as u64, changes as u64)
    }

    fn updates(&self, phase: usize) -> Vec<u64> {
        let of_phase = self.0.iter().filter(|check| check.phase == phase && check.changed);
        of_phase.map(|check| check.iterations).collect()
    }
}

impl Observer for ModelChecks {
    fn observe(&mut self, progress: &Progress) -> Result<(), ObserveError> {
        if let Progress::ModelChecked(check) = progress {
            self.0.push(check.clone());
        }
        Ok(())
    }
}

/// The pictures of a run, by the names of their files.
pub fn pictures(
    plan: &Plan,
    summary: &Summary,
    checks: &ModelChecks,
) -> [(&'static str, String); 2] {
    [
        ("success_curve.svg", success_curve_svg(&success_chart(plan, summary, checks))),
        ("latency.svg", latency_svg(&latency_chart(plan, summary))),
    ]
}

/// The phases that iterated, with their indices.
fn iterated(summary: &Summary) -> impl Iterator<Item = (usize, &PhaseTally)> {
    summary.phases().iter().enumerate().filter(|(_, tally)| tally.iterations() > 0)
}

fn success_chart(plan: &Plan, summary: &Summary, checks: &ModelChecks) -> SuccessChart {
    let phase = |(index, tally): (usize, &PhaseTally)| SuccessPhase {
        name: tally.name().to_owned(),
        before: before(plan, summary, index),
        iterations: tally.iterations(),
        batches: batches(plan.curve_batch, tally),
        model_updates: checks.updates(index),
        last_tenth: tally.measure(Metric::SuccessRate, Some(last_tenth(tally.iterations()))),
        exploration: exploration(plan),
        actions: plan.actions.len().saturating_sub(plan.excluded_actions.len()),
    };
    SuccessChart { title: plan.name.clone(), phases: iterated(summary).map(phase).collect() }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a rate over a batch is a fraction of its size"
)]
fn batches(size: u64, tally: &PhaseTally) -> Vec<SuccessBatch> {
    let batch = |first: u64| {
        let end = (first + size).min(tally.iterations());
        let rate = tally.measure(Metric::SuccessRate, Some(first..end));
        let errors = tally.measure(Metric::Errors, Some(first..end)).unwrap_or(0.0);
        let events = rate.map_or(0, |_| end - first - errors as u64);
        let successes = (rate.unwrap_or(0.0) * events as f64).round() as u64;
        SuccessBatch { first_iteration: first, last_iteration: end - 1, events, successes }
    };
    let step = usize::try_from(size).unwrap_or(usize::MAX);
    (0..tally.iterations()).step_by(step).map(batch).collect()
}

/// What was done since the phase before that iterated.
fn before(plan: &Plan, summary: &Summary, index: usize) -> Vec<String> {
    let earlier = iterated(summary).map(|(other, _)| other).filter(|other| *other < index).last();
    let Some(earlier) = earlier else { return Vec::new() };
    let done = |(at, phase): (usize, &Phase)| match &phase.step {
        Step::Evaluate(_) | Step::ApplyPolicy(_) => {
            let applied = summary.applied().iter().rfind(|(phase, _)| *phase == at);
            applied.map(|(_, policy)| format!("applied {}", policy.name))
        }
        Step::Configure(_) => Some("changed settings".to_owned()),
        Step::Reset => Some("cleared the data".to_owned()),
        Step::Pause(_) => Some("paused".to_owned()),
        Step::Wait(_) | Step::Iterate(_) => None,
    };
    plan.phases.iter().enumerate().take(index).skip(earlier + 1).filter_map(done).collect()
}

/// The share that explores, where the settings are known.
fn exploration(plan: &Plan) -> Option<f64> {
    match &plan.target {
        TargetPlan::Embedded(embedded) if embedded.policy.epsilon().is_some() => {
            Some(embedded.configuration.exploration_percentage)
        }
        _ => None,
    }
}

fn latency_chart(plan: &Plan, summary: &Summary) -> LatencyChart {
    let mut curves = Vec::new();
    for operation in Operation::ALL {
        for (_, tally) in iterated(summary) {
            let Some(latencies) = tally.latencies(operation) else { continue };
            curves.push(LatencyCurve {
                phase: tally.name().to_owned(),
                operation: operation.name().to_owned(),
                calls: latencies.count(),
                quantiles: quantiles(latencies),
            });
        }
    }
    let simulated = plan.clock == ClockKind::Virtual;
    LatencyChart { title: plan.name.clone(), simulated, curves }
}

/// Quantiles up to as many nines as there are calls to tell.
#[expect(clippy::cast_precision_loss, reason = "a count of calls")]
fn quantiles(latencies: &Latencies) -> Vec<Quantile> {
    let share = |point: i32| 1.0 - libm::pow(10.0, -f64::from(point) / f64::from(POINTS_PER_NINE));
    let told = 1.0 - 1.0 / latencies.count().max(1) as f64;
    let shares = (0..=NINES * POINTS_PER_NINE).map(share).filter(|share| *share <= told);
    let latency_us = |share| latencies.histogram().value_at_quantile(share);
    let slowest =
        latencies.summary().map(|summary| Quantile { share: 1.0, latency_us: summary.max_us });
    shares.map(|share| Quantile { share, latency_us: latency_us(share) }).chain(slowest).collect()
}
