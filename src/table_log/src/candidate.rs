use std::io;

use diagnostic::{Diagnostic, Place, Report, nearest};
use evaluation::run::LoggedProbability;
use foldhash::HashMap;
use protocol::FeatureValue;

use crate::action_set::ActionSet;
use crate::pattern;
use crate::rows::{Cell, Input, Rows};

/// A policy whose probabilities are known.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Where its probabilities are.
    pub kind: CandidateKind,
    /// Where that is written.
    pub place: Place,
}

/// Where the probabilities of a candidate are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CandidateKind {
    /// In a column: the probability of the action taken, or a list, by action. With `{action}`
    /// in its name: a column for each action.
    Column(String),
    /// In a file beside the logs, with a row for each of theirs: a column with the probability of
    /// the action taken, or a column for each action, named by its id.
    File(String),
    /// This action, always.
    Always(String),
}

/// A candidate whose columns are found.
pub(crate) enum Source {
    Column(usize),
    /// The columns of actions, by their ids.
    Columns(HashMap<String, usize>),
    File(usize),
    Always(String),
}

/// A file of probabilities that is being read.
pub(crate) struct ProbabilityFile {
    name: String,
    rows: Rows,
    /// The columns of actions, or that of the action taken.
    source: Source,
    read: u64,
}

/// The distribution of a candidate may be off its sum by rounding.
const ROUNDING: f64 = 0.01;

impl Source {
    /// Finds a column, or the columns of a pattern.
    pub fn find(
        name: &str,
        header: &[String],
        table: &str,
        place: &Place,
        report: &mut Report,
    ) -> Option<Self> {
        if name.contains(pattern::ACTION) {
            let columns: HashMap<String, usize> = header
                .iter()
                .enumerate()
                .filter_map(|(index, column)| {
                    Some((pattern::action(name, column)?.to_owned(), index))
                })
                .collect();
            if columns.is_empty() {
                let message = format!("no column of `{table}` matches `{name}`");
                report.push(Diagnostic::error(message).at(place).help(columns_of(header)));
                return None;
            }
            return Some(Self::Columns(columns));
        }
        find(name, header, table, place, report).map(Self::Column)
    }

    /// What a row says.
    pub fn read(
        &self,
        rows: &Rows,
        available: &[usize],
        taken: usize,
        actions: &ActionSet,
    ) -> LoggedProbability {
        match self {
            Self::Column(column) => of_cell(rows.cell(*column), available.len()),
            Self::Columns(columns) => {
                let probability = |action: &usize| {
                    let column = columns.get(actions.id(*action));
                    column.map_or(Some(0.0), |column| match rows.cell(*column) {
                        Cell::Missing => Some(0.0),
                        cell => cell.number(),
                    })
                };
                let pmf: Option<Vec<f64>> = available.iter().map(probability).collect();
                pmf.map_or_else(|| invalid("a probability is not a number"), |pmf| of_list(&pmf))
            }
            Self::Always(id) => {
                let chosen = available.iter().position(|action| actions.id(*action) == id);
                match chosen {
                    None => invalid(&format!("`{id}` could not be chosen")),
                    Some(chosen) => {
                        LoggedProbability::OfTaken(if chosen == taken { 1.0 } else { 0.0 })
                    }
                }
            }
            Self::File(_) => invalid("its file is read elsewhere"),
        }
    }
}

/// The column with a name; one that is not there is reported at `place`.
pub(crate) fn find(
    name: &str,
    header: &[String],
    table: &str,
    place: &Place,
    report: &mut Report,
) -> Option<usize> {
    let found = find_column(name, header, table);
    found.map_err(|mistake| report.push(mistake.at(place))).ok()
}

/// The column with a name, or what is wrong.
pub(crate) fn find_column(name: &str, header: &[String], table: &str) -> Result<usize, Diagnostic> {
    let mut found = header.iter().enumerate().filter(|(_, column)| *column == name);
    let Some((first, _)) = found.next() else {
        let is_object =
            |column: &String| column.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let help = match nearest(name, header.iter().map(String::as_str)) {
            _ if header.iter().any(is_object) => {
                format!("`{name}` is an object: `{name}.*` names all its keys")
            }
            Some(near) => format!("did you mean `{near}`?"),
            None => columns_of(header),
        };
        let message = format!("`{table}` has no column `{name}`");
        return Err(Diagnostic::error(message).help(help));
    };
    if found.next().is_some() {
        let message = format!("two columns of `{table}` are called `{name}`");
        return Err(Diagnostic::error(message).help("rename one of them"));
    }
    Ok(first)
}

/// So many names are shown.
const SHOWN: usize = 12;

/// The names of some columns, for a message.
pub(crate) fn columns_of(header: &[String]) -> String {
    let shown: Vec<_> = header.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = if header.len() > SHOWN { ", …" } else { "" };
    let shown = shown.join(", ");
    if header.iter().any(|name| name.parse::<f64>().is_ok()) {
        return format!("its first line must name the columns, and is {shown}{more}");
    }
    format!("its columns are {shown}{more}")
}

fn invalid(why: &str) -> LoggedProbability {
    LoggedProbability::Invalid(why.to_owned())
}

fn of_cell(cell: Cell<'_>, actions: usize) -> LoggedProbability {
    let parsed: FeatureValue;
    let list = match cell {
        Cell::Text(text) if text.trim_start().starts_with('[') => {
            let Ok(list) = serde_json::from_str(text) else {
                return invalid("its list is no JSON");
            };
            parsed = list;
            Some(&parsed)
        }
        Cell::Value(value @ FeatureValue::List(_)) => Some(value),
        _ => None,
    };
    if let Some(FeatureValue::List(values)) = list {
        let number = |value: &FeatureValue| match value {
            FeatureValue::Number(number) => number.as_f64(),
            _ => None,
        };
        let Some(pmf) = values.iter().map(number).collect::<Option<Vec<f64>>>() else {
            return invalid("a probability of its list is not a number");
        };
        if pmf.len() != actions {
            let found = pmf.len();
            return invalid(&format!("its list has {found} probabilities for {actions} actions"));
        }
        return of_list(&pmf);
    }
    match (cell, cell.number()) {
        (Cell::Missing, _) => invalid("it has no probability"),
        #[expect(clippy::cast_possible_truncation, reason = "probabilities are kept as f32")]
        (_, Some(probability)) if (0.0..=1.0 + 1e-6).contains(&probability) => {
            LoggedProbability::OfTaken(probability as f32)
        }
        (cell, _) => {
            let found = cell.text().unwrap_or_default();
            invalid(&format!("`{found}` is no probability from 0 to 1"))
        }
    }
}

fn of_list(pmf: &[f64]) -> LoggedProbability {
    if let Some(found) =
        pmf.iter().find(|probability| !(0.0..=1.0 + ROUNDING).contains(*probability))
    {
        return invalid(&format!("`{found}` is no probability from 0 to 1"));
    }
    let sum: f64 = pmf.iter().sum();
    if (sum - 1.0).abs() > ROUNDING {
        return invalid(&format!("its probabilities sum to {sum}, not to 1"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "probabilities are kept as f32")]
    LoggedProbability::Distribution(pmf.iter().map(|probability| *probability as f32).collect())
}

impl ProbabilityFile {
    /// Opens a file; one whose columns are none of the actions is reported.
    pub fn open(
        name: String,
        input: Input,
        actions: &ActionSet,
        place: &Place,
        report: &mut Report,
    ) -> io::Result<Option<Self>> {
        let rows = Rows::open(input, &[])?;
        let header = rows.header();
        let of_actions: HashMap<String, usize> = header
            .iter()
            .enumerate()
            .filter(|(_, column)| actions.find(column).is_some())
            .map(|(index, column)| (column.clone(), index))
            .collect();
        let source = match (of_actions.is_empty(), header.len()) {
            (false, _) => Source::Columns(of_actions),
            (true, 1) => Source::Column(0),
            (true, _) => {
                let message = format!("no column of `{name}` is named by an action");
                let help = "expected a column for each action, or one with the probability of the \
                            action taken";
                report.push(Diagnostic::error(message).at(place).help(help));
                return Ok(None);
            }
        };
        Ok(Some(Self { name, rows, source, read: 0 }))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether there is a row behind the last that was read.
    pub fn has_more(&mut self) -> io::Result<bool> {
        self.rows.advance()
    }

    /// Goes to the next row.
    pub fn advance(&mut self) -> io::Result<()> {
        if !self.rows.advance()? {
            let (name, read) = (&self.name, self.read);
            let message = format!("`{name}` has {read} rows, and the logs have more");
            return Err(io::Error::other(message));
        }
        self.read += 1;
        Ok(())
    }

    /// What the row says.
    pub fn read(
        &self,
        available: &[usize],
        taken: usize,
        actions: &ActionSet,
    ) -> LoggedProbability {
        match self.rows.unreadable() {
            None => self.source.read(&self.rows, available, taken, actions),
            Some(_) => {
                invalid(&format!("line {} of `{}` cannot be read", self.rows.line(), self.name))
            }
        }
    }
}
