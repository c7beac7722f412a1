//! Joined events as lines that are stored and read back.

use super::LearningLoop;
use super::dsjson::LineWriter;
use super::dsjson::read::LineReader;
use super::joined::Joined;

/// Events that were joined one after the other, as lines for `vw --dsjson`. Each line has one
/// more key, `runner`, with what only the loop needs.
#[derive(Debug, Clone, Default)]
pub struct Segment {
    /// The lines.
    pub lines: Vec<u8>,
    /// The number of events.
    pub events: usize,
}

/// The events of a segment that was read back.
#[derive(Debug)]
pub struct SegmentEvents(Vec<Joined>);

impl SegmentEvents {
    /// The events of lines.
    ///
    /// # Errors
    /// If a line is not one of a segment.
    pub fn read(lines: &[u8]) -> Result<Self, String> {
        let mut reader = LineReader::default();
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let events = lines.map(|line| reader.line(line).map_err(|error| error.to_string()));
        events.collect::<Result<_, _>>().map(Self)
    }

    /// The number of events.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no event.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl LearningLoop {
    /// The number of events in the log.
    pub fn logged(&self) -> usize {
        self.log.len()
    }

    /// The number of events that [`Self::take_segment`] would take.
    pub fn unarchived(&self) -> usize {
        self.log.untaken()
    }

    /// The first events that were joined since the last call: at most so many, and none after so
    /// many bytes of lines. For loops with [`Retention::Archive`](super::Retention::Archive).
    pub fn take_segment(&mut self, events: usize, bytes: usize) -> Segment {
        let mut writer = LineWriter::for_segments();
        let mut segment = Segment::default();
        while segment.events < events && segment.lines.len() < bytes {
            let Some(joined) = self.log.take_next() else { break };
            writer.push(&joined, &mut segment.lines);
            segment.events += 1;
        }
        segment
    }

    /// Adds the events of a segment to the log without the first `skipped`, and without learning
    /// them. Segments are added in their order, to a restored loop.
    pub fn restore_events(&mut self, SegmentEvents(events): SegmentEvents, skipped: usize) {
        events.iter().skip(skipped).for_each(|joined| self.log.restore(joined));
    }
}
