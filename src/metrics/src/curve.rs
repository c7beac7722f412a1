use std::collections::BTreeMap;
use std::ops::Range;

use super::history::{Sums, ratio};
use record::{IterationRecord, Progress};

/// One point of the success curve: a batch of consecutive iterations of a phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The phase.
    pub phase: usize,
    /// The index of the batch in its phase, from 0.
    pub batch: u64,
    /// The index of its first iteration.
    pub first_iteration: u64,
    /// The index of its last iteration; it belongs to the batch.
    pub last_iteration: u64,
    /// Iterations that got an action.
    pub events: u64,
    /// Iterations that got the preferred action.
    pub successes: u64,
    /// Successes per event; nothing without events.
    pub success_rate: Option<f64>,
    /// Successes per event from the start of the phase to the end of this batch.
    pub cumulative_success_rate: Option<f64>,
    /// The mean of the rewards that were sent; nothing without rewards.
    pub mean_reward: Option<f64>,
}

/// Makes the success curves of phases, of records that come in index order in each.
#[derive(Debug, Clone, PartialEq)]
pub struct SuccessCurve {
    batch_size: u64,
    /// The phases that have begun. One that was stopped goes on in a resumed run.
    phases: BTreeMap<usize, PhaseCurve>,
}

/// The curve of a phase.
#[derive(Debug, Clone, Default, PartialEq)]
struct PhaseCurve {
    batches: u64,
    iterations: Range<u64>,
    sums: Sums,
    events_before: u64,
    successes_before: u64,
}

impl SuccessCurve {
    /// A curve with a point every `batch_size` iterations. A batch size of 0 counts
    /// as 1.
    #[must_use]
    pub fn new(batch_size: u64) -> Self {
        Self { batch_size: batch_size.max(1), phases: BTreeMap::new() }
    }

    /// Takes in what happened; returns the batch that it completes. The last batch of
    /// a phase may be smaller.
    pub fn observe(&mut self, progress: &Progress) -> Option<Batch> {
        match progress {
            Progress::PhaseStarted(started) => {
                self.phases.insert(started.phase, PhaseCurve::default());
                None
            }
            Progress::Iteration(record) => {
                let curve = self.phases.entry(record.phase).or_default();
                curve.add(record);
                let is_full = curve.sums.iterations == self.batch_size;
                is_full.then(|| curve.close(record.phase)).flatten()
            }
            Progress::PhaseEnded(ended) => self.phases.get_mut(&ended.phase)?.close(ended.phase),
            _ => None,
        }
    }

    /// Ends the batches under way.
    pub fn close(&mut self) -> Vec<Batch> {
        self.phases.iter_mut().filter_map(|(phase, curve)| curve.close(*phase)).collect()
    }
}

impl PhaseCurve {
    fn add(&mut self, record: &IterationRecord) {
        if self.iterations.is_empty() {
            self.iterations = record.iteration..record.iteration;
        }
        self.iterations.end = record.iteration + 1;
        self.sums.add_record(record);
    }

    /// Ends the batch under way, if there is one.
    fn close(&mut self, phase: usize) -> Option<Batch> {
        if self.iterations.is_empty() {
            return None;
        }
        let (sums, iterations) = (std::mem::take(&mut self.sums), self.iterations.clone());
        self.events_before += sums.events;
        self.successes_before += sums.successes;
        self.iterations = iterations.end..iterations.end;
        self.batches += 1;
        Some(Batch {
            phase,
            batch: self.batches - 1,
            first_iteration: iterations.start,
            last_iteration: iterations.end - 1,
            events: sums.events,
            successes: sums.successes,
            success_rate: sums.success_rate(),
            cumulative_success_rate: ratio(self.successes_before, self.events_before),
            mean_reward: sums.mean_reward(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{iteration, phase_ended, phase_started};

    /// The curve of a phase in which the iterations in `successes` succeeded.
    fn curve(batch_size: u64, successes: &[bool]) -> Vec<Batch> {
        let mut curve = SuccessCurve::new(batch_size);
        let iterations = successes
            .iter()
            .zip(0..)
            .map(|(success, index)| Progress::Iteration(iteration(3, index, *success)));
        std::iter::once(phase_started(3))
            .chain(iterations)
            .chain([phase_ended(3)])
            .filter_map(|progress| curve.observe(&progress))
            .collect()
    }

    #[test]
    fn the_last_batch_may_be_smaller() {
        let batches = curve(2, &[true, false, true]);
        let spans: Vec<_> = batches
            .iter()
            .map(|b| (b.phase, b.batch, b.first_iteration, b.last_iteration))
            .collect();
        assert_eq!(spans, [(3, 0, 0, 1), (3, 1, 2, 2)]);
        assert_eq!(batches[1].cumulative_success_rate, Some(2.0 / 3.0));
    }

    #[test]
    fn an_iteration_without_an_answer_is_not_an_event() {
        let mut failed = iteration(0, 0, true);
        (failed.chosen, failed.reward) = (None, None);
        let batch = SuccessCurve::new(1).observe(&Progress::Iteration(failed)).unwrap();
        assert_eq!((batch.events, batch.success_rate, batch.mean_reward), (0, None, None));
    }

    proptest::proptest! {
        #[test]
        fn batches_partition_the_phase(
            batch_size in 1_u64..20,
            successes in proptest::collection::vec(proptest::bool::ANY, 0..100),
        ) {
            let batches = curve(batch_size, &successes);
            let hits: u64 = batches.iter().map(|batch| batch.successes).sum();
            proptest::prop_assert_eq!(hits, successes.iter().filter(|hit| **hit).count() as u64);
            let mut next = 0;
            for batch in &batches {
                proptest::prop_assert_eq!(batch.first_iteration, next);
                next = batch.last_iteration + 1;
            }
            proptest::prop_assert_eq!(next, successes.len() as u64);
        }
    }
}
