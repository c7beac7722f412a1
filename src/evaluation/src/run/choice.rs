//! Logged choices, as readers of logs give them.

use std::io;

use super::log_summary::Rejection;
use crate::view::{View, Viewed};
use learner::Label;
use timestamp::Timestamp;

/// What a reader gives of each choice.
#[derive(Debug, Clone, Default)]
pub struct Wants {
    /// The forms in which events are seen.
    pub views: Vec<View>,
    /// Whether ids are wanted.
    pub ids: bool,
    /// Whether times are wanted.
    pub times: bool,
    /// Whether events that number their actions only are wanted.
    pub unlisted: bool,
    /// The features of contexts whose values are wanted.
    pub features: Vec<String>,
}

/// A logged choice.
#[derive(Debug, Clone)]
pub struct LoggedChoice {
    /// Its id, where ids are wanted and the log has one.
    pub id: Option<String>,
    /// When it was made, where times are wanted and the log has them.
    pub time: Option<Timestamp>,
    /// How many actions could be chosen.
    pub choices: usize,
    /// How many events it stands for.
    pub count: f32,
    /// The event, in each form that is wanted.
    pub views: Vec<Viewed>,
    /// The action taken, its cost and its probability; none, if that is not known.
    pub label: Option<Label>,
    /// The distribution that the action was drawn from, if the log has it.
    pub distribution: Option<Vec<f32>>,
    /// What the log says of each candidate.
    pub candidates: Vec<LoggedProbability>,
    /// The values of the features that are wanted.
    pub features: Vec<Option<String>>,
}

/// What a log says a candidate would have done.
#[derive(Debug, Clone, PartialEq)]
pub enum LoggedProbability {
    /// The probability of the action that was taken.
    OfTaken(f32),
    /// Its distribution over the actions.
    Distribution(Vec<f32>),
    /// Nothing that can be used, and why.
    Invalid(String),
}

/// A line of a log.
#[derive(Debug)]
pub struct LoggedLine {
    /// Its number, from one.
    pub number: u64,
    /// The choice, or why it is none.
    pub choice: Result<LoggedChoice, RejectedLine>,
}

/// Why a line is no choice, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedLine {
    /// Why.
    pub reason: Rejection,
    /// The byte of the line, from one.
    pub column: usize,
    /// What was found there, if that helps.
    pub found: Option<String>,
}

/// Reads one log, line by line.
pub trait LogReader: Send {
    /// The next line that is not blank; none at the end of the log.
    ///
    /// # Errors
    /// If the log cannot be read.
    fn next_line(&mut self) -> io::Result<Option<LoggedLine>>;
}
