//! Joined events, in the order of their Rank calls.

mod block;
mod ids;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use self::block::OpenBlock;
use self::ids::IdTable;
use super::event_size::EventSizes;
use super::joined::Joined;
use protocol::EventId;
use timestamp::Timestamp;

pub(crate) use block::{BLOCK, Block, Offer, addresses};
pub(crate) use snapshot::LoggedEvents;

/// Joined events, in the order of their Rank calls: about 60 bytes each, and what they do not
/// share.
#[derive(Debug)]
pub(crate) struct EventLog {
    /// Full blocks, the oldest first.
    full: VecDeque<Arc<Block>>,
    last: OpenBlock,
    /// How many events of the first block have left the log.
    left: usize,
    ids: IdTable,
    /// The number of the first event of the first block. Numbers wrap around.
    first_number: u32,
    /// About how many bytes of memory the events take, where that is asked for.
    bytes: u64,
    sizes: EventSizes,
    retention: Retention,
    /// Events whose lines were not taken. They outlive the log: a run that clears the loop
    /// between its phases still writes the events of every phase.
    untaken: VecDeque<Joined>,
}

/// What a loop keeps of an event after it was joined and learned.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Nothing: evaluations and retraining find an empty log, and an id that is used again
    /// after its window has closed is a new event. For runs that do none of this.
    Nothing,
    /// The event, in the log.
    Log,
    /// The event, in the log; and its line, until it is taken.
    #[default]
    Lines,
    /// The same, but lines of a cleared log are not taken: deleted events must not be stored.
    Archive,
}

/// An event of the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoggedEvent<'a> {
    block: &'a Block,
    index: usize,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl EventLog {
    /// An empty log; `counts_bytes`, if the memory of events is asked for.
    pub(crate) fn new(retention: Retention, counts_bytes: bool) -> Self {
        Self {
            full: VecDeque::new(),
            last: OpenBlock::default(),
            left: 0,
            ids: IdTable::default(),
            first_number: 0,
            bytes: 0,
            sizes: EventSizes::in_log(counts_bytes),
            retention,
            untaken: VecDeque::new(),
        }
    }

    /// Adds an event; `taken`, if its line was taken while its window was open.
    pub(crate) fn push(&mut self, joined: Joined, taken: bool) {
        if self.retention == Retention::Nothing {
            return;
        }
        self.add(&joined);
        if self.keeps_lines() && !taken {
            self.untaken.push_back(joined);
        }
    }

    /// Adds an event whose line was taken.
    pub(crate) fn restore(&mut self, joined: &Joined) {
        self.add(joined);
    }

    /// Whether the lines of events are taken.
    pub(crate) fn keeps_lines(&self) -> bool {
        matches!(self.retention, Retention::Lines | Retention::Archive)
    }

    fn add(&mut self, joined: &Joined) {
        let bytes = self.sizes.next(&joined.interaction);
        self.bytes += bytes;
        self.last.push(joined, bytes);
        let number = self.number(self.len() - 1);
        let Self { full, last, ids, first_number, .. } = self;
        ids.insert(number, |number| id_of(full, last, number.wrapping_sub(*first_number)));
        self.full.extend(self.last.take_full());
    }

    /// Whether there is an event with this id.
    pub(crate) fn contains(&self, id: &EventId) -> bool {
        let place = |number: u32| number.wrapping_sub(self.first_number);
        self.ids.contains(id, |number| id_of(&self.full, &self.last, place(number)))
    }

    /// The number of events.
    pub(crate) fn len(&self) -> usize {
        self.full.len() * BLOCK + self.last.block().len() - self.left
    }

    fn event(&self, index: usize) -> LoggedEvent<'_> {
        let place = index + self.left;
        LoggedEvent { block: block(&self.full, &self.last, place), index: place % BLOCK }
    }

    #[expect(clippy::cast_possible_truncation, reason = "numbers wrap around")]
    fn number(&self, index: usize) -> u32 {
        self.first_number.wrapping_add((index + self.left) as u32)
    }

    /// Removes the oldest event.
    fn pop(&mut self) {
        let (number, first) = (self.number(0), self.event(0));
        let bytes = first.block.bytes(first.index);
        let id = first.event_id().clone();
        self.ids.remove(number, &id);
        self.bytes -= bytes;
        self.left += 1;
        if self.left == BLOCK {
            self.full.pop_front();
            self.first_number = number.wrapping_add(1);
            self.left = 0;
        }
    }

    /// About how many bytes of memory the events take.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// When the first and the last event were ranked.
    pub(crate) fn range(&self) -> Option<(Timestamp, Timestamp)> {
        let last = self.len().checked_sub(1)?;
        Some((self.event(0).time(), self.event(last).time()))
    }

    /// The events, in the order in which they were learned.
    pub(crate) fn iter(
        &self,
    ) -> impl DoubleEndedIterator<Item = LoggedEvent<'_>> + ExactSizeIterator {
        (0..self.len()).map(|index| self.event(index))
    }

    /// The events that `is_meant` accepts, as they are now.
    pub(crate) fn snapshot(&self, is_meant: impl Fn(LoggedEvent<'_>) -> bool) -> LoggedEvents {
        let blocks = self.full.iter().chain([self.last.block()]).cloned().collect();
        let meant = self.iter().enumerate().filter(|(_, event)| is_meant(*event));
        LoggedEvents::new(blocks, meant.map(|(index, _)| index + self.left))
    }

    /// The events whose lines were not taken; marks them as taken.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Joined> {
        self.untaken.drain(..)
    }

    /// The first event whose line was not taken; marks it as taken.
    pub(crate) fn take_next(&mut self) -> Option<Joined> {
        self.untaken.pop_front()
    }

    /// Removes events older than `days`; -1 keeps all.
    pub(crate) fn retain(&mut self, days: i32, now: Timestamp) {
        let Ok(days) = u32::try_from(days) else { return };
        let oldest = now - DAY * days;
        while self.len() > 0 && self.event(0).time() < oldest {
            self.pop();
        }
    }

    /// The number of events whose lines were not taken.
    pub(crate) fn untaken(&self) -> usize {
        self.untaken.len()
    }

    /// Removes the oldest events beyond so many, and beyond so many bytes.
    pub(crate) fn limit(&mut self, most: usize, bytes: u64) {
        while self.len() > most || self.bytes > bytes && self.len() > 0 {
            self.pop();
        }
    }

    /// Removes every event.
    pub(crate) fn clear(&mut self) {
        let untaken = std::mem::take(&mut self.untaken);
        let sizes = self.sizes.anew();
        *self = Self { sizes, ..Self::new(self.retention, false) };
        if self.retention != Retention::Archive {
            self.untaken = untaken;
        }
    }
}

fn block<'a>(full: &'a VecDeque<Arc<Block>>, last: &'a OpenBlock, place: usize) -> &'a Block {
    full.get(place / BLOCK).unwrap_or(last.block())
}

/// The id of the event at a place after the first event of the first block.
fn id_of<'a>(full: &'a VecDeque<Arc<Block>>, last: &'a OpenBlock, place: u32) -> &'a EventId {
    let place = place as usize;
    block(full, last, place).event_id(place % BLOCK)
}

impl LoggedEvent<'_> {
    /// Its id.
    pub(crate) fn event_id(&self) -> &EventId {
        self.block.event_id(self.index)
    }

    /// When it was ranked.
    pub(crate) fn time(&self) -> Timestamp {
        self.block.time(self.index)
    }

    /// Whether it is learned.
    pub(crate) fn is_learnable(&self) -> bool {
        self.block.is_learnable(self.index)
    }

    /// As it was joined.
    pub(crate) fn joined(&self) -> Joined {
        self.block.joined(self.index)
    }
}
