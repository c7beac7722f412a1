use std::collections::VecDeque;
use std::ops::Range;

use super::calls::Attempt;
use record::IterationRecord;
use shard::Stride;

/// How far the fastest iteration may be ahead of the slowest, for each that may be under way:
/// finished iterations wait in memory for those before them.
const LEAD: u64 = 64;

/// The least that it may be ahead.
const MIN_LEAD: u64 = 4096;

/// The iterations of a phase between their start and the moment when all before them are
/// done. Indices count the iterations of this shard.
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
    pub(crate) fn new(iterations: Range<u64>, most_under_way: usize, stride: Stride) -> Self {
        Self {
            stride,
            iterations: iterations.end,
            lead: MIN_LEAD + LEAD * most_under_way as u64,
            started: iterations.start,
            under_way: 0,
            done: VecDeque::new(),
            emitted: iterations.start,
        }
    }

    /// Whether another iteration may start.
    pub(crate) fn has_room(&self) -> bool {
        self.room() > 0
    }

    /// How many iterations may start before another ends.
    pub(crate) fn room(&self) -> usize {
        let room = (self.emitted + self.lead).min(self.iterations).saturating_sub(self.started);
        usize::try_from(room).unwrap_or(usize::MAX)
    }

    /// The iteration that starts next.
    pub(crate) fn next(&self) -> u64 {
        self.started
    }

    /// How many iterations are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Drops the next iteration.
    pub(crate) fn drop(&mut self, attempt: Attempt) {
        self.done.push_back(Some(Box::new(attempt)));
        self.started += 1;
    }

    /// Starts the next iteration.
    pub(crate) fn start(&mut self) {
        self.done.push_back(None);
        self.started += 1;
        self.under_way += 1;
    }

    /// Records an iteration that is done.
    pub(crate) fn finish(&mut self, attempt: Box<Attempt>) {
        self.under_way -= 1;
        let index = usize::try_from(self.stride.own(attempt.record.iteration) - self.emitted).ok();
        let slot = index.and_then(|index| self.done.get_mut(index));
        *slot.expect("only a started iteration is finished") = Some(attempt);
    }

    /// The next record in index order, if it is done.
    pub(crate) fn next_in_order(&mut self) -> Option<IterationRecord> {
        let attempt = self.done.front_mut()?.take()?;
        self.done.pop_front();
        self.emitted += 1;
        Some(attempt.record)
    }

    /// How many records there are in order, those of an earlier process included.
    pub(crate) fn emitted(&self) -> u64 {
        self.emitted
    }
}
