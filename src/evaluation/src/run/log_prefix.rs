use std::io::{self, BufRead};

use super::batch::BatchReader;
use super::choice::{LogReader, Wants};
use super::dsjson::DsjsonLog;
use crate::Log;
use crate::view::{Shape, View, Viewed};
use learner::{Event, Hashing, Label};

/// The first labelled events of logs, held in memory to be searched over and over, and
/// the number of all.
pub struct LogPrefix {
    dsjson: DsjsonLog,
    reader: BatchReader,
    capacity: usize,
    events: Vec<(Event, Label)>,
}

impl LogPrefix {
    /// At most `capacity` events, hashed as policies do by default.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let dsjson = DsjsonLog::new(Self::wants());
        let reader = BatchReader::new(false, Vec::new());
        Self { dsjson, reader, capacity, events: Vec::new() }
    }

    /// What a reader gives of each choice.
    #[must_use]
    pub fn wants() -> Wants {
        let shape = Shape::Hashed(Hashing::default());
        Wants { views: vec![View { shape, without: None }], ..Wants::default() }
    }

    /// Reads one log of DSJSON lines to its end.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&mut self, input: impl BufRead + Send) -> io::Result<()> {
        let mut dsjson = std::mem::replace(&mut self.dsjson, DsjsonLog::new(Wants::default()));
        let read = self.read_log(&mut dsjson.lines(input));
        self.dsjson = dsjson;
        read
    }

    /// Reads one log to its end.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_log(&mut self, log: &mut dyn LogReader) -> io::Result<()> {
        loop {
            let batch = self.reader.read(log)?;
            if batch.rows.is_empty() {
                return Ok(());
            }
            let room = self.capacity - self.events.len();
            let labelled = batch.rows.into_iter().filter_map(|row| {
                let Some(Viewed::Hashed(event)) = row.views.into_iter().next() else { return None };
                Some((event, row.label?))
            });
            self.events.extend(labelled.take(room));
        }
    }

    /// The number of labelled events in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.reader.summary.labelled
    }

    /// The share of exploration that the lowest logged probability speaks of, if the
    /// logging policy gave every action at least its part of it.
    #[must_use]
    pub fn exploration(&self) -> f64 {
        let summary = &self.reader.summary;
        #[expect(clippy::cast_precision_loss, reason = "a number of actions")]
        let actions = summary.actions.map_or(1.0, |(fewest, _)| fewest as f64);
        (summary.lowest_probability * actions).clamp(0.01, 1.0)
    }

    /// Whether events have slots to fill.
    #[must_use]
    pub fn has_slots(&self) -> bool {
        self.events.iter().any(|(event, _)| event.slots.is_some())
    }

    /// Forgets the events from `length` on.
    pub fn truncate(&mut self, length: u64) {
        self.events.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    }
}

impl Log for LogPrefix {
    fn len(&self) -> usize {
        self.events.len()
    }

    /// Searched policies hash by default.
    fn event(&self, index: usize, _view: &View) -> Viewed {
        Viewed::Hashed(self.events[index].0.clone())
    }

    fn label(&self, index: usize) -> Label {
        self.events[index].1
    }
}
