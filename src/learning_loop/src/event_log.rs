use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::event_size::EventSizes;
use super::joined::Joined;
use protocol::EventId;
use timestamp::Timestamp;

/// Joined events, in the order of their Rank calls.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    events: VecDeque<Logged>,
    /// About how many bytes of memory they take.
    bytes: u64,
    sizes: EventSizes,
    retention: Retention,
    /// Events whose lines were not taken. They outlive the log: a run that clears the loop
    /// between its phases still writes the events of every phase.
    untaken: VecDeque<Arc<Joined>>,
}

/// An event, and about how many bytes of memory it takes.
#[derive(Debug)]
struct Logged {
    joined: Arc<Joined>,
    bytes: u64,
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

const DAY: Duration = Duration::from_secs(24 * 3600);

impl EventLog {
    /// An empty log.
    pub(crate) fn new(retention: Retention) -> Self {
        Self { retention, ..Self::default() }
    }

    /// Whether joined events are kept.
    pub(crate) fn retains_events(&self) -> bool {
        self.retention != Retention::Nothing
    }

    /// Adds an event of so many bytes; `taken`, if its line was taken while its window was open.
    pub(crate) fn push(&mut self, joined: Joined, bytes: u64, taken: bool) {
        let joined = Arc::new(joined);
        if matches!(self.retention, Retention::Lines | Retention::Archive) && !taken {
            self.untaken.push_back(joined.clone());
        }
        self.add(joined, bytes);
    }

    fn add(&mut self, joined: Arc<Joined>, bytes: u64) {
        self.bytes += bytes;
        self.events.push_back(Logged { joined, bytes });
    }

    /// Removes the oldest event, and passes its id to `forget`.
    fn pop(&mut self, forget: &mut impl FnMut(&EventId)) {
        if let Some(Logged { joined, bytes }) = self.events.pop_front() {
            self.bytes -= bytes;
            forget(&joined.interaction.event_id);
        }
    }

    /// About how many bytes of memory the events take.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// When the first and the last event were ranked.
    pub(crate) fn range(&self) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = (self.events.front()?, self.events.back()?);
        Some((first.joined.interaction.time, last.joined.interaction.time))
    }

    /// The events, in the order in which they were learned.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Joined>> + ExactSizeIterator {
        self.events.iter().map(|logged| &logged.joined)
    }

    /// The events whose lines were not taken; marks them as taken.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Arc<Joined>> {
        self.untaken.drain(..)
    }

    /// The first event whose line was not taken; marks it as taken.
    pub(crate) fn take_next(&mut self) -> Option<Arc<Joined>> {
        self.untaken.pop_front()
    }

    /// Removes events older than `days`, and passes their ids to `forget`; -1 keeps all.
    pub(crate) fn retain(&mut self, days: i32, now: Timestamp, mut forget: impl FnMut(&EventId)) {
        let Ok(days) = u32::try_from(days) else { return };
        let oldest = now - DAY * days;
        let is_old = |logged: &Logged| logged.joined.interaction.time < oldest;
        while self.events.front().is_some_and(is_old) {
            self.pop(&mut forget);
        }
    }

    /// Adds an event whose line was taken.
    pub(crate) fn restore(&mut self, joined: Arc<Joined>) {
        let bytes = self.sizes.next(&joined.interaction);
        self.add(joined, bytes);
    }

    /// The number of events whose lines were not taken.
    pub(crate) fn untaken(&self) -> usize {
        self.untaken.len()
    }

    /// Removes the oldest events beyond so many, and beyond so many bytes, and passes their ids
    /// to `forget`.
    pub(crate) fn limit(&mut self, most: usize, bytes: u64, mut forget: impl FnMut(&EventId)) {
        while self.events.len() > most || self.bytes > bytes && !self.events.is_empty() {
            self.pop(&mut forget);
        }
    }

    /// Removes every event.
    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.bytes = 0;
        self.sizes = EventSizes::default();
        if self.retention == Retention::Archive {
            self.untaken.clear();
        }
    }
}
