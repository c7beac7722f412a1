use std::time::Duration;

use super::latency::{Latencies, micros};
use super::metric::Statistic;
use record::IterationRecord;
use timestamp::elapsed;

/// So late may the 99th percentile of the starts be, on a busy machine.
const LATEST_P99_US: f64 = 20_000.0;

/// So late may no start be: a machine that slept, or a runner that was stopped.
const LATEST_US: f64 = 1_000_000.0;

/// How late iterations started that had a schedule, and how long Rank took without that.
///
/// Kept from the first late start on. Before, both are known: no lag, and service times
/// that are latencies.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Punctuality {
    lag: Latencies,
    service: Latencies,
}

impl Punctuality {
    /// After Ranks that all started when they were due.
    pub fn after(ranks: Option<&Latencies>) -> Self {
        let service = ranks.cloned().unwrap_or_default();
        let mut lag = Latencies::default();
        (0..service.count()).for_each(|_| lag.record_us(0));
        Self { lag, service }
    }

    /// What was kept of one.
    pub fn restore(lag: Latencies, service: Latencies) -> Self {
        Self { lag, service }
    }

    /// Keeps the same in little memory, until something is added.
    pub fn compact(&mut self) {
        self.lag.compact();
        self.service.compact();
    }

    /// Takes in an iteration of which Rank was sent.
    pub fn add(&mut self, record: &IterationRecord) {
        self.lag.record(record.lag());
        if let Some(latency) = record.rank_latency {
            self.service.record(latency);
        }
    }

    pub fn lag(&self) -> &Latencies {
        &self.lag
    }

    pub fn service(&self) -> &Latencies {
        &self.service
    }

    /// Why latencies of the phase say nothing of the service: the runner itself was
    /// late.
    pub fn saturation(&self) -> Option<String> {
        let p99 = self.lag.measure(Statistic::Quantile(0.99))?;
        let longest = self.lag.measure(Statistic::Max)?;
        let (what, limit) = if p99 > LATEST_P99_US {
            (
                format!("1 % of the iterations started more than {} late", elapsed(p99)),
                LATEST_P99_US,
            )
        } else if longest > LATEST_US {
            (format!("an iteration started {} late", elapsed(longest)), LATEST_US)
        } else {
            return None;
        };
        let limit = elapsed(limit);
        Some(format!("generator saturated: {what} (limit {limit}); its latencies are not valid"))
    }
}

/// Whether a record says more than that it started when it was due.
pub(super) fn is_late(record: &IterationRecord) -> bool {
    micros(record.lag()) > micros(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::iteration;

    fn late(lags_ms: impl IntoIterator<Item = u64>) -> Punctuality {
        let mut punctuality = Punctuality::after(None);
        for lag in lags_ms {
            let mut record = iteration(0, 0, true);
            record.rank_start += Duration::from_millis(lag);
            punctuality.add(&record);
        }
        punctuality
    }

    #[test]
    fn a_runner_that_was_late_is_found_out() {
        let fine = (0..1000).map(|index| if index < 990 { 2 } else { 900 });
        assert_eq!(late(fine).saturation(), None);
        let often = (0..1000).map(|index| if index < 980 { 2 } else { 900 });
        assert!(late(often).saturation().is_some_and(|text| text.contains("900 ms late")));
        let once = (0..1000).map(|index| if index == 0 { 1500 } else { 0 });
        assert!(late(once).saturation().is_some_and(|text| text.contains("1.50 s late")));
        assert_eq!(late([]).saturation(), None);
    }

    #[test]
    fn service_times_leave_the_lag_out() {
        let punctuality = late([0, 10, 20]);
        assert_eq!(punctuality.service().measure(Statistic::Max), Some(5_000.0));
        assert_eq!(punctuality.lag().measure(Statistic::Max), Some(20_000.0));
    }
}
