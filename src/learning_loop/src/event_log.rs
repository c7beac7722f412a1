use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::joined::Joined;
use protocol::EventId;
use timestamp::Timestamp;

/// Joined events, in the order of their Rank calls.
#[derive(Debug, Default)]
pub(crate) struct EventLog {
    events: VecDeque<Arc<Joined>>,
    retention: Retention,
    /// Events whose lines were not taken. They outlive the log: a run that clears the loop
    /// between its phases still writes the events of every phase.
    untaken: VecDeque<Arc<Joined>>,
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

    /// Adds an event; `taken`, if its line was taken while its window was open.
    pub(crate) fn push(&mut self, joined: Joined, taken: bool) {
        let joined = Arc::new(joined);
        if matches!(self.retention, Retention::Lines | Retention::Archive) && !taken {
            self.untaken.push_back(joined.clone());
        }
        self.events.push_back(joined);
    }

    /// When the first and the last event were ranked.
    pub(crate) fn range(&self) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = (self.events.front()?, self.events.back()?);
        Some((first.interaction.time, last.interaction.time))
    }

    /// The events, in the order in which they were learned.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Joined>> + ExactSizeIterator {
        self.events.iter()
    }

    /// The events whose lines were not taken; marks them as taken.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Arc<Joined>> {
        self.untaken.drain(..)
    }

    /// Removes events older than `days`, and passes their ids to `forget`; -1 keeps all.
    pub(crate) fn retain(&mut self, days: i32, now: Timestamp, mut forget: impl FnMut(&EventId)) {
        let Ok(days) = u32::try_from(days) else { return };
        let oldest = now - DAY * days;
        while let Some(joined) = self.events.front().filter(|event| event.interaction.time < oldest)
        {
            forget(&joined.interaction.event_id);
            self.events.pop_front();
        }
    }

    /// Adds an event whose line was taken.
    pub(crate) fn restore(&mut self, joined: Arc<Joined>) {
        self.events.push_back(joined);
    }

    /// The number of events whose lines were not taken.
    pub(crate) fn untaken(&self) -> usize {
        self.untaken.len()
    }

    /// Removes the oldest events beyond `most`, and passes their ids to `forget`.
    pub(crate) fn limit(&mut self, most: usize, mut forget: impl FnMut(&EventId)) {
        while self.events.len() > most
            && let Some(joined) = self.events.pop_front()
        {
            forget(&joined.interaction.event_id);
        }
    }

    /// Removes every event.
    pub(crate) fn clear(&mut self) {
        self.events.clear();
        if self.retention == Retention::Archive {
            self.untaken.clear();
        }
    }
}
