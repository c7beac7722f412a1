use std::io::{self, BufRead};

use super::account::{Account, LogPlace};
use learner::{DsjsonReader, Event, Hashing, Label};
use timestamp::Timestamp;

/// How many events are replayed at a time: as many as stay near the processor.
const ROWS: usize = 1024;

/// A logged choice among those of a batch.
#[derive(Debug)]
pub struct Row {
    /// The number of the event in all logs, unlabelled ones included, from zero.
    pub index: u64,
    /// Its id, where predictions are wanted and the log has one.
    pub id: Option<String>,
    /// When it was ranked, where times are wanted and the log has them.
    pub(super) time: Option<Timestamp>,
    /// Its number among the labelled events, from zero.
    pub(super) labelled: u64,
    /// The event, once for each way of hashing.
    pub(super) events: Vec<Event>,
    /// What came of it.
    pub(super) label: Option<Label>,
}

/// Some events of a log; none at its end.
#[derive(Debug, Default)]
pub struct Batch {
    pub rows: Vec<Row>,
}

/// What is taken from a line besides the event.
#[derive(Debug, Clone, Copy)]
pub struct Wants {
    pub ids: bool,
    pub times: bool,
}

/// Reads batches.
pub struct BatchReader {
    readers: Vec<DsjsonReader>,
    wants: Wants,
    log: String,
    line_number: u64,
    line: Vec<u8>,
    pub account: Account,
}

impl BatchReader {
    /// A reader for policies that hash in these ways.
    pub fn new(hashings: Vec<Hashing>, wants: Wants) -> Self {
        let hashings = if hashings.is_empty() { vec![Hashing::default()] } else { hashings };
        Self {
            readers: hashings.into_iter().map(DsjsonReader::new).collect(),
            wants,
            log: String::new(),
            line_number: 0,
            line: Vec::new(),
            account: Account::default(),
        }
    }

    /// Turns to another log.
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
        Ok(Batch { rows })
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
        self.account.lines += 1;
        let (first, others) = self.readers.split_first_mut()?;
        let logged = match first.read(line) {
            Ok(logged) => logged,
            Err(dropped) => {
                let (log, line) = (&self.log, self.line_number);
                let place = || LogPlace { log: log.clone(), line, column: dropped.column };
                self.account.drop_line(dropped.reason, place);
                return None;
            }
        };
        let index = self.account.labelled + self.account.unlabelled;
        let labelled = self.account.labelled;
        let id = logged.id.as_ref().filter(|_| self.wants.ids);
        let id = id.map(|id| String::from_utf8_lossy(id).into_owned());
        let time = logged.time.as_ref().filter(|_| self.wants.times);
        let time = time.and_then(|time| std::str::from_utf8(time).ok()?.parse().ok());
        let lowest = f64::from(logged.lowest_probability);
        let mut events = vec![logged.event];
        let again = others.iter_mut().filter_map(|reader| reader.read(line).ok());
        events.extend(again.map(|logged| logged.event));
        match &logged.label {
            Some(label) => {
                let probability = f64::from(label.probability);
                let reward = -f64::from(label.cost);
                self.account.add_labelled(events[0].choices(), probability, reward);
                let lowest = lowest.min(probability).min(self.account.lowest_probability);
                self.account.lowest_probability = lowest;
                self.account.see(time);
            }
            None => self.account.unlabelled += 1,
        }
        Some(Row { index, id, time, labelled, events, label: logged.label })
    }
}
