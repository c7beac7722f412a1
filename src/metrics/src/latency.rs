use std::borrow::Cow;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::metric::Statistic;
use super::packed::Packed;

/// The longest latency that is told apart from longer ones.
pub const HIGHEST_US: u64 = 60_000_000;

/// Significant decimal digits of every histogram.
pub const SIGNIFICANT_DIGITS: u8 = 3;

/// How long calls took: a histogram that can be added to others without loss, and
/// beside it what a histogram blurs.
///
/// Latencies are whole microseconds, cut off: what took 1.9 µs counts as 1 µs, in
/// every output alike. 1 µs to 60 s are told apart with three digits; what is longer
/// counts as 60 s, and is counted.
#[derive(Debug, Clone)]
pub struct Latencies {
    counts: Counts,
    min_us: u64,
    max_us: u64,
    sum_us: u128,
    clamped: u64,
}

/// How many calls took how long.
#[derive(Debug, Clone)]
enum Counts {
    /// To be added to; it takes 139 kB.
    Histogram(Histogram<u64>),
    /// The highest value of each bucket that holds something, ascending, and how many calls it
    /// holds.
    Compact(Vec<(u64, u64)>),
}

impl PartialEq for Latencies {
    fn eq(&self, other: &Self) -> bool {
        let numbers = |of: &Self| (of.min_us, of.max_us, of.sum_us, of.clamped);
        numbers(self) == numbers(other) && self.buckets() == other.buckets()
    }
}

fn empty_histogram() -> Histogram<u64> {
    let histogram = Histogram::new_with_bounds(1, HIGHEST_US, SIGNIFICANT_DIGITS);
    histogram.expect("bounds that the crate accepts")
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            counts: Counts::Histogram(empty_histogram()),
            min_us: u64::MAX,
            max_us: 0,
            sum_us: 0,
            clamped: 0,
        }
    }
}

/// Whole microseconds of a duration.
#[must_use]
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Latencies {
    /// Takes in one call.
    pub fn record(&mut self, latency: Duration) {
        self.record_us(micros(latency));
    }

    /// Takes in one call.
    pub fn record_us(&mut self, latency_us: u64) {
        self.min_us = self.min_us.min(latency_us);
        self.max_us = self.max_us.max(latency_us);
        self.sum_us += u128::from(latency_us);
        self.clamped += u64::from(latency_us > HIGHEST_US);
        self.histogram_mut().saturating_record(latency_us.min(HIGHEST_US));
    }

    /// Takes in what another has taken in.
    pub fn add(&mut self, other: &Self) {
        self.min_us = self.min_us.min(other.min_us);
        self.max_us = self.max_us.max(other.max_us);
        self.sum_us += other.sum_us;
        self.clamped += other.clamped;
        let other = other.histogram();
        *self.histogram_mut() += &*other;
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.histogram_mut().reset();
        (self.min_us, self.max_us, self.sum_us, self.clamped) = (u64::MAX, 0, 0, 0);
    }

    /// The number of calls.
    #[must_use]
    pub fn count(&self) -> u64 {
        match &self.counts {
            Counts::Histogram(histogram) => histogram.len(),
            Counts::Compact(buckets) => buckets.iter().map(|(_, count)| count).sum(),
        }
    }

    /// The number of calls that took longer than [`HIGHEST_US`].
    #[must_use]
    pub fn clamped(&self) -> u64 {
        self.clamped
    }

    /// The histogram, in microseconds.
    #[must_use]
    pub fn histogram(&self) -> Cow<'_, Histogram<u64>> {
        match &self.counts {
            Counts::Histogram(histogram) => Cow::Borrowed(histogram),
            Counts::Compact(buckets) => Cow::Owned(histogram_of(buckets)),
        }
    }

    /// Those that are compact are no longer.
    fn histogram_mut(&mut self) -> &mut Histogram<u64> {
        if let Counts::Compact(buckets) = &self.counts {
            self.counts = Counts::Histogram(histogram_of(buckets));
        }
        match &mut self.counts {
            Counts::Histogram(histogram) => histogram,
            Counts::Compact(_) => unreachable!("it was made a histogram"),
        }
    }

    /// The highest value of each bucket that holds something, and how many calls it holds.
    fn buckets(&self) -> Cow<'_, [(u64, u64)]> {
        match &self.counts {
            Counts::Histogram(histogram) => {
                let recorded = histogram.iter_recorded();
                recorded.map(|at| (at.value_iterated_to(), at.count_at_value())).collect()
            }
            Counts::Compact(buckets) => Cow::Borrowed(buckets),
        }
    }

    /// Keeps the same in little memory, until something is added.
    pub(super) fn compact(&mut self) {
        if let Counts::Histogram(_) = self.counts {
            self.counts = Counts::Compact(self.buckets().into_owned());
        }
    }

    /// Each latency that is told apart, in microseconds, and the share of the calls that took at
    /// most as long; the longest, exact.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "2^53 calls are out of reach")]
    pub fn shares(&self) -> Vec<(f64, u64)> {
        let all = self.count();
        let mut counted = 0;
        let share = |(value, count): &(u64, u64)| {
            counted += count;
            let is_last = counted == all;
            let us = if is_last { self.max_us } else { (*value).min(self.max_us) };
            (counted as f64 / all as f64, us)
        };
        self.buckets().iter().map(share).collect()
    }

    /// A number that sums the calls up, in microseconds; nothing without calls.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a run fit 53 bits")]
    pub fn measure(&self, statistic: Statistic) -> Option<f64> {
        if self.count() == 0 {
            return None;
        }
        Some(match statistic {
            Statistic::Quantile(quantile) => self.quantile_us(quantile) as f64,
            Statistic::Max => self.max_us as f64,
            Statistic::Mean => self.sum_us as f64 / self.count() as f64,
        })
    }

    /// The upper end of the bucket in which the quantile lies; never above the longest
    /// call.
    fn quantile_us(&self, quantile: f64) -> u64 {
        let value = match &self.counts {
            Counts::Histogram(histogram) => histogram.value_at_quantile(quantile),
            Counts::Compact(buckets) => value_at_quantile(buckets, quantile),
        };
        value.min(self.max_us)
    }

    /// The numbers that people look at; nothing without calls.
    #[must_use]
    pub fn summary(&self) -> Option<LatencySummary> {
        self.summary_with(&[])
    }

    /// The same, with these percentiles.
    #[must_use]
    pub fn summary_with(&self, percentiles: &[f64]) -> Option<LatencySummary> {
        let of = |percentile: &f64| PercentileLatency {
            percentile: *percentile,
            us: self.quantile_us(percentile / 100.0),
        };
        Some(LatencySummary {
            percentiles: percentiles.iter().map(of).collect(),
            count: self.count(),
            clamped: self.clamped,
            min_us: self.min_us,
            mean_us: self.measure(Statistic::Mean)?,
            p50_us: self.quantile_us(0.5),
            p90_us: self.quantile_us(0.9),
            p95_us: self.quantile_us(0.95),
            p99_us: self.quantile_us(0.99),
            p99_9_us: self.quantile_us(0.999),
            max_us: self.max_us,
        })
    }
}

/// As [`Histogram::value_at_quantile`].
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count times a share of it is a count"
)]
fn value_at_quantile(buckets: &[(u64, u64)], quantile: f64) -> u64 {
    let all: u64 = buckets.iter().map(|(_, count)| count).sum();
    let wanted = ((quantile * all as f64).ceil() as u64).max(1);
    let mut counted = 0;
    let reaches = |(_, count): &&(u64, u64)| {
        counted += count;
        counted >= wanted
    };
    buckets.iter().find(reaches).map_or(0, |(value, _)| *value)
}

fn histogram_of(buckets: &[(u64, u64)]) -> Histogram<u64> {
    let mut histogram = empty_histogram();
    for (value, count) in buckets {
        // It was in the bounds of the same histogram.
        histogram.saturating_record_n((*value).min(HIGHEST_US), *count);
    }
    histogram
}

/// [`Latencies`] to be kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LatencyState {
    min_us: u64,
    max_us: u64,
    sum_us: u64,
    clamped: u64,
    /// A value of each bucket that holds something, and how many calls it holds: eight
    /// bytes each.
    buckets: Packed,
}

impl Latencies {
    /// What was taken in, to be kept.
    pub(super) fn state(&self) -> LatencyState {
        let buckets = self.buckets();
        let numbers = buckets.iter().flat_map(|(value, count)| [*value, *count]);
        LatencyState {
            min_us: self.min_us,
            max_us: self.max_us,
            sum_us: u64::try_from(self.sum_us).unwrap_or(u64::MAX),
            clamped: self.clamped,
            buckets: Packed(numbers.flat_map(u64::to_le_bytes).collect()),
        }
    }

    /// What was kept; nothing, if it is no such thing.
    pub(super) fn restore(state: &LatencyState) -> Option<Self> {
        let mut latencies = Self::default();
        let (numbers, _) = state.buckets.0.as_chunks();
        for pair in numbers.chunks_exact(2) {
            let [value, count] = [pair[0], pair[1]].map(u64::from_le_bytes);
            latencies.histogram_mut().record_n(value.min(HIGHEST_US), count).ok()?;
        }
        (latencies.min_us, latencies.max_us) = (state.min_us, state.max_us);
        latencies.sum_us = u128::from(state.sum_us);
        latencies.clamped = state.clamped;
        Some(latencies)
    }
}

/// How long calls took, in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatencySummary {
    /// The number of calls.
    pub count: u64,
    /// The number of calls that took longer than a histogram can tell.
    pub clamped: u64,
    /// The fastest, exact.
    pub min_us: u64,
    /// The mean, exact.
    pub mean_us: f64,
    /// The median.
    pub p50_us: u64,
    /// 90 in 100 took at most as long.
    pub p90_us: u64,
    /// 95 in 100 took at most as long.
    pub p95_us: u64,
    /// 99 in 100 took at most as long.
    pub p99_us: u64,
    /// 999 in 1000 took at most as long.
    pub p99_9_us: u64,
    /// The slowest, exact.
    pub max_us: u64,
    /// The percentiles that the scenario asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub percentiles: Vec<PercentileLatency>,
}

impl LatencySummary {
    /// The percentiles to show, with their names: those that the scenario asks for, or `usual`.
    #[must_use]
    pub fn shown(&self, usual: &[(&str, u64)]) -> Vec<(String, u64)> {
        if self.percentiles.is_empty() {
            return usual.iter().map(|(name, us)| ((*name).to_owned(), *us)).collect();
        }
        let named = |of: &PercentileLatency| (format!("p{}", of.percentile), of.us);
        self.percentiles.iter().map(named).collect()
    }
}

/// A percentile of latencies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PercentileLatency {
    /// From 0 to 100.
    pub percentile: f64,
    /// So many of 100 calls took at most as long, in microseconds.
    pub us: u64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A percentile of the summary is the number that an expectation judges.
        #[test]
        fn percentiles_are_those_of_expectations(
            values in prop::collection::vec(1_u64..100_000, 1..200),
            percentiles in prop::collection::vec(0.0..=100.0_f64, 0..5),
        ) {
            let latencies = latencies(&values);
            let summary = latencies.summary_with(&percentiles).unwrap();
            for (of, percentile) in summary.percentiles.iter().zip(&percentiles) {
                let judged = latencies.measure(Statistic::Quantile(percentile / 100.0)).unwrap();
                #[expect(clippy::cast_precision_loss, reason = "at most 100,000")]
                let shown = of.us as f64;
                prop_assert_eq!((of.percentile, shown), (*percentile, judged));
            }
            prop_assert_eq!(summary.percentiles.len(), percentiles.len());
        }
    }

    fn latencies(values: &[u64]) -> Latencies {
        let mut latencies = Latencies::default();
        for value in values {
            latencies.record_us(*value);
        }
        latencies
    }

    #[test]
    fn what_is_blurred_in_the_histogram_is_exact_beside_it() {
        let summary = latencies(&[1_000_001, 3, 70_000_000]).summary().unwrap();
        assert_eq!((summary.min_us, summary.max_us, summary.clamped), (3, 70_000_000, 1));
        assert!((summary.mean_us - 71_000_004.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn no_calls_have_no_summary() {
        assert_eq!(Latencies::default().summary(), None);
        assert_eq!(Latencies::default().measure(Statistic::Max), None);
    }

    #[test]
    fn fractions_of_a_microsecond_are_cut_off() {
        assert_eq!(micros(Duration::from_nanos(1_999)), 1);
    }

    proptest! {
        /// The rank of the quantile is exact, its value to three digits.
        #[test]
        fn quantiles_agree_with_the_sorted_values(
            mut values in prop::collection::vec(0_u64..HIGHEST_US, 1..200),
            quantile in 0.01_f64..0.999,
        ) {
            let measured = latencies(&values).measure(Statistic::Quantile(quantile)).unwrap();
            values.sort_unstable();
            #[expect(clippy::cast_precision_loss, clippy::cast_sign_loss, clippy::cast_possible_truncation, reason = "small")]
            let exact = values[(quantile * values.len() as f64).ceil() as usize - 1] as f64;
            prop_assert!(measured >= exact && measured <= exact * 1.001 + 1.0, "{measured} {exact}");
        }

        /// What is compact is the same, and can still be added to.
        #[test]
        fn compact_latencies_are_the_same(
            values in prop::collection::vec(0_u64..2 * HIGHEST_US, 0..50),
            more in prop::collection::vec(0_u64..2 * HIGHEST_US, 0..5),
        ) {
            let mut compact = latencies(&values);
            compact.compact();
            prop_assert_eq!(compact.shares(), latencies(&values).shares());
            prop_assert_eq!(&compact, &latencies(&values));
            prop_assert_eq!(compact.summary(), latencies(&values).summary());
            prop_assert_eq!(compact.histogram().into_owned(), latencies(&values).histogram().into_owned());
            prop_assert_eq!(compact.count(), latencies(&values).count());
            more.iter().for_each(|value| compact.record_us(*value));
            prop_assert_eq!(compact, latencies(&[values, more].concat()));
        }

        #[test]
        fn adding_is_recording_both(
            left in prop::collection::vec(0_u64..2 * HIGHEST_US, 0..50),
            right in prop::collection::vec(0_u64..2 * HIGHEST_US, 0..50),
        ) {
            let mut sum = latencies(&left);
            sum.add(&latencies(&right));
            prop_assert_eq!(sum, latencies(&[left, right].concat()));
        }
    }
}
