use std::io;
use std::sync::Arc;

use diagnostic::{Diagnostic, Report};
use evaluation::run::Wants;
use evaluation::{Shape, View};
use learner::{Example, RecurringEvents};
use policy::hashed_actions;

use crate::action_set::{ActionSet, MOST_ACTIONS};
use crate::candidate::{Candidate, CandidateKind, ProbabilityFile, find_column};
use crate::columns::{ActionsColumn, Columns};
use crate::layout::Layout;
use crate::log::{TableLog, available};
use crate::rows::{Cell, Input, Rows};

/// A table in one file or several, and what is known of its actions.
pub struct Table {
    pub(crate) columns: Columns,
    pub(crate) actions: ActionSet,
    /// Whether the actions are known before the rows are read.
    is_declared: bool,
    /// The names of the catalogue's columns.
    elsewhere: Vec<String>,
    /// The names of JSON objects.
    names: Vec<String>,
    pub(crate) wants: Wants,
    pub(crate) views: Vec<ViewState>,
    candidates: Vec<Candidate>,
    pub(crate) files: Vec<Option<ProbabilityFile>>,
    /// The rows of all files so far.
    pub(crate) rows: u64,
}

/// What is kept of a form in which events are seen.
pub(crate) struct ViewState {
    pub view: View,
    /// The examples of all actions, where they are hashed.
    pub examples: Arc<[Arc<Example>]>,
    pub recurring: RecurringEvents,
}

impl Table {
    /// A table with these columns.
    #[must_use]
    pub fn new(columns: Columns) -> Self {
        let mut actions = ActionSet::default();
        let is_declared = match &columns.actions {
            Some(ActionsColumn::Listed(ids)) => {
                ids.iter().for_each(|id| _ = actions.add(&id.text));
                true
            }
            Some(ActionsColumn::Column(_)) | None => false,
        };
        actions.finish();
        Self {
            columns,
            actions,
            is_declared,
            elsewhere: Vec::new(),
            names: Vec::new(),
            wants: Wants::default(),
            views: Vec::new(),
            candidates: Vec::new(),
            files: Vec::new(),
            rows: 0,
        }
    }

    /// Whether the rows must be read before events can be made of them: to know all actions,
    /// or how often each was taken.
    #[must_use]
    pub fn needs_scan(&self) -> bool {
        !self.is_declared || self.columns.probability.is_none()
    }

    /// Whether the table has no probabilities.
    #[must_use]
    pub fn estimates_probabilities(&self) -> bool {
        self.columns.probability.is_none()
    }

    /// Reads a catalogue: a table with a column of ids that is called as that of the action;
    /// its other columns are features of the actions.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_catalogue(
        &mut self,
        name: &str,
        input: Input,
        report: &mut Report,
    ) -> io::Result<()> {
        let mut rows = Rows::open(input, &[])?;
        self.elsewhere = rows.header().to_vec();
        let columns = self.columns_of_catalogue();
        // Words of the logs.
        let of_logs: Vec<String> = columns.text.iter().map(|named| named.text.clone()).collect();
        let mut mistakes = Report::new();
        let layout = Layout::find(&columns, &[], &of_logs, &self.elsewhere, name, &mut mistakes);
        let Some(layout) = layout else {
            report.append(mistakes);
            return Ok(());
        };
        while rows.advance()? {
            if let Err(mistake) = self.declare(&rows, &layout, name) {
                report.push(mistake);
                return Ok(());
            }
        }
        if self.actions.len() == 0 {
            report.push(Diagnostic::error(format!("`{name}` lists no action")));
        }
        self.actions.finish();
        self.is_declared = true;
        Ok(())
    }

    /// Every column of a catalogue but that of the ids is a feature.
    fn columns_of_catalogue(&self) -> Columns {
        let Columns { action, text, .. } = &self.columns;
        let is_feature = |name: &String| !name.is_empty() && *name != action.text;
        let all = crate::Named { text: "*".to_owned(), ..action.clone() };
        let has_features = self.elsewhere.iter().any(is_feature);
        Columns {
            action: action.clone(),
            reward: action.clone(),
            probability: None,
            context: Vec::new(),
            features: if has_features { vec![all] } else { Vec::new() },
            text: text.clone(),
            actions: None,
            id: None,
            time: None,
        }
    }

    /// Adds the action of a row of the catalogue `name`.
    fn declare(&mut self, rows: &Rows, layout: &Layout, name: &str) -> Result<(), Diagnostic> {
        if rows.unreadable().is_some() {
            let message = format!("{name}:{}: the row cannot be read", rows.line());
            let help = "expected as many fields as the header";
            return Err(Diagnostic::error(message).help(help));
        }
        let Some(id) = rows.cell(layout.action).text() else { return Ok(()) };
        let number = self.actions.add(&id).ok_or_else(|| too_many(name))?;
        for feature in &layout.features {
            if let Some(value) = rows.cell(feature.column).feature(feature.is_text) {
                self.actions.note(number, &feature.name, value);
            }
        }
        Ok(())
    }

    /// The first pass over one file: finds its columns, and collects actions where they are not
    /// declared. Mistakes are reported.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn scan(
        &mut self,
        name: &str,
        input: Input,
        candidates: &[Candidate],
        report: &mut Report,
    ) -> io::Result<()> {
        let mut rows = Rows::open(input, &self.names)?;
        let collects = self.needs_scan();
        if let Rows::Json(json) = &mut rows
            && collects
        {
            self.names = json.header().to_vec();
        }
        let mut layout =
            Layout::find(&self.columns, candidates, &self.elsewhere, rows.header(), name, report);
        while collects && rows.advance()? {
            if let Rows::Json(json) = &mut rows {
                let known = self.names.len();
                for name in json.names() {
                    if !self.names.contains(&name) {
                        self.names.push(name);
                    }
                }
                if self.names.len() > known {
                    json.extend(&self.names[known..]);
                    layout = Layout::find(
                        &self.columns,
                        candidates,
                        &self.elsewhere,
                        &self.names,
                        name,
                        &mut Report::new(),
                    )
                    .or(layout);
                }
            }
            let Some(layout) = &layout else { return Ok(()) };
            if rows.unreadable().is_none() && !self.collect(&rows, layout) {
                report.push(too_many(name));
                return Ok(());
            }
        }
        Ok(())
    }

    /// Notes the actions of a row; false if there are too many.
    fn collect(&mut self, rows: &Rows, layout: &Layout) -> bool {
        let id = rows.cell(layout.action);
        let text;
        let id = match id {
            Cell::Missing => return true,
            Cell::Text(id) => id,
            cell @ Cell::Value(_) => {
                text = cell.text().unwrap_or_default();
                &text
            }
        };
        let known = if self.is_declared { self.actions.find(id) } else { self.actions.add(id) };
        let Some(number) = known else { return self.is_declared };
        self.actions.count(number);
        if self.is_declared {
            return true;
        }
        for feature in &layout.features {
            if let Some(value) = rows.cell(feature.column).feature(feature.is_text) {
                self.actions.note(number, &feature.name, value);
            }
        }
        let ids = layout.available.and_then(|column| available(rows.cell(column)));
        ids.unwrap_or_default().iter().all(|id| self.actions.add(id).is_some())
    }

    /// Ends the first pass.
    pub fn end_scan(&mut self, report: &mut Report) {
        if !self.is_declared {
            let place = self.columns.features.first().map(|named| &named.place);
            self.actions.warn(place, report);
            self.actions.sort();
            self.actions.warn_of_alike(&self.columns.action.place, report);
        }
        self.actions.finish();
    }

    /// Says what is wanted of the logs that are read from now on; `open` opens files of
    /// probabilities.
    ///
    /// # Errors
    /// If a file of probabilities cannot be read.
    pub fn prepare(
        &mut self,
        wants: &Wants,
        candidates: &[Candidate],
        open: &mut dyn FnMut(&str) -> io::Result<Input>,
        report: &mut Report,
    ) -> io::Result<()> {
        let state = |view: &View| ViewState {
            view: view.clone(),
            examples: match view.shape {
                Shape::Hashed(hashing) => {
                    let all = self.actions.all();
                    let left_out =
                        view.without.as_ref().map(|name| name.left_out(&[].into(), all).1);
                    hashed_actions(hashing, left_out.as_ref().unwrap_or(all))
                }
                Shape::AsTheyCame => [].into(),
            },
            recurring: RecurringEvents::default(),
        };
        self.views = wants.views.iter().map(state).collect();
        self.wants = wants.clone();
        self.rows = 0;
        self.files.clear();
        for candidate in candidates {
            let file = match &candidate.kind {
                CandidateKind::Column(_) | CandidateKind::Always(_) => None,
                CandidateKind::File(name) => {
                    let (actions, place) = (&self.actions, &candidate.place);
                    let named =
                        |error: io::Error| io::Error::new(error.kind(), format!("{name}: {error}"));
                    let input = open(name).map_err(named)?;
                    ProbabilityFile::open(name.clone(), input, actions, place, report)
                        .map_err(named)?
                }
            };
            self.files.push(file);
        }
        self.candidates = candidates.to_vec();
        Ok(())
    }

    /// A file of probabilities that has more rows than the logs, if there is one.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn unread_file(&mut self) -> io::Result<Option<String>> {
        for file in self.files.iter_mut().flatten() {
            if file.has_more()? {
                return Ok(Some(file.name().to_owned()));
            }
        }
        Ok(None)
    }

    /// The reader of one file; what is wrong with its columns is reported.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn log(
        &mut self,
        name: &str,
        input: Input,
        report: &mut Report,
    ) -> io::Result<Option<TableLog<'_>>> {
        let rows = Rows::open(input, &self.names)?;
        let Self { columns, candidates, elsewhere, .. } = &*self;
        let layout = Layout::find(columns, candidates, elsewhere, rows.header(), name, report);
        let mut by = Vec::new();
        for feature in &self.wants.features {
            match find_column(feature, rows.header(), name) {
                Ok(column) => by.push(column),
                Err(mistake) => report.push(mistake),
            }
        }
        let by = (by.len() == self.wants.features.len()).then_some(by);
        let Some((layout, by)) = layout.zip(by) else { return Ok(None) };
        Ok(Some(TableLog::new(self, rows, layout, by)))
    }
}

fn too_many(name: &str) -> Diagnostic {
    let message = format!("`{name}` has more than {MOST_ACTIONS} different actions");
    Diagnostic::error(message).help("is `action` the column of the action?")
}
