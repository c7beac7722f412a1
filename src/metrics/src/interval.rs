use std::time::Duration;

use super::latency::{HIGHEST_US, SIGNIFICANT_DIGITS, micros};

/// How long the calls of one interval took, each as it was.
///
/// A histogram ([`super::Latencies`]) has tens of thousands of buckets, most of which stay
/// empty in a second; going over the calls is cheaper, and gives the same numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IntervalLatencies {
    /// Whole microseconds, in ascending order.
    sorted_us: Vec<u64>,
}

/// Buckets of one power of two: those that tell [`SIGNIFICANT_DIGITS`] digits apart.
const BUCKETS_LOG2: u32 = (2 * 10_u64.pow(SIGNIFICANT_DIGITS as u32)).next_power_of_two().ilog2();

impl IntervalLatencies {
    /// The latencies of an interval, in any order.
    #[must_use]
    pub fn new(latencies: &[Duration]) -> Self {
        let mut sorted_us: Vec<_> = latencies.iter().copied().map(micros).collect();
        sorted_us.sort_unstable();
        Self { sorted_us }
    }

    /// The number of calls.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sorted_us.len()
    }

    /// The slowest, exact.
    #[must_use]
    pub fn max_us(&self) -> Option<u64> {
        self.sorted_us.last().copied()
    }

    /// The upper end of the bucket in which the quantile lies, in microseconds; never
    /// above the slowest.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count is a count"
    )]
    pub fn quantile_us(&self, quantile: f64) -> Option<u64> {
        let rank = ((quantile * self.count() as f64).ceil() as usize).max(1);
        let value = self.sorted_us.get(rank - 1)?;
        Some(last_of_bucket((*value).min(HIGHEST_US)).min(self.max_us()?))
    }

    /// The upper end of the last bucket that holds something, in microseconds.
    #[must_use]
    pub fn highest_us(&self) -> Option<u64> {
        self.max_us().map(|max| last_of_bucket(max.min(HIGHEST_US)))
    }

    /// The index of each bucket with calls in it and how many they are, in ascending
    /// order: the buckets of `HdrHistogram` from 1 µs to [`HIGHEST_US`].
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let bucket = |value: &u64| bucket((*value).min(HIGHEST_US));
        let same = move |left: &u64, right: &u64| bucket(left) == bucket(right);
        self.sorted_us.chunk_by(same).map(move |calls| (bucket(&calls[0]), calls.len() as u64))
    }
}

/// The power of two in which a value lies, from zero for all that are told apart exactly.
fn magnitude(value: u64) -> u32 {
    let exact = (1 << BUCKETS_LOG2) - 1;
    u64::BITS - (value | exact).leading_zeros() - BUCKETS_LOG2
}

/// The index of the bucket of a value (`HdrHistogram`, `countsArrayIndex`).
fn bucket(value: u64) -> u64 {
    let magnitude = magnitude(value);
    (u64::from(magnitude) << (BUCKETS_LOG2 - 1)) + (value >> magnitude)
}

/// The highest value that shares the bucket of `value`.
fn last_of_bucket(value: u64) -> u64 {
    value | ((1 << magnitude(value)) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Latencies, Statistic};

    proptest::proptest! {
        #[test]
        fn a_histogram_says_the_same(
            values in proptest::collection::vec((0..27_u32, 0_u64..2048), 1..200),
            quantile in 0.0..=1.0,
        ) {
            let micros: Vec<_> =
                values.iter().map(|(shift, value)| Duration::from_micros(value << shift)).collect();
            let mut histogram = Latencies::default();
            micros.iter().for_each(|latency| histogram.record(*latency));
            let interval = IntervalLatencies::new(&micros);
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let of_interval = |value: Option<u64>| value.map(|value| value as f64);
            proptest::prop_assert_eq!(
                of_interval(interval.quantile_us(quantile)),
                histogram.measure(Statistic::Quantile(quantile))
            );
            proptest::prop_assert_eq!(
                of_interval(interval.max_us()),
                histogram.measure(Statistic::Max)
            );
            let histogram = histogram.histogram();
            let counts = histogram.iter_recorded();
            let counts: Vec<_> = counts.map(|bucket| bucket.count_at_value()).collect();
            let ours: Vec<_> = interval.buckets().map(|(_, count)| count).collect();
            proptest::prop_assert_eq!(ours, counts);
        }
    }
}
