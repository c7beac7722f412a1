//! Headers and rows of the other CSV files.

use std::time::Duration;

use super::cell::{guard, optional, time, unguard};
use hdrhistogram::iterators::IterationValue;
use metrics::{Batch, IntervalLatencies, Latencies, Operation, Second, micros};
use protocol::{Evaluation, PolicyResult};
use record::{ModelCheck, ModelExport};

pub(super) const SUCCESS_CURVE: &str = "phase,batch,first_iteration,last_iteration,events,\
    successes,success_rate,cumulative_success_rate,mean_reward";

const TIMELINE: &str = "phase,second,start_us,calls,errors,rate,\
    rank_p50_us,rank_p90_us,rank_p99_us,rank_max_us,\
    reward_p50_us,reward_p90_us,reward_p99_us,reward_max_us";

pub(super) const MODEL_CHECKS: &str = "phase,iterations,at_us,last_modified,changed";

pub(super) const MODEL_EXPORTS: &str = "phase,iterations,at_us,models";

pub(super) const EVALUATION: &str = "phase,evaluation,policy,source,arguments,events,\
    average_reward,confidence_interval,ips_numerator,ips_denominator,snips_denominator,optimal,\
    held_out_events,held_out_average_reward,held_out_confidence_interval";

pub(super) const LATENCY_HISTOGRAM: &str = "phase,operation,from_us,to_us,count,cumulative_share";

/// The cells of a header.
pub(super) fn cells(header: &str) -> Vec<String> {
    header.split(',').map(ToOwned::to_owned).collect()
}

/// The header of the timeline, with a column a tag.
pub(super) fn timeline(tags: &[&str]) -> Vec<String> {
    cells(TIMELINE).into_iter().chain(tags.iter().map(|name| format!("tag_{name}"))).collect()
}

pub(super) fn batch_row(phase: &str, batch: &Batch) -> Vec<String> {
    vec![
        guard(phase),
        batch.batch.to_string(),
        batch.first_iteration.to_string(),
        batch.last_iteration.to_string(),
        batch.events.to_string(),
        batch.successes.to_string(),
        optional(batch.success_rate),
        optional(batch.cumulative_success_rate),
        optional(batch.mean_reward),
    ]
}

/// `latencies` are those of [`Operation::ALL`].
pub(super) fn second_row(
    phase: &str,
    tags: &[Option<String>],
    second: &Second,
    latencies: &[IntervalLatencies],
) -> Vec<String> {
    let mut row = vec![
        guard(phase),
        second.second.to_string(),
        time(second.start),
        second.calls.to_string(),
        second.errors.to_string(),
        optional(second.rate()),
    ];
    for latencies in latencies {
        row.extend([0.5, 0.9, 0.99].map(|quantile| optional(latencies.quantile_us(quantile))));
        row.push(optional(latencies.max_us()));
    }
    row.extend(tags.iter().map(|tag| optional(tag.as_deref().map(guard))));
    row
}

pub(super) fn model_check_row(phase: &str, check: &ModelCheck) -> Vec<String> {
    vec![
        guard(phase),
        check.iterations.to_string(),
        micros(check.at).to_string(),
        check.last_modified.to_string(),
        check.changed.to_string(),
    ]
}

pub(super) fn model_export_row(phase: &str, export: &ModelExport) -> Vec<String> {
    vec![
        guard(phase),
        export.iterations.to_string(),
        micros(export.at).to_string(),
        export.models.to_string(),
    ]
}

/// The export of a row, the inverse of [`model_export_row`].
pub(super) fn model_export(
    row: &csv::StringRecord,
    phase_index: impl Fn(&str) -> Option<usize>,
) -> Option<ModelExport> {
    Some(ModelExport {
        phase: phase_index(unguard(row.get(0)?))?,
        iterations: row.get(1)?.parse().ok()?,
        at: Duration::from_micros(row.get(2)?.parse().ok()?),
        models: row.get(3)?.parse().ok()?,
    })
}

/// The check of a row, the inverse of [`model_check_row`].
pub(super) fn model_check(
    row: &csv::StringRecord,
    phase_index: impl Fn(&str) -> Option<usize>,
) -> Option<ModelCheck> {
    Some(ModelCheck {
        phase: phase_index(unguard(row.get(0)?))?,
        iterations: row.get(1)?.parse().ok()?,
        at: Duration::from_micros(row.get(2)?.parse().ok()?),
        last_modified: row.get(3)?.parse().ok()?,
        changed: row.get(4)?.parse().ok()?,
    })
}

/// A row a policy, in the order of the evaluation.
pub(super) fn evaluation_rows<'a>(
    phase: &'a str,
    evaluation: &'a Evaluation,
) -> impl Iterator<Item = Vec<String>> + 'a {
    evaluation.policy_results.iter().map(move |result| policy_row(phase, evaluation, result))
}

fn policy_row(phase: &str, evaluation: &Evaluation, result: &PolicyResult) -> Vec<String> {
    let total = result.total_summary.as_ref();
    let held_out = result.held_out_summary.as_ref();
    let is_optimal = evaluation.optimal_policy.as_ref() == Some(&result.name);
    vec![
        guard(phase),
        guard(&evaluation.name),
        guard(&result.name),
        optional(result.policy_source.map(|source| format!("{source:?}"))),
        optional(result.arguments.as_deref().map(guard)),
        optional(total.map(|total| total.ips_estimator_denominator)),
        optional(total.map(|total| total.average_reward)),
        optional(total.map(|total| total.confidence_interval)),
        optional(total.map(|total| total.ips_estimator_numerator)),
        optional(total.map(|total| total.ips_estimator_denominator)),
        optional(total.map(|total| total.snips_estimator_denominator)),
        is_optimal.to_string(),
        optional(held_out.map(|sums| sums.ips_estimator_denominator)),
        optional(held_out.map(|sums| sums.average_reward)),
        optional(held_out.map(|sums| sums.confidence_interval)),
    ]
}

/// A row a bucket that holds calls: from `from_us` to just below `to_us`.
pub(super) fn histogram_rows(
    phase: &str,
    operation: Operation,
    latencies: &Latencies,
) -> Vec<Vec<String>> {
    let histogram = latencies.histogram();
    let mut cumulative = 0;
    let row = |bucket: IterationValue<u64>| {
        let value = bucket.value_iterated_to();
        cumulative += bucket.count_at_value();
        vec![
            guard(phase),
            operation.name().to_owned(),
            histogram.lowest_equivalent(value).to_string(),
            histogram.next_non_equivalent(value).to_string(),
            bucket.count_at_value().to_string(),
            share(cumulative, latencies.count()).to_string(),
        ]
    };
    histogram.iter_recorded().map(row).collect()
}

#[expect(clippy::cast_precision_loss, reason = "2^53 calls are out of reach")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
