//! The sums by window that the contract reports of a policy.

use std::collections::BTreeMap;
use std::time::Duration;

use super::evaluation_log::EvaluationLog;
use evaluation::{Aggregate, Log, PolicyTrace, WINDOW};
use protocol::{PolicyResultSummary, WireDuration};
use timestamp::Timestamp;

/// The sizes of the windows that one list mixes, in the smallest of them: 5 minutes,
/// 1 hour, 6 hours, 1 day.
const SIZES: [i64; 4] = [1, 12, 72, 288];

/// The sums of a trace by the smallest windows.
pub(crate) fn by_window(log: &EvaluationLog, trace: &PolicyTrace) -> BTreeMap<i64, Aggregate> {
    let mut sums: BTreeMap<i64, Aggregate> = BTreeMap::new();
    for index in 0..log.len() {
        let window = evaluation::window(log.time(index));
        sums.entry(window).or_default().merge(&trace.aggregate(log, index..index + 1));
    }
    sums
}

/// The rows of a policy: windows of each size in turn, from that of the first event to
/// that of the last, also the empty ones. Windows begin at multiples of their size.
#[must_use]
pub fn windows(sums: &BTreeMap<i64, Aggregate>) -> Vec<PolicyResultSummary> {
    SIZES.into_iter().flat_map(|size| windows_of(sums, size)).collect()
}

fn windows_of(smallest: &BTreeMap<i64, Aggregate>, size: i64) -> Vec<PolicyResultSummary> {
    let mut sums: BTreeMap<i64, Aggregate> = BTreeMap::new();
    for (window, sum) in smallest {
        sums.entry(window.div_euclid(size)).or_default().merge(sum);
    }
    let ends = sums.first_key_value().zip(sums.last_key_value());
    let Some(((first, _), (last, _))) = ends else { return Vec::new() };
    let micros = size * i64::try_from(WINDOW.as_micros()).unwrap_or(i64::MAX);
    let length = WINDOW * u32::try_from(size).unwrap_or(u32::MAX);
    let row = |window: i64| {
        let sum = sums.get(&window).copied().unwrap_or_default();
        row(Timestamp::from_unix_micros(window * micros), length, &sum)
    };
    (*first..=*last).map(row).collect()
}

/// The row of an evaluation from one event on.
pub(crate) fn sums(
    log: &EvaluationLog,
    trace: &PolicyTrace,
    from: usize,
    end: Timestamp,
) -> PolicyResultSummary {
    row(end, Duration::ZERO, &trace.aggregate(log, from..log.len()))
}

/// One row.
#[must_use]
pub fn row(time_stamp: Timestamp, size: Duration, sum: &Aggregate) -> PolicyResultSummary {
    PolicyResultSummary {
        time_stamp,
        ips_estimator_numerator: sum.sum,
        ips_estimator_denominator: sum.events,
        snips_estimator_denominator: sum.weights,
        aggregate_time_window: WireDuration(size),
        non_zero_probability: Some(sum.matched),
        sum_of_squares: Some(sum.sum_of_squares),
        confidence_interval: sum.half_width(),
        average_reward: sum.mean(),
    }
}

/// The row of the served policy: its mean is observed, not estimated.
#[must_use]
pub fn observed(mut row: PolicyResultSummary) -> PolicyResultSummary {
    row.non_zero_probability = None;
    row.sum_of_squares = None;
    row.confidence_interval = 0.0;
    row
}
