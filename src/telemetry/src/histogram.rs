use std::time::Duration;

/// The upper bounds of the buckets, in seconds; one more has no bound.
pub(super) const BOUNDS: [f64; 16] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// Latencies in buckets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    /// How many lie in each bucket and in none below it.
    pub(super) buckets: [u64; BOUNDS.len() + 1],
    /// Their sum, in seconds.
    pub(super) sum: f64,
}

impl Histogram {
    pub(super) fn add(&mut self, latency: Duration) {
        let seconds = latency.as_secs_f64();
        // The bound of a bucket belongs to it.
        self.buckets[BOUNDS.partition_point(|bound| *bound < seconds)] += 1;
        self.sum += seconds;
    }

    pub(super) fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}
