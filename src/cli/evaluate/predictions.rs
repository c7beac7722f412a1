use std::io::{self, BufWriter, IntoInnerError, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use super::logs::Logs;
use crate::cli::console::{Screen, count};
use crate::cli::output_file::OutputFile;
use evaluation::run::{BatchObserver, EventPmfs, PolicyEvaluator, Row};

/// Shows how far the reading is, and writes predictions.
pub struct Watcher {
    file: Option<(PathBuf, BufWriter<OutputFile>)>,
    screen: Screen,
    read: Arc<AtomicU64>,
}

/// A line of the file of predictions.
#[derive(Serialize)]
struct Predicted<'a> {
    policy: &'a str,
    event: EventName<'a>,
    pmf: &'a [f32],
    /// For an event with slots.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    slots: &'a [Vec<f32>],
}

/// The id of an event, or its number where the log has none.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
enum EventName<'a> {
    Id(&'a str),
    Number(u64),
}

impl Watcher {
    /// Writes to `path`, if there is one, when everything is known.
    pub fn new(path: Option<&Path>, logs: &Logs, mut screen: Screen) -> io::Result<Self> {
        let file = path.map(|path| Ok::<_, io::Error>((path.to_owned(), opened(path)?)));
        screen.open_bar("evaluating", logs.bytes, true);
        Ok(Self { file: file.transpose()?, screen, read: logs.read() })
    }

    /// Ends without leaving predictions.
    pub fn abandon(mut self) {
        self.screen.close_bar();
    }

    /// Puts the predictions where they belong.
    pub fn finish(mut self) -> io::Result<()> {
        self.screen.close_bar();
        let Some((path, file)) = self.file else { return Ok(()) };
        let finished = file.into_inner().map_err(IntoInnerError::into_error);
        finished.and_then(OutputFile::finish).map_err(|error| named(&path, &error))
    }
}

fn opened(path: &Path) -> io::Result<BufWriter<OutputFile>> {
    OutputFile::create(path).map(BufWriter::new).map_err(|error| named(path, &error))
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::other(format!("`{}` cannot be written: {error}", path.display()))
}

impl BatchObserver for Watcher {
    fn batch(&mut self, rows: &[Row], evaluators: &[PolicyEvaluator]) -> io::Result<()> {
        if let Some((_, file)) = &mut self.file {
            write(file, rows, evaluators)?;
        }
        let events = rows.last().map_or(0, |row| row.index + 1);
        let message = || format!("{} events", count(events));
        self.screen.move_bar(self.read.load(Ordering::Relaxed), message);
        Ok(())
    }
}

/// Event after event, and policy after policy.
fn write(file: &mut impl Write, rows: &[Row], evaluators: &[PolicyEvaluator]) -> io::Result<()> {
    for (position, row) in rows.iter().enumerate() {
        let event = row.id.as_deref().map_or(EventName::Number(row.index), EventName::Id);
        for policy in evaluators {
            let Some(pmfs) = policy.pmfs() else { continue };
            let EventPmfs { pmf, slots } = &pmfs[position];
            let line = Predicted { policy: &policy.name, event, pmf, slots };
            serde_json::to_writer(&mut *file, &line)?;
            file.write_all(b"\n")?;
        }
    }
    Ok(())
}
