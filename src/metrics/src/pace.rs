use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::latency::micros;
use super::metric::Operation;
use super::tally::Call;

/// How fast a phase went over its schedule: between its first and its last due time.
///
/// What is sent after the last due time, such as the rewards of long think times, is the tail
/// of a phase and says nothing of its rate. All times are in microseconds of the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pace {
    first_due: Option<u64>,
    last_due: u64,
    sent: Sent,
    /// Calls sent at or after the last due time so far, by the time at which they were sent.
    tail: BTreeMap<u64, Sent>,
}

/// Numbers of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Sent {
    ranks: u64,
    rewards: u64,
}

impl Sent {
    fn add(&mut self, other: Self) {
        self.ranks += other.ranks;
        self.rewards += other.rewards;
    }
}

impl Pace {
    /// Records the due time of an iteration. Due times come in rising order.
    pub fn add_due(&mut self, due: Duration) {
        let due = micros(due);
        self.first_due.get_or_insert(due);
        self.last_due = self.last_due.max(due);
        while let Some(first) = self.tail.first_entry().filter(|first| *first.key() < due) {
            self.sent.add(first.remove());
        }
    }

    /// Records a call of the iteration whose due time was recorded last.
    pub fn add_call(&mut self, call: &Call) {
        let sent = match call.operation {
            Operation::Rank => Sent { ranks: 1, rewards: 0 },
            Operation::Reward => Sent { ranks: 0, rewards: 1 },
        };
        let start = micros(call.start);
        if start < self.last_due {
            self.sent.add(sent);
        } else {
            self.tail.entry(start).or_default().add(sent);
        }
    }

    /// Ranks sent per second of the schedule; `None` if it has no length.
    pub fn iterations_per_second(&self) -> Option<f64> {
        self.per_second(self.sent.ranks)
    }

    /// Calls sent per second of the schedule; `None` if it has no length.
    pub fn calls_per_second(&self) -> Option<f64> {
        self.per_second(self.sent.ranks + self.sent.rewards)
    }

    #[expect(clippy::cast_precision_loss, reason = "2^53 calls are out of reach")]
    fn per_second(&self, calls: u64) -> Option<f64> {
        let length = self.last_due.saturating_sub(self.first_due?);
        (length > 0).then(|| calls as f64 / (length as f64 / 1e6))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: Operation, start_ms: u64) -> Call {
        let start = Duration::from_millis(start_ms);
        Call { operation, start, end: start, latency: None, failed: false }
    }

    /// 101 iterations at 10/s whose rewards follow `think` milliseconds later.
    fn pace(think: u64) -> Pace {
        let mut pace = Pace::default();
        for index in 0..=100 {
            pace.add_due(Duration::from_millis(100 * index));
            pace.add_call(&call(Operation::Rank, 100 * index));
            pace.add_call(&call(Operation::Reward, 100 * index + think));
        }
        pace
    }

    #[test]
    fn the_tail_of_a_phase_does_not_count() {
        assert_eq!(pace(50).iterations_per_second(), Some(10.0));
        assert_eq!(pace(50).calls_per_second(), Some(20.0));
        // Half of the rewards are sent after the schedule of ten seconds.
        assert_eq!(pace(5_000).iterations_per_second(), Some(10.0));
        assert_eq!(pace(5_000).calls_per_second(), Some(15.0));
        assert_eq!(pace(600_000).calls_per_second(), Some(10.0));
    }

    #[test]
    fn late_calls_lower_the_rate() {
        let mut pace = Pace::default();
        for index in 0..=100 {
            pace.add_due(Duration::from_millis(10 * index));
            pace.add_call(&call(Operation::Rank, 20 * index));
        }
        assert_eq!(pace.iterations_per_second(), Some(50.0));
    }

    #[test]
    fn one_iteration_has_no_rate() {
        let mut pace = Pace::default();
        pace.add_due(Duration::ZERO);
        pace.add_call(&call(Operation::Rank, 0));
        assert_eq!(pace.iterations_per_second(), None);
    }
}
