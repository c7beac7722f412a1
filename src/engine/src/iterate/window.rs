use std::collections::VecDeque;
use std::ops::Range;

use super::calls::Attempt;
use record::IterationRecord;
use shard::Stride;

/// So far may the fastest iteration be ahead of the slowest, for each that may be under
/// way: what is done waits in memory for its turn.
const LEAD: u64 = 64;

/// And so far at least.
const LEAST_LEAD: u64 = 4096;

/// The iterations of a phase between their start and the moment when all before them
/// are done. It counts those that are made here, which may be a stride of all.
pub(super) struct Window {
    stride: Stride,
    iterations: u64,
    lead: u64,
    started: u64,
    under_way: usize,
    /// From the next to be emitted on, by index.
    done: VecDeque<Option<Box<Attempt>>>,
    emitted: u64,
}

impl Window {
    pub fn new(iterations: Range<u64>, most_under_way: usize, stride: Stride) -> Self {
        Self {
            stride,
            iterations: iterations.end,
            lead: LEAST_LEAD + LEAD * most_under_way as u64,
            started: iterations.start,
            under_way: 0,
            done: VecDeque::new(),
            emitted: iterations.start,
        }
    }

    /// Whether another iteration may start.
    pub fn has_room(&self) -> bool {
        self.started < self.iterations && self.started - self.emitted < self.lead
    }

    /// The iteration that would start next, among those made here.
    pub fn next(&self) -> u64 {
        self.started
    }

    /// How many iterations are under way.
    pub fn under_way(&self) -> usize {
        self.under_way
    }

    /// Passes over the next iteration.
    pub fn drop(&mut self, attempt_of: impl FnOnce(u64) -> Attempt) {
        let attempt = attempt_of(self.stride.global(self.started));
        self.done.push_back(Some(Box::new(attempt)));
        self.started += 1;
    }

    /// Starts the next iteration and returns its index.
    pub fn start(&mut self) -> u64 {
        self.done.push_back(None);
        self.started += 1;
        self.under_way += 1;
        self.stride.global(self.started - 1)
    }

    /// Takes in an iteration that is done.
    pub fn finish(&mut self, attempt: Box<Attempt>) {
        self.under_way -= 1;
        let place = usize::try_from(self.stride.own(attempt.record.iteration) - self.emitted).ok();
        let place = place.and_then(|place| self.done.get_mut(place));
        *place.expect("only what was started is finished") = Some(attempt);
    }

    /// The next record in index order, if it is done.
    pub fn next_in_order(&mut self) -> Option<IterationRecord> {
        let attempt = self.done.front_mut()?.take()?;
        self.done.pop_front();
        self.emitted += 1;
        Some(attempt.record)
    }

    /// How many records there are in order, those of an earlier process included.
    pub fn emitted(&self) -> u64 {
        self.emitted
    }
}
