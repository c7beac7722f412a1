use std::io;

use super::choice::{LogReader, LoggedChoice, LoggedLine, LoggedProbability, RejectedLine};
use super::log_summary::{LogPlace, LogSummary};
use super::segment::Segments;
use crate::view::Viewed;
use learner::Label;
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
    /// How many actions could be chosen.
    pub(super) choices: usize,
    /// How many events it stands for.
    pub(super) count: f32,
    /// The event, once for each form.
    pub(super) views: Vec<Viewed>,
    /// The action taken, its cost, its probability and how many events it stands for.
    pub(super) label: Option<Label>,
    /// The distribution that the action was drawn from, if the log has it.
    pub(super) distribution: Option<Vec<f32>>,
    /// What the log says of each candidate.
    pub(super) candidates: Vec<LoggedProbability>,
    /// The highest weight that any policy can have on the logs so far.
    pub(super) highest_weight: f64,
}

/// Some events of a log; none at its end.
#[derive(Debug, Default)]
pub struct Batch {
    pub log: String,
    pub rows: Vec<Row>,
}

/// Makes batches of what a reader of logs gives.
pub struct BatchReader {
    /// Whether times are wanted.
    times: bool,
    log: String,
    pub segments: Vec<Segments>,
    pub summary: LogSummary,
}

impl BatchReader {
    pub fn new(times: bool, segments: Vec<Segments>) -> Self {
        Self { times, log: String::new(), segments, summary: LogSummary::default() }
    }

    /// Starts another log.
    pub fn begin(&mut self, log: &str) {
        log.clone_into(&mut self.log);
    }

    /// The next events.
    pub fn read(&mut self, reader: &mut dyn LogReader) -> io::Result<Batch> {
        let mut rows = Vec::with_capacity(ROWS);
        while rows.len() < ROWS
            && let Some(line) = reader.next_line()?
        {
            rows.extend(self.row(line));
        }
        Ok(Batch { log: self.log.clone(), rows })
    }

    /// The event of the line; none if it is dropped.
    fn row(&mut self, LoggedLine { number, choice }: LoggedLine) -> Option<Row> {
        self.summary.lines += 1;
        let choice = match choice {
            Ok(choice) => choice,
            Err(RejectedLine { reason, column, found }) => {
                let place = || LogPlace { log: self.log.clone(), line: number, column };
                self.summary.drop_line(reason, found, place);
                return None;
            }
        };
        let LoggedChoice { time, features, .. } = &choice;
        let parts = self.segments.iter_mut();
        let segments = parts.map(|segments| segments.of(features, *time)).collect();
        let mut row = Row {
            index: self.summary.labelled + self.summary.unlabelled,
            line: number,
            id: choice.id,
            time: choice.time,
            labelled: self.summary.labelled,
            segments,
            choices: choice.choices,
            count: choice.count,
            views: choice.views,
            label: choice.label,
            distribution: choice.distribution,
            candidates: choice.candidates,
            highest_weight: 1.0,
        };
        self.summary.add(&row, self.times.then_some(&self.log));
        row.highest_weight = self.summary.highest_weight();
        Some(row)
    }
}

impl LogSummary {
    /// `timed` is the name of the log, where times are wanted.
    fn add(&mut self, row: &Row, timed: Option<&String>) {
        let Some(label) = &row.label else {
            self.unlabelled += 1;
            return;
        };
        self.add_labelled(row.choices, row.count, label, row.distribution.as_deref());
        if let Some(log) = timed {
            let place = || LogPlace { log: log.clone(), line: row.line, column: 1 };
            self.add_time(row.time, place);
        }
    }
}
