use std::collections::VecDeque;
use std::time::Duration;

use super::event_numbers::EventNumbers;
use super::event_size::{EventSizes, REWARD_BYTES};
use super::interaction::Interaction;
use protocol::EventId;
use timestamp::Timestamp;

/// Events whose reward windows are open, in the order of their Rank calls.
///
/// Windows close in this order too: a new event closes a reward wait time after its Rank,
/// and a shorter wait shortens all open windows alike ([`Self::shorten`]), so the closing
/// times never decrease.
#[derive(Debug)]
pub(crate) struct Joiner {
    open: VecDeque<OpenWindow>,
    /// The numbers of the open events, counted from the first event of the loop.
    numbers: EventNumbers,
    /// The number of the first open event.
    first: usize,
    /// About how many bytes of memory the open events take, where that is asked for.
    bytes: u64,
    sizes: EventSizes,
}

#[derive(Debug)]
struct OpenWindow {
    interaction: Interaction,
    /// Rewards from this instant on are late.
    closes: Timestamp,
    /// Whether the line of the event was taken while its window was open.
    taken: bool,
    /// About how many bytes of memory the event takes.
    bytes: u64,
}

/// An event whose window has closed.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) interaction: Interaction,
    /// Whether the line of the event was taken while its window was open.
    pub(crate) taken: bool,
}

impl Joiner {
    /// Without events; `counts_bytes`, if their memory is asked for.
    pub(crate) fn new(counts_bytes: bool) -> Self {
        Self {
            open: VecDeque::new(),
            numbers: EventNumbers::default(),
            first: 0,
            bytes: 0,
            sizes: EventSizes::open(counts_bytes),
        }
    }

    /// Opens the window of an event. Returns false for an id that has an open window.
    pub(crate) fn open(&mut self, interaction: Interaction, closes: Timestamp) -> bool {
        let is_new = self.numbers.insert(&interaction.event_id, self.first + self.open.len());
        if is_new {
            let bytes = self.sizes.next(&interaction);
            self.bytes += bytes;
            self.open.push_back(OpenWindow { interaction, closes, taken: false, bytes });
        }
        is_new
    }

    /// The event, if its window is open.
    pub(crate) fn event(&mut self, event_id: &EventId, now: Timestamp) -> Option<&mut Interaction> {
        self.window(event_id).filter(|open| now < open.closes).map(|open| &mut open.interaction)
    }

    fn window(&mut self, event_id: &EventId) -> Option<&mut OpenWindow> {
        let index = self.numbers.get(event_id)?.checked_sub(self.first)?;
        self.open.get_mut(index)
    }

    /// Counts the memory of a reward that an open event got.
    pub(crate) fn count_reward(&mut self, event_id: &EventId) {
        if let Some(open) = self.window(event_id) {
            open.bytes += REWARD_BYTES;
            self.bytes += REWARD_BYTES;
        }
    }

    /// About how many bytes of memory the open events take.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The events whose windows are open.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Interaction> {
        self.open.iter().map(|open| &open.interaction)
    }

    /// The events whose windows are open, and when each closes.
    pub(crate) fn windows(&self) -> impl Iterator<Item = (&Interaction, Timestamp)> {
        self.open.iter().map(|open| (&open.interaction, open.closes))
    }

    /// The number of events that have left the joiner.
    pub(crate) fn joined(&self) -> usize {
        self.first
    }

    /// Opens windows again, in their order, after so many events that have left.
    pub(crate) fn restore(&mut self, windows: Vec<(Interaction, Timestamp)>, joined: usize) {
        self.first = joined;
        for (interaction, closes) in windows {
            self.open(interaction, closes);
        }
    }

    /// The number of open windows.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }

    /// When the next window closes.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.open.front().map(|open| open.closes)
    }

    /// Closes every window at most `wait` after the Rank of its event.
    pub(crate) fn shorten(&mut self, wait: Duration) {
        for open in &mut self.open {
            open.closes = open.closes.min(open.interaction.time + wait);
        }
    }

    /// Removes the next event.
    pub(crate) fn close(&mut self) -> Option<Closed> {
        let OpenWindow { interaction, taken, bytes, .. } = self.open.pop_front()?;
        self.first += 1;
        self.bytes -= bytes;
        self.numbers.remove(&interaction.event_id);
        Some(Closed { interaction, taken })
    }

    /// The events whose lines were not taken, as they are now; marks them as taken.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Interaction> {
        let untaken = self.open.iter_mut().filter(|open| !open.taken);
        untaken.map(|open| {
            open.taken = true;
            open.interaction.clone()
        })
    }

    /// When the first and the last open event were ranked.
    pub(crate) fn range(&self) -> Option<(Timestamp, Timestamp)> {
        let (first, last) = (self.open.front()?, self.open.back()?);
        Some((first.interaction.time, last.interaction.time))
    }

    /// Removes every event.
    pub(crate) fn clear(&mut self) {
        self.first += self.open.len();
        self.open.clear();
        self.bytes = 0;
        self.sizes = self.sizes.anew();
        self.numbers.clear();
    }
}
