use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::joiner::Joined;
use protocol::EventId;
use timestamp::Timestamp;

/// Joined events, in the order of their Rank calls.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    events: VecDeque<Arc<Joined>>,
    keeps: Keeps,
    /// Events that nobody has taken yet. They outlive the log: a run that clears the
    /// loop between its phases still wants what it did.
    untaken: VecDeque<Arc<Joined>>,
}

/// What is kept of an event that is joined and learned.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// Nothing. Evaluations find an empty log, and a change of the learning policy has
    /// nothing to learn from, and an id that comes again once its window has closed is a new
    /// event: for worlds that do nothing of that.
    Nothing,
    /// The event, in the log.
    Log,
    /// The event, in the log; and its line, until it is taken.
    #[default]
    Lines,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl EventLog {
    /// An empty log.
    pub fn new(keeps: Keeps) -> Self {
        Self { keeps, ..Self::default() }
    }

    /// Whether events are kept once they are joined.
    pub fn keeps_events(&self) -> bool {
        self.keeps != Keeps::Nothing
    }

    /// Adds an event; `taken`, if its line was handed out while its window was open.
    pub fn push(&mut self, joined: Joined, taken: bool) {
        let joined = Arc::new(joined);
        if self.keeps == Keeps::Lines && !taken {
            self.untaken.push_back(joined.clone());
        }
        self.events.push_back(joined);
    }

    /// When the first and the last of the events were ranked.
    pub fn range(&self) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = (self.events.front()?, self.events.back()?);
        Some((first.interaction.time, last.interaction.time))
    }

    /// The events, in the order in which they were learned.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Joined>> + ExactSizeIterator {
        self.events.iter()
    }

    /// The events that nobody has taken yet.
    pub fn take(&mut self) -> impl Iterator<Item = Arc<Joined>> {
        self.untaken.drain(..)
    }

    /// Forgets events older than `days`, and says which; -1 keeps them for ever.
    pub fn retain(&mut self, days: i32, now: Timestamp, mut forget: impl FnMut(&EventId)) {
        let Ok(days) = u32::try_from(days) else { return };
        let oldest = now - DAY * days;
        let old = |events: &VecDeque<Arc<Joined>>| {
            events.front().is_some_and(|joined| joined.interaction.time < oldest)
        };
        while old(&self.events) {
            let joined = self.events.pop_front().expect("there is an old one");
            forget(&joined.interaction.event_id);
        }
    }

    /// Forgets every event.
    pub fn clear(&mut self) {
        self.events.clear();
    }
}
