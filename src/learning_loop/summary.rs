use std::collections::BTreeMap;
use std::time::Duration;

use super::replay::Replay;
use crate::clock::Timestamp;
use crate::evaluation::{Aggregate, Log, PolicyTrace};
use crate::protocol::{PolicyResultSummary, WireDuration};

/// The sizes of the windows that one list mixes, in minutes.
const WINDOWS: [u64; 4] = [5, 60, 360, 1440];

/// The rows of a policy: windows of each size in turn, from that of the first event to
/// that of the last, also the empty ones. Windows begin at multiples of their size.
pub(super) fn windows(replay: &Replay, trace: &PolicyTrace) -> Vec<PolicyResultSummary> {
    let sizes = WINDOWS.map(|minutes| Duration::from_secs(60 * minutes));
    sizes.into_iter().flat_map(|size| windows_of(replay, trace, size)).collect()
}

fn windows_of(replay: &Replay, trace: &PolicyTrace, size: Duration) -> Vec<PolicyResultSummary> {
    let micros = i64::try_from(size.as_micros()).unwrap_or(i64::MAX);
    let mut sums: BTreeMap<i64, Aggregate> = BTreeMap::new();
    for index in 0..replay.len() {
        let window = replay.time(index).unix_micros().div_euclid(micros);
        sums.entry(window).or_default().merge(&trace.aggregate(replay, index..index + 1));
    }
    let ends = sums.first_key_value().zip(sums.last_key_value());
    let Some(((first, _), (last, _))) = ends else { return Vec::new() };
    let row = |window: i64| {
        let sum = sums.get(&window).copied().unwrap_or_default();
        row(Timestamp::from_unix_micros(window * micros), size, &sum)
    };
    (*first..=*last).map(row).collect()
}

/// The row of the whole evaluation.
pub(super) fn total(replay: &Replay, trace: &PolicyTrace, end: Timestamp) -> PolicyResultSummary {
    row(end, Duration::ZERO, &trace.aggregate(replay, 0..replay.len()))
}

#[expect(clippy::cast_precision_loss, reason = "2^53 events are out of reach")]
fn row(time_stamp: Timestamp, size: Duration, sum: &Aggregate) -> PolicyResultSummary {
    PolicyResultSummary {
        time_stamp,
        ips_estimator_numerator: sum.sum,
        ips_estimator_denominator: sum.events as f64,
        snips_estimator_denominator: sum.weights,
        aggregate_time_window: WireDuration(size),
        non_zero_probability: Some(sum.matched as f64),
        sum_of_squares: Some(sum.sum_of_squares),
        confidence_interval: sum.half_width(),
        average_reward: sum.mean(),
    }
}

/// The row of what was served: its mean is observed and not estimated.
pub(super) fn observed(mut row: PolicyResultSummary) -> PolicyResultSummary {
    row.non_zero_probability = None;
    row.sum_of_squares = None;
    row.confidence_interval = 0.0;
    row
}
