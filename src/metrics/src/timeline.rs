use std::collections::BTreeMap;
use std::time::Duration;

use super::interval::IntervalLatencies;
use super::metric::Operation;
use super::tally::{Call, calls};
use record::{IterationRecord, Progress};

/// Seconds without a call are shown, up to so many in a row: a stalled service should
/// be seen, a pause of days should not fill a file.
const LONGEST_SILENCE: u64 = 600;

/// Latencies of the calls of each of [`Operation::ALL`].
type ByOperation = [Vec<Duration>; Operation::ALL.len()];

/// One second of a phase: the calls that were sent in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Second {
    /// The phase.
    pub phase: usize,
    /// The index of the second in its phase, from 0.
    pub second: u64,
    /// When it began, in the time of the run.
    pub start: Duration,
    /// How long it was: less than a second at the end of a phase.
    pub length: Duration,
    /// Calls that were sent.
    pub calls: u64,
    /// Calls that failed.
    pub errors: u64,
    /// How long they took, by operation.
    latencies: ByOperation,
}

impl Second {
    /// Calls per second; nothing in a second without length.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "2^53 calls in a second are out of reach")]
    pub fn rate(&self) -> Option<f64> {
        (!self.length.is_zero()).then(|| self.calls as f64 / self.length.as_secs_f64())
    }

    /// How long the calls of an operation took.
    #[must_use]
    pub fn latencies(&self, operation: Operation) -> IntervalLatencies {
        IntervalLatencies::new(&self.latencies[operation as usize])
    }
}

/// Makes seconds of records that come in index order in each phase.
///
/// Seconds count from the start of the phase. Rank calls are sent in index order, and a
/// reward is sent after its Rank: so a second is over when a Rank of a later one
/// comes, and only seconds under way are kept, as plain lists of latencies.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    /// The phases that have begun. One that was stopped goes on in a resumed run.
    phases: BTreeMap<usize, PhaseTimeline>,
}

/// The seconds of a phase.
#[derive(Debug, Clone, Default, PartialEq)]
struct PhaseTimeline {
    phase: usize,
    phase_start: Duration,
    /// The first second that is not over.
    next: u64,
    under_way: BTreeMap<u64, UnderWay>,
    /// The end of the latest call.
    latest: Duration,
}

/// A second that is not over.
#[derive(Debug, Clone, Default, PartialEq)]
struct UnderWay {
    calls: u64,
    errors: u64,
    latencies: ByOperation,
}

impl Timeline {
    /// Takes in what happened; returns the seconds that are over, in order.
    pub fn observe(&mut self, progress: &Progress) -> Vec<Second> {
        match progress {
            Progress::PhaseStarted(started) => {
                let timeline = PhaseTimeline::new(started.phase, started.at);
                self.phases.insert(started.phase, timeline);
                Vec::new()
            }
            Progress::Iteration(record) => {
                let new = || PhaseTimeline::new(record.phase, Duration::ZERO);
                self.phases.entry(record.phase).or_insert_with(new).add(record)
            }
            Progress::PhaseEnded(ended) => {
                let timeline = self.phases.get_mut(&ended.phase);
                timeline.map_or_else(Vec::new, |timeline| timeline.close(ended.ended))
            }
            _ => Vec::new(),
        }
    }

    /// Ends what is under way, in phases that stopped with their latest call.
    pub fn interrupt(&mut self) -> Vec<Second> {
        self.phases.values_mut().flat_map(|phase| phase.close(phase.latest)).collect()
    }
}

impl PhaseTimeline {
    fn new(phase: usize, phase_start: Duration) -> Self {
        Self { phase, phase_start, ..Self::default() }
    }

    fn add(&mut self, record: &IterationRecord) -> Vec<Second> {
        calls(record).for_each(|call| self.add_call(call));
        let over = self.second_of(record.rank_start);
        self.end_before(over, Duration::MAX)
    }

    /// An iteration that is recorded after its second was closed counts in the first open one.
    fn add_call(&mut self, call: Call) {
        let second = self.second_of(call.start).max(self.next);
        self.latest = self.latest.max(call.end);
        let under_way = self.under_way.entry(second).or_default();
        under_way.calls += 1;
        under_way.errors += u64::from(call.failed);
        if let Some(latency) = call.latency {
            under_way.latencies[call.operation as usize].push(latency);
        }
    }

    /// Ends what is under way, at `end` in the time of the run.
    fn close(&mut self, end: Duration) -> Vec<Second> {
        let after_last = self.under_way.last_key_value().map_or(self.next, |(last, _)| last + 1);
        self.end_before(after_last, end)
    }

    fn second_of(&self, at: Duration) -> u64 {
        at.saturating_sub(self.phase_start).as_secs()
    }

    /// Ends the seconds before `bound`, of which none reaches beyond `end`.
    fn end_before(&mut self, bound: u64, end: Duration) -> Vec<Second> {
        let mut over = Vec::new();
        while let Some(entry) = self.under_way.first_entry().filter(|entry| *entry.key() < bound) {
            let (second, under_way) = entry.remove_entry();
            if second - self.next <= LONGEST_SILENCE {
                let silent = self.next..second;
                over.extend(silent.map(|second| self.finish(second, UnderWay::default(), end)));
            }
            over.push(self.finish(second, under_way, end));
            self.next = second + 1;
        }
        over
    }

    fn finish(&self, second: u64, under_way: UnderWay, end: Duration) -> Second {
        let start = self.phase_start + Duration::from_secs(second);
        let length = end.saturating_sub(start).min(Duration::from_secs(1));
        let UnderWay { calls, errors, latencies } = under_way;
        Second { phase: self.phase, second, start, length, calls, errors, latencies }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{iteration, phase_ended, phase_started};
    use record::{FailureKind, IterationOutcome, PhaseRecord};

    fn at(record: IterationRecord, rank_start: Duration) -> Progress {
        let reward_start = Some(rank_start + record.rank_latency.unwrap_or_default());
        Progress::Iteration(IterationRecord { rank_start, reward_start, ..record })
    }

    fn closed(timeline: &mut Timeline, ended: Duration) -> Vec<Second> {
        let Progress::PhaseEnded(phase) = phase_ended(0) else { unreachable!() };
        timeline.observe(&Progress::PhaseEnded(PhaseRecord { ended, ..phase }))
    }

    #[test]
    fn a_second_is_over_when_a_later_one_begins() {
        let mut timeline = Timeline::default();
        timeline.observe(&phase_started(0));
        assert_eq!(timeline.observe(&at(iteration(0, 0, true), Duration::from_millis(999))), []);
        let over = timeline.observe(&at(iteration(0, 1, true), Duration::from_secs(1)));
        assert_eq!(
            over.iter().map(|second| (second.second, second.calls)).collect::<Vec<_>>(),
            [(0, 1)]
        );
        let last = timeline.observe(&phase_ended(0));
        assert_eq!(
            last.iter().map(|second| (second.second, second.calls)).collect::<Vec<_>>(),
            [(1, 3)]
        );
    }

    #[test]
    fn the_last_second_is_as_long_as_it_was() {
        let mut timeline = Timeline::default();
        timeline.observe(&at(iteration(0, 0, true), Duration::from_millis(2100)));
        let seconds = closed(&mut timeline, Duration::from_millis(2500));
        assert_eq!(seconds.len(), 3, "silent seconds are shown");
        assert_eq!((seconds[2].length, seconds[2].rate()), (Duration::from_millis(500), Some(4.0)));
        assert_eq!((seconds[0].length, seconds[0].rate()), (Duration::from_secs(1), Some(0.0)));
    }

    #[test]
    fn days_of_silence_are_not() {
        let mut timeline = Timeline::default();
        timeline.observe(&at(iteration(0, 0, true), Duration::from_secs(48 * 3600)));
        assert_eq!(closed(&mut timeline, Duration::from_secs(49 * 3600)).len(), 1);
    }

    #[test]
    fn a_failed_rank_is_one_call_and_one_error() {
        let mut timeline = Timeline::default();
        let mut failed = iteration(0, 0, true);
        failed.outcome = IterationOutcome::RankFailed(FailureKind::Timeout);
        (failed.chosen, failed.reward) = (None, None);
        timeline.observe(&Progress::Iteration(failed));
        let seconds = closed(&mut timeline, Duration::from_secs(1));
        assert_eq!((seconds[0].calls, seconds[0].errors), (1, 1));
    }

    proptest::proptest! {
        /// Whenever they were sent, every call is counted once, and seconds ascend.
        #[test]
        fn no_call_is_lost(starts in proptest::collection::vec((0_u64..5_000, 0_u64..3_000), 0..100)) {
            let mut timeline = Timeline::default();
            let mut seconds = Vec::new();
            for (index, (start, think)) in starts.iter().enumerate() {
                let mut record = iteration(0, index as u64, true);
                record.rank_start = Duration::from_millis(*start);
                record.reward_start = Some(Duration::from_millis(start + think));
                seconds.extend(timeline.observe(&Progress::Iteration(record)));
            }
            seconds.extend(closed(&mut timeline, Duration::from_secs(60)));
            let calls: u64 = seconds.iter().map(|second| second.calls).sum();
            proptest::prop_assert_eq!(calls, 2 * starts.len() as u64);
            proptest::prop_assert!(seconds.is_sorted_by(|left, right| left.second < right.second));
        }
    }
}
