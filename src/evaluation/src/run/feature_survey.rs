use std::io::{self, BufRead};

use super::choice::{LogReader, Wants};
use super::dsjson::DsjsonLog;
use crate::FeatureName;
use crate::view::{Shape, View, Viewed};

/// Collects the names of features from the first events of logs.
pub struct FeatureSurvey {
    dsjson: DsjsonLog,
    names: Vec<FeatureName>,
    /// How many events are still looked at.
    left: usize,
}

impl FeatureSurvey {
    /// Looks at so many events at the most.
    #[must_use]
    pub fn new(events: usize) -> Self {
        Self { dsjson: DsjsonLog::new(Self::wants()), names: Vec::new(), left: events }
    }

    /// What a reader gives of each choice.
    #[must_use]
    pub fn wants() -> Wants {
        let view = View { shape: Shape::AsTheyCame, without: None };
        Wants { views: vec![view], ..Wants::default() }
    }

    /// Looks at a log of DSJSON lines.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&mut self, input: impl BufRead + Send) -> io::Result<()> {
        let mut dsjson = std::mem::replace(&mut self.dsjson, DsjsonLog::new(Wants::default()));
        let read = self.read_log(&mut dsjson.lines(input));
        self.dsjson = dsjson;
        read
    }

    /// Looks at a log.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_log(&mut self, log: &mut dyn LogReader) -> io::Result<()> {
        while self.left > 0
            && let Some(line) = log.next_line()?
        {
            let views = line.choice.map(|choice| choice.views).unwrap_or_default();
            for view in views {
                if let Viewed::AsItCame(event) = view {
                    self.left -= 1;
                    self.names.extend(FeatureName::all(&event.context, &event.actions));
                    self.names.sort();
                    self.names.dedup();
                }
            }
        }
        Ok(())
    }

    /// The names, each once.
    #[must_use]
    pub fn into_names(self) -> Vec<FeatureName> {
        self.names
    }
}
