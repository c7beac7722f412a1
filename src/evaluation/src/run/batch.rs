use std::io::{self, BufRead};

use super::log_summary::{LogPlace, LogSummary, Rejection};
use super::segment::Segments;
use learner::{
    DropReason, Dropped, DsjsonReader, Event, Hashing, Label, LoggedEvent, RecurringEvents,
};
use timestamp::Timestamp;

/// How many events are replayed at a time: as many as stay near the processor.
const ROWS: usize = 1024;

/// A logged choice among those of a batch.
#[derive(Debug)]
pub struct Row {
    /// The number of the event in all logs, unlabelled ones included, from zero.
    pub index: u64,
    /// Its line in the log, from one.
    pub(super) line: u64,
    /// Its id, where predictions are wanted and the log has one.
    pub id: Option<String>,
    /// When it was ranked, where times are wanted and the log has them.
    pub(super) time: Option<Timestamp>,
    /// Its number among the labelled events, from zero.
    pub(super) labelled: u64,
    /// The number of its part in each breakdown.
    pub(super) segments: Vec<usize>,
    /// The event, once for each way of hashing.
    pub(super) events: Vec<Event>,
    /// The action taken, its cost, its probability and how many events it stands for.
    pub(super) label: Option<Label>,
    /// The distribution that the action was drawn from, if the log has it.
    pub(super) distribution: Option<Vec<f32>>,
    /// The highest weight that any policy can have on the logs so far.
    pub(super) highest_weight: f64,
}

/// Some events of a log; none at its end.
#[derive(Debug, Default)]
pub struct Batch {
    pub log: String,
    pub rows: Vec<Row>,
}

/// What is taken from a line besides the event.
#[derive(Debug, Clone, Copy)]
pub struct Wants {
    pub ids: bool,
    pub times: bool,
    /// Events that number their actions only.
    pub unlisted: bool,
}

/// Reads lines for policies that hash in one way.
struct LineReader {
    reader: DsjsonReader,
    recurring: RecurringEvents,
}

/// Reads batches.
pub struct BatchReader {
    readers: Vec<LineReader>,
    wants: Wants,
    log: String,
    line_number: u64,
    line: Vec<u8>,
    pub segments: Vec<Segments>,
    pub summary: LogSummary,
}

impl BatchReader {
    /// A reader for policies that hash in these ways.
    pub fn new(hashings: Vec<Hashing>, wants: Wants, segments: Vec<Segments>) -> Self {
        let hashings = if hashings.is_empty() { vec![Hashing::default()] } else { hashings };
        Self {
            readers: hashings.into_iter().map(LineReader::new).collect(),
            wants,
            log: String::new(),
            line_number: 0,
            line: Vec::new(),
            segments,
            summary: LogSummary::default(),
        }
    }

    /// Starts another log.
    pub fn begin(&mut self, log: &str) {
        log.clone_into(&mut self.log);
        self.line_number = 0;
    }

    /// The next events.
    pub fn read(&mut self, input: &mut (impl BufRead + ?Sized)) -> io::Result<Batch> {
        let mut rows = Vec::with_capacity(ROWS);
        while rows.len() < ROWS && self.next_line(input)? {
            rows.extend(self.row());
        }
        Ok(Batch { log: self.log.clone(), rows })
    }

    fn next_line(&mut self, input: &mut (impl BufRead + ?Sized)) -> io::Result<bool> {
        self.line.clear();
        self.line_number += 1;
        Ok(input.read_until(b'\n', &mut self.line)? > 0)
    }

    /// The event of the line; none if it is blank or dropped.
    fn row(&mut self) -> Option<Row> {
        let line = self.line.trim_ascii_end();
        if line.is_empty() {
            return None;
        }
        self.summary.lines += 1;
        match read(&mut self.readers, line, self.wants) {
            Ok(mut row) => {
                row.index = self.summary.labelled + self.summary.unlabelled;
                row.labelled = self.summary.labelled;
                row.line = self.line_number;
                row.segments =
                    self.segments.iter_mut().map(|segments| segments.of(line, row.time)).collect();
                self.summary.add(&row, self.wants.times);
                row.highest_weight = self.summary.highest_weight();
                Some(row)
            }
            Err((reason, column)) => {
                let (log, line) = (&self.log, self.line_number);
                let place = || LogPlace { log: log.clone(), line, column };
                self.summary.drop_line(reason, place);
                None
            }
        }
    }
}

impl LineReader {
    fn new(hashing: Hashing) -> Self {
        Self { reader: DsjsonReader::new(hashing), recurring: RecurringEvents::default() }
    }

    fn read<'a>(&mut self, line: &'a [u8]) -> Result<LoggedEvent<'a>, Dropped> {
        let mut logged = self.reader.read(line)?;
        self.recurring.recognize(&mut logged.event);
        Ok(logged)
    }
}

impl LogSummary {
    fn add(&mut self, row: &Row, wants_times: bool) {
        let Some(label) = &row.label else {
            self.unlabelled += 1;
            return;
        };
        self.add_labelled(&row.events[0], label, row.distribution.as_deref());
        if wants_times {
            self.add_time(row.time);
        }
    }
}

/// Reads a line in every way of hashing; what it is among the others is still to be set.
fn read(readers: &mut [LineReader], line: &[u8], wants: Wants) -> Result<Row, (Rejection, usize)> {
    let drop_line = |Dropped { reason, column }| (Rejection::Line(reason), column);
    let mut read = readers.iter_mut().map(|reader| reader.read(line).map_err(drop_line));
    // There is a reader at least.
    let logged = read.next().ok_or((Rejection::Line(DropReason::Syntax), 1))??;
    let mut events = vec![logged.event];
    for other in read {
        events.push(other?.event);
    }
    if !wants.unlisted && !events[0].listed {
        return Err((Rejection::Line(DropReason::Actions), 1));
    }
    if let Some(label) = &logged.label
        && let Some(reason) = Rejection::of_probability(f64::from(label.probability))
    {
        return Err((reason, 1));
    }
    let id = logged.id.as_ref().filter(|_| wants.ids);
    let time = logged.time.as_ref().filter(|_| wants.times);
    Ok(Row {
        index: 0,
        line: 0,
        id: id.map(|id| String::from_utf8_lossy(id).into_owned()),
        time: time.and_then(|time| std::str::from_utf8(time).ok()?.parse().ok()),
        labelled: 0,
        segments: Vec::new(),
        events,
        label: logged.label,
        distribution: logged.distribution,
        highest_weight: 1.0,
    })
}
