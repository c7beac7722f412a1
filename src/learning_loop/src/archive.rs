//! Joined events as lines that are stored and read back.

use super::LearningLoop;
use super::dsjson::{LineWriter, read};

/// Events that were joined one after the other, as lines for `vw --dsjson`. Each line has one
/// more key, `runner`, with what only the loop needs.
#[derive(Debug, Clone, Default)]
pub struct Segment {
    /// The lines.
    pub lines: Vec<u8>,
    /// The number of events.
    pub events: usize,
}

impl LearningLoop {
    /// The number of events in the log.
    pub fn logged(&self) -> usize {
        self.log.iter().len()
    }

    /// The number of events that [`Self::take_segment`] would take.
    pub fn unarchived(&self) -> usize {
        self.log.untaken()
    }

    /// The events that were joined since the last call. For loops with
    /// [`Retention::Archive`](super::Retention::Archive).
    pub fn take_segment(&mut self) -> Segment {
        let mut writer = LineWriter::for_segments();
        let mut segment = Segment::default();
        for joined in self.log.take() {
            writer.push(&joined, &mut segment.lines);
            segment.events += 1;
        }
        segment
    }

    /// Adds an event of a segment to the log, without learning it. Events are added in their
    /// order, to a restored loop.
    ///
    /// # Errors
    /// If the line is not one of a segment.
    pub fn restore_event(&mut self, line: &[u8]) -> Result<(), String> {
        let joined = read::line(line).map_err(|error| error.to_string())?;
        self.joiner.restore_known(&joined.interaction.event_id);
        self.log.restore(joined);
        Ok(())
    }
}
