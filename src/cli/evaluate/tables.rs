//! Logs that are tables: `--columns` and `--candidate`.

use std::io;
use std::path::{Path, PathBuf};

use super::arguments::EvaluateArguments;
use super::logs::{self, Logs, Shape};
use diagnostic::{Diagnostic, Place, Report, Source};
use evaluation::run::{BatchObserver, EvaluationRun, FeatureSurvey, LogPrefix};
use scenario::{TableColumns, load_columns, open_bandit_dataset, parse_columns};
use table_log::{ActionsColumn, Candidate, CandidateKind, Table};

/// Logs that are tables, and what is known of them.
pub struct TableLogs {
    pub table: Table,
    candidates: Vec<Candidate>,
}

/// The name of the preset of the Open Bandit Dataset.
const OPEN_BANDIT_DATASET: &str = "obd";

/// The prefix of a candidate that always takes one action.
const ALWAYS: &str = "always:";

impl TableLogs {
    /// What `--columns` and `--candidate` say; what is wrong with them is reported.
    pub fn load(arguments: &EvaluateArguments, logs: &Logs, report: &mut Report) -> Option<Self> {
        let text = arguments.columns.as_ref()?;
        let candidates = arguments.candidates.iter();
        let candidates = candidates.filter_map(|text| candidate(text, report)).collect();
        let (columns, folder) = match load_text(text, logs) {
            Ok(columns) => columns,
            Err(mistakes) => {
                report.append(mistakes);
                return None;
            }
        };
        let TableColumns { columns, catalogue, catalogue_may_be_missing } = columns;
        let place = match &columns.actions {
            Some(ActionsColumn::Column(named)) => named.place.clone(),
            _ => columns.action.place.clone(),
        };
        let mut table = Table::new(columns);
        if let Some(named) = catalogue {
            let path = folder.join(&named.text);
            if !catalogue_may_be_missing || path.exists() {
                let name = path.display().to_string();
                let input = logs.table(&path);
                let read = input.and_then(|input| table.read_catalogue(&name, input, report));
                if let Err(error) = read {
                    let message = format!("the catalogue `{name}` cannot be read: {error}");
                    report.push(Diagnostic::error(message).at(&named.place));
                }
            }
        }
        if table.needs_scan() && logs.has_stdin() {
            let message = "all actions of a table must be known before its rows are read, and \
                           stdin is read once";
            let help = "list them (`actions`, `catalogue`) and name a column of probabilities, or \
                        write the log to a file first";
            report.push(Diagnostic::error(message).at(&place).help(help));
        }
        Some(Self { table, candidates })
    }

    /// The names of the candidates.
    pub fn candidates(&self) -> Vec<String> {
        self.candidates.iter().map(|candidate| candidate.name.clone()).collect()
    }

    /// The first pass: finds the columns of each file, and all actions.
    pub fn scan(&mut self, logs: &Logs, report: &mut Report) -> io::Result<()> {
        if logs.has_stdin() {
            return Ok(());
        }
        let Self { table, candidates } = self;
        logs.each_table(|name, input| table.scan(name, input, candidates, report))?;
        table.end_scan(report);
        Ok(())
    }

    /// Reads the first events of the logs for a search.
    pub fn search(
        &mut self,
        logs: &Logs,
        prefix: &mut LogPrefix,
        report: &mut Report,
    ) -> io::Result<()> {
        let table = &mut self.table;
        table.prepare(&LogPrefix::wants(), &[], &mut |name| logs.table(Path::new(name)), report)?;
        logs.each_table(|name, input| match table.log(name, input, report)? {
            Some(mut log) => prefix.read_log(&mut log),
            None => Ok(()),
        })
    }

    /// Collects the names of features.
    pub fn survey(&mut self, logs: &Logs, survey: &mut FeatureSurvey) -> io::Result<()> {
        let (table, report) = (&mut self.table, &mut Report::new());
        let wants = FeatureSurvey::wants();
        table.prepare(&wants, &[], &mut |name| logs.table(Path::new(name)), report)?;
        logs.each_table(|name, input| match table.log(name, input, report)? {
            Some(mut log) => survey.read_log(&mut log),
            None => Ok(()),
        })
    }

    /// Evaluates the logs.
    pub fn evaluate(
        &mut self,
        logs: &Logs,
        run: &mut EvaluationRun,
        observer: &mut dyn BatchObserver,
        report: &mut Report,
    ) -> io::Result<()> {
        let Self { table, candidates } = self;
        let wants = run.wants().clone();
        table.prepare(&wants, candidates, &mut |name| logs.table(Path::new(name)), report)?;
        logs.each_table(|name, input| {
            let before = run.summary().clone();
            if let Some(mut log) = table.log(name, input, report)? {
                run.read_log(name, &mut log, observer)?;
                logs::check(name, Shape::Table, &before, run.summary(), report);
            }
            Ok(())
        })?;
        if let Some(name) = table.unread_file()? {
            let message = format!("`{name}` has more rows than the logs");
            report.push(Diagnostic::error(message).help("expected a row for each row of the logs"));
        }
        Ok(())
    }
}

/// The columns, and the folder of their catalogue.
fn load_text(text: &str, logs: &Logs) -> Result<(TableColumns, PathBuf), Report> {
    if text == OPEN_BANDIT_DATASET {
        let folder = logs.folder().map(Path::to_owned).unwrap_or_default();
        return Ok((open_bandit_dataset()?, folder));
    }
    let path = Path::new(text);
    let is_file = path.exists() || !text.contains('=') && has_extension(path);
    if is_file {
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        return Ok((load_columns(path)?, folder));
    }
    Ok((parse_columns(text)?, PathBuf::new()))
}

fn has_extension(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// `NAME=COLUMN`, `NAME=FILE` or `NAME=always:ID`
fn candidate(text: &str, report: &mut Report) -> Option<Candidate> {
    let source = Source::new("--candidate", text);
    let Some((name, of)) =
        text.split_once('=').filter(|(name, of)| !name.is_empty() && !of.is_empty())
    else {
        let message = "a candidate has a name and a column";
        let help = "expected `NAME=COLUMN`, such as `mine=p_mine`";
        let place = Place::new(&source, 0..text.len());
        report.push(Diagnostic::error(message).at(&place).help(help));
        return None;
    };
    let place = Place::new(&source, name.len() + 1..text.len());
    let kind = match of.strip_prefix(ALWAYS) {
        Some(id) => CandidateKind::Always(id.to_owned()),
        None if is_file(of) => CandidateKind::File(of.to_owned()),
        None => CandidateKind::Column(of.to_owned()),
    };
    Some(Candidate { name: name.to_owned(), kind, place })
}

/// Columns have no extension of a file.
fn is_file(text: &str) -> bool {
    let path = Path::new(text);
    path.is_file() && (path.extension().is_some() || path.components().count() > 1)
}
