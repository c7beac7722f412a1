use std::io;
use std::sync::Arc;

use evaluation::run::{
    LogReader, LoggedChoice, LoggedLine, LoggedProbability, RejectedLine, Rejection, RowMistake,
};
use evaluation::{FeatureName, SeenEvent, Shape, Viewed};
use learner::{Event, Example, Label};
use policy::{hashed_actions, hashed_context};
use protocol::{FeatureObject, FeatureValue, RankableAction};
use timestamp::Timestamp;

use crate::candidate::{ProbabilityFile, Source};
use crate::layout::{FeatureColumn, Layout};
use crate::rows::{Cell, Rows, Unreadable};
use crate::table::{Table, ViewState};

/// Reads the logged choices of one file of a table.
pub struct TableLog<'a> {
    table: &'a mut Table,
    rows: Rows,
    layout: Layout,
    /// The columns by which events are broken down.
    by: Vec<usize>,
    /// The numbers of all actions.
    all: Vec<usize>,
    /// The actions of the last row that has some of them only.
    available: Vec<usize>,
}

impl<'a> TableLog<'a> {
    pub(crate) fn new(table: &'a mut Table, rows: Rows, layout: Layout, by: Vec<usize>) -> Self {
        let all = (0..table.actions.len()).collect();
        Self { table, rows, layout, by, all, available: Vec::new() }
    }

    fn choice(&mut self) -> Result<LoggedChoice, RejectedLine> {
        if let Some(why) = self.rows.unreadable() {
            let mistake = match why {
                Unreadable::Fields => RowMistake::Fields,
                Unreadable::Row => RowMistake::Unreadable,
                Unreadable::NotUtf8 => RowMistake::NotUtf8,
                Unreadable::Nul => RowMistake::Nul,
            };
            return Err(RejectedLine { reason: Rejection::Row(mistake), column: 1, found: None });
        }
        let action = self.action()?;
        self.find_available()?;
        let taken = self.taken(action)?;
        let label = self.label(taken, action)?;
        let wants = &self.table.wants;
        let id = self.layout.id.and_then(|column| self.rows.cell(column).text());
        let time = self.layout.time.filter(|_| wants.times);
        let time = time.and_then(|column| time_of(self.rows.cell(column)));
        let features = self.by.iter().map(|column| self.rows.cell(*column).text()).collect();
        let distribution = self.estimated();
        let candidates = self.candidates(taken);
        let views = self.views(id.as_deref());
        Ok(LoggedChoice {
            id: id.filter(|_| self.table.wants.ids),
            time,
            choices: self.choices().len(),
            count: 1.0,
            views,
            label,
            distribution,
            candidates,
            features,
        })
    }

    /// The numbers of the actions that could be chosen.
    fn choices(&self) -> &[usize] {
        if self.layout.available.is_some() { &self.available } else { &self.all }
    }

    fn reject(&self, mistake: RowMistake, column: usize) -> RejectedLine {
        /// So much is shown of what was found.
        const SHOWN: usize = 40;
        let found = self.rows.cell(column).text();
        let found = found.map(|text| text.chars().take(SHOWN).collect());
        RejectedLine { reason: Rejection::Row(mistake), column: self.rows.byte(column), found }
    }

    /// The number of the action that was taken.
    fn action(&self) -> Result<usize, RejectedLine> {
        let column = self.layout.action;
        let found = match self.rows.cell(column) {
            Cell::Missing => return Err(self.reject(RowMistake::NoAction, column)),
            Cell::Text(id) => self.table.actions.find(id),
            cell @ Cell::Value(_) => self.table.actions.find(&cell.text().unwrap_or_default()),
        };
        found.ok_or_else(|| self.reject(RowMistake::UnknownAction, column))
    }

    fn find_available(&mut self) -> Result<(), RejectedLine> {
        let Some(column) = self.layout.available else { return Ok(()) };
        let ids = available(self.rows.cell(column));
        let ids = ids.ok_or_else(|| self.reject(RowMistake::Available, column))?;
        let found: Option<Vec<usize>> = ids.iter().map(|id| self.table.actions.find(id)).collect();
        let found = found.filter(|numbers| are_different(numbers));
        self.available = found.ok_or_else(|| self.reject(RowMistake::Available, column))?;
        Ok(())
    }

    /// The index of the action that was taken among those that could be.
    fn taken(&self, action: usize) -> Result<usize, RejectedLine> {
        if self.layout.available.is_none() {
            return Ok(action);
        }
        let found = self.available.iter().position(|number| *number == action);
        found.ok_or_else(|| self.reject(RowMistake::Unavailable, self.layout.action))
    }

    /// None, if the reward is not known.
    fn label(&self, taken: usize, action: usize) -> Result<Option<Label>, RejectedLine> {
        let column = self.layout.reward;
        let cell = self.rows.cell(column);
        if let Cell::Missing = cell {
            return Ok(None);
        }
        #[expect(clippy::cast_possible_truncation, reason = "costs are kept as f32")]
        let cost = cell.number().map(|reward| -reward as f32 + 0.0);
        let Some(cost) = cost.filter(|cost| cost.is_finite()) else {
            return Err(self.reject(RowMistake::Reward, column));
        };
        let probability = match self.layout.probability {
            None => self.estimate(action),
            Some(column) => {
                let found = self.rows.cell(column).number();
                let found = found.filter(|found| (1e-12..=1.0 + 1e-6).contains(found));
                found.ok_or_else(|| self.reject(RowMistake::Probability, column))?
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "probabilities are kept as f32")]
        let probability = probability as f32;
        Ok(Some(Label { action: taken, cost, probability }))
    }

    /// How often an action was taken, among those that could be.
    #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
    fn estimate(&self, action: usize) -> f64 {
        let actions = &self.table.actions;
        let taken: u64 = self.choices().iter().map(|number| actions.taken(*number)).sum();
        actions.taken(action) as f64 / taken.max(1) as f64
    }

    /// The distribution over actions, where it is estimated.
    fn estimated(&self) -> Option<Vec<f32>> {
        if self.layout.probability.is_some() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "probabilities are kept as f32")]
        let shares = self.choices().iter().map(|action| self.estimate(*action) as f32);
        Some(shares.collect())
    }

    fn candidates(&self, taken: usize) -> Vec<LoggedProbability> {
        let (table, choices) = (&*self.table, self.choices());
        let read = |source: &Source| match source {
            Source::File(number) => match &table.files[*number] {
                Some(file) => file.read(choices, taken, &table.actions),
                None => LoggedProbability::Invalid("its file was not read".to_owned()),
            },
            source => source.read(&self.rows, choices, taken, &table.actions),
        };
        self.layout.candidates.iter().map(read).collect()
    }

    fn views(&mut self, id: Option<&str>) -> Vec<Viewed> {
        if self.table.views.is_empty() {
            return Vec::new();
        }
        let context = objects(&self.rows, &self.layout.context);
        let context = (!context.is_empty()).then_some(FeatureObject(context));
        let context: Arc<[FeatureObject]> = context.into_iter().collect();
        let is_fixed = self.layout.of_actions.is_empty();
        let actions = if is_fixed && self.layout.available.is_none() {
            self.table.actions.all().clone()
        } else {
            self.choices().iter().map(|number| self.action_of_row(*number)).collect()
        };
        let row = self.table.rows;
        let picked = self.layout.available.is_some().then(|| self.available.clone());
        let view = |state: &mut ViewState| {
            let (context, actions) = match &state.view.without {
                None => (context.clone(), actions.clone()),
                Some(name) => left_out(name, &context, &actions),
            };
            match state.view.shape {
                Shape::AsTheyCame => {
                    let id = id.map_or_else(|| row.to_string(), str::to_owned);
                    Viewed::AsItCame(SeenEvent { id, context, actions })
                }
                Shape::Hashed(hashing) => {
                    let actions: Arc<[Arc<Example>]> = match &picked {
                        _ if !is_fixed => hashed_actions(hashing, &actions),
                        None => state.examples.clone(),
                        Some(picked) => {
                            picked.iter().map(|number| state.examples[*number].clone()).collect()
                        }
                    };
                    let mut event = Event {
                        shared: Arc::new(hashed_context(hashing, &context)),
                        actions,
                        listed: true,
                        recurs: false,
                        slots: None,
                        weight: 1.0,
                    };
                    state.recurring.recognize(&mut event);
                    Viewed::Hashed(event)
                }
            }
        };
        self.table.views.iter_mut().map(view).collect()
    }

    /// An action with the features that the row says of it.
    fn action_of_row(&self, number: usize) -> RankableAction {
        let action = &self.table.actions.all()[number];
        let of_row = self.layout.of_actions.iter().filter_map(|feature| {
            let column = feature.columns.get(&*action.id)?;
            let value = self.rows.cell(*column).feature(feature.is_text)?;
            Some((feature.name.clone(), value))
        });
        let of_row: Vec<_> = of_row.collect();
        if of_row.is_empty() {
            return action.clone();
        }
        let known = action.features.iter().flat_map(|object| object.0.iter().cloned());
        let features = FeatureObject(known.chain(of_row).collect());
        RankableAction { id: action.id.clone(), features: [features].into() }
    }
}

impl LogReader for TableLog<'_> {
    fn next_line(&mut self) -> io::Result<Option<LoggedLine>> {
        if !self.rows.advance()? {
            return Ok(None);
        }
        self.table.rows += 1;
        self.table.files.iter_mut().flatten().try_for_each(ProbabilityFile::advance)?;
        Ok(Some(LoggedLine { number: self.rows.line(), choice: self.choice() }))
    }
}

fn left_out(
    name: &FeatureName,
    context: &Arc<[FeatureObject]>,
    actions: &Arc<[RankableAction]>,
) -> (Arc<[FeatureObject]>, Arc<[RankableAction]>) {
    name.left_out(context, actions)
}

fn objects(rows: &Rows, columns: &[FeatureColumn]) -> Vec<(String, FeatureValue)> {
    let feature = |column: &FeatureColumn| {
        Some((column.name.clone(), rows.cell(column.column).feature(column.is_text)?))
    };
    columns.iter().filter_map(feature).collect()
}

/// The ids of a list in JSON, or of a text in which `|` separates them; none if there is none.
pub(crate) fn available(cell: Cell<'_>) -> Option<Vec<String>> {
    let of_list = |values: &[FeatureValue]| {
        let id = |value: &FeatureValue| match value {
            FeatureValue::Text(text) => Some(text.clone()),
            FeatureValue::Number(number) => Some(number.to_string()),
            _ => None,
        };
        values.iter().map(id).collect()
    };
    match cell {
        Cell::Text(text) if text.trim_start().starts_with('[') => {
            match serde_json::from_str(text).ok()? {
                FeatureValue::List(values) => of_list(&values),
                _ => None,
            }
        }
        Cell::Text(text) => {
            let ids = text.split('|').map(str::trim).filter(|id| !id.is_empty());
            Some(ids.map(str::to_owned).collect())
        }
        Cell::Value(FeatureValue::List(values)) => of_list(values),
        Cell::Missing | Cell::Value(_) => None,
    }
}

/// A time as [`written_time`] reads it, or a number since 1970: of seconds, or as its size says of milliseconds, microseconds or nanoseconds.
fn time_of(cell: Cell<'_>) -> Option<Timestamp> {
    let written = match cell {
        Cell::Text(text) => written_time(text.trim()),
        Cell::Value(FeatureValue::Number(number)) => first_moment(&number.to_string()),
        Cell::Missing | Cell::Value(_) => None,
    };
    if written.is_some() {
        return written;
    }
    let number = cell.number()?;
    // Each unit reaches from 1973, by the unit below, to the year 5138.
    let microseconds = match number.abs() {
        0.0..1e11 => number * 1e6,
        1e11..1e14 => number * 1e3,
        1e14..1e17 => number,
        1e17..1e20 => number / 1e3,
        _ => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "small enough")]
    Some(Timestamp::from_unix_micros(microseconds as i64))
}

/// A time as RFC 3339 has it, also with a space for its `T`, without colons in its offset, with `UTC`
/// for it, or without it, which is UTC, too.
fn written_time(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix("UTC").unwrap_or(text).trim_end();
    text.parse().ok().or_else(|| first_moment(text)).or_else(|| {
        let (hours, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
        let is_offset = hours.get(hours.len().checked_sub(3)?..)?.starts_with(['+', '-']);
        is_offset.then(|| format!("{hours}:{minutes}").parse().ok()).flatten()
    })
}

/// The first moment of a day such as `2026-01-31` or `20260131`.
fn first_moment(day: &str) -> Option<Timestamp> {
    let is_compact = day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit());
    let parts = is_compact.then(|| format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..]));
    format!("{}T00:00:00Z", parts.as_deref().unwrap_or(day)).parse().ok()
}

/// Whether no number comes twice.
fn are_different(numbers: &[usize]) -> bool {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair[0] != pair[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let expected: Timestamp = "2019-11-24T00:00:05.5Z".parse().unwrap();
        for text in [
            "2019-11-24T00:00:05.5Z",
            "2019-11-24 00:00:05.5+00:00",
            "2019-11-24 00:00:05.500",
            "1574553605.5",
            "1574553605500",
            "1574553605500000",
            "1574553605500000000",
            "2019-11-24 02:00:05.5+0200",
            "2019-11-23T19:30:05.5-0430",
            "2019-11-24 00:00:05.5 UTC",
        ] {
            assert_eq!(time_of(Cell::Text(text)), Some(expected), "{text}");
        }
        let day = "2019-11-24T00:00:00Z".parse().ok();
        assert_eq!(time_of(Cell::Text("2019-11-24")), day);
        assert_eq!(time_of(Cell::Text("20191124")), day);
        assert_eq!(time_of(Cell::Value(&FeatureValue::Number(20_191_124.into()))), day);
        for text in ["yesterday", "24/11/2019", "11-24", "2019-11-24T00:00:05+2", "", "é+0200"] {
            assert_eq!(time_of(Cell::Text(text)), None, "{text}");
        }
    }

    #[test]
    fn lists_of_ids_are_read_as_people_write_them() {
        for text in [r#"["a", 2]"#, "a|2", "a | 2", "|a|2||"] {
            assert_eq!(available(Cell::Text(text)), Some(vec!["a".to_owned(), "2".to_owned()]));
        }
        assert_eq!(available(Cell::Text("[1")), None);
        assert_eq!(available(Cell::Missing), None);
    }
}
