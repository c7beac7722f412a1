//! Users as a CSV table: a column for each context dimension, `preferred` or one such as
//! `rewards.tea` for each action, and perhaps `weight`.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::dimension::features;
use super::preference::{check_own, distinct, reward};
use super::tabular::{Layout, Table};
use super::{Frame, Row};
use crate::format::Placed;
use diagnostic::{Diagnostic, Place, Report, Source, nearest};
use plan::{ActionRewards, Preference};
use table_log::{OpenQuote, Quotes, separator};

/// How a table says what is preferred.
pub(super) struct Form<'a> {
    /// The column of the preferred action.
    pub preferred: &'a str,
    /// Columns that are passed over.
    pub ignored: Vec<&'a str>,
    /// Whether columns such as `rewards.tea` may stand instead of the preferred action.
    pub takes_rewards: bool,
}

impl Form<'_> {
    /// A table of users.
    pub fn users() -> Self {
        Self { preferred: "preferred", ignored: Vec::new(), takes_rewards: true }
    }

    /// The action whose rewards are in a column.
    fn rewarded<'c>(&self, column: &'c str, frame: &Frame<'_>) -> Option<&'c str> {
        let is_dimension = || frame.dimensions.iter().any(|dimension| dimension.name == column);
        rewarded(column).filter(|_| self.takes_rewards && !is_dimension())
    }
}

/// The action of a column such as `rewards.tea`.
pub(super) fn rewarded(column: &str) -> Option<&str> {
    column.strip_prefix("rewards.")
}

/// The rows of a table, its header first.
pub(super) fn lines(text: &str) -> impl Iterator<Item = StringRecord> + '_ {
    let reader = ReaderBuilder::new()
        .delimiter(separator(text.as_bytes()))
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    reader.into_records().map_while(Result::ok)
}

/// Where a quote was opened that is not closed, if there is one: the rows behind it would be taken
/// for a part of its field.
pub(super) fn open_quote(text: &str) -> Option<OpenQuote> {
    let mut quotes = Quotes::new(separator(text.as_bytes()));
    quotes.follow(text.as_bytes()).and_then(|()| quotes.end()).err()
}

/// Refuses a quote that is not closed.
pub(super) fn check_quotes(source: &Arc<Source>, report: &mut Report) {
    if let Some(OpenQuote { byte, .. }) = open_quote(source.text()) {
        let message = "the quote has no end: expected `\"` before the next separator or line end";
        let quote = Diagnostic::error(message).within(source, byte..byte + 1);
        report.push(quote.help(OpenQuote::REMEDY));
    }
}

/// Refuses a name that the scenario gives to no column.
pub(super) fn check_named(table: &Table, named: &Placed<String>, report: &mut Report) {
    let header = table.records().next().unwrap_or_default();
    let column = named.as_str();
    if !header.iter().any(|name| name == column) {
        let message = format!("`{}` has no column `{column}`", table.source.path());
        let help = match nearest(column, header.iter()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("its first line names {}", names(&header)),
        };
        report.push(Diagnostic::error(message).at(&named.place).help(help));
    }
}

/// The names of some columns, for a message.
fn names(header: &StringRecord) -> String {
    /// So many are shown.
    const SHOWN: usize = 12;
    let shown: Vec<_> = header.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    let more = if header.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// The values of a column, each once, in the order of the file.
pub(super) fn values(table: &Table, column: &str) -> Vec<String> {
    let mut records = table.records();
    let header = records.next().unwrap_or_default();
    let Some(at) = header.iter().position(|name| name == column) else { return Vec::new() };
    let (mut values, mut known): (Vec<String>, HashSet<String>) = Default::default();
    for record in records {
        let value = record.get(at).unwrap_or_default();
        if !value.is_empty() && known.insert(value.to_owned()) {
            values.push(value.to_owned());
        }
    }
    values
}

/// The rows of a table, in the order of the file.
pub(super) fn rows(
    table: &Table,
    frame: &Frame<'_>,
    form: &Form<'_>,
    report: &mut Report,
) -> Vec<Row> {
    let mut records = table.records();
    let header = records.next().filter(|header| header.iter().any(|name| !name.is_empty()));
    let Some(header) = header else {
        report.push(Diagnostic::error("the file is empty").within(&table.source, 0..0));
        return Vec::new();
    };
    let line = Line { table, record: &header, is_header: true };
    let Some(columns) = columns(&line, frame, form, report) else {
        return Vec::new();
    };
    let row_of = |record: StringRecord| {
        row(&Line { table, record: &record, is_header: false }, &columns, frame, report)
    };
    records.filter_map(row_of).collect()
}

/// Where the columns are.
struct Columns {
    count: usize,
    dimensions: Vec<usize>,
    wanted: Wanted,
    actions: Option<usize>,
    weight: Option<usize>,
}

/// The columns of what a visitor wants.
enum Wanted {
    Preferred(usize),
    /// The column and the action.
    Rewards(Vec<(usize, usize)>),
}

fn columns(
    header: &Line<'_>,
    frame: &Frame<'_>,
    form: &Form<'_>,
    report: &mut Report,
) -> Option<Columns> {
    let mut positions: HashMap<&str, usize> = HashMap::new();
    for (at, column) in header.record.iter().enumerate() {
        positions.entry(column).or_insert(at);
    }
    let position = |name: &str| positions.get(name).copied();
    let columns = header.record.iter().enumerate();
    let rewarded: Vec<(usize, &str)> =
        columns.filter_map(|(at, column)| Some((at, form.rewarded(column, frame)?))).collect();
    let preferred = (rewarded.is_empty() || header.has(form.preferred)).then_some(form.preferred);
    let dimensions = frame.dimensions.iter().map(|dimension| dimension.name.as_str());
    let needed: Vec<&str> = dimensions.chain(preferred).collect();
    let optional = if form.takes_rewards { &["weight", "actions"][..] } else { &["weight"] };
    check_names(header, (&needed, optional), form, frame, report);
    let wanted = match position(form.preferred) {
        Some(at) if rewarded.is_empty() => Wanted::Preferred(at),
        Some(at) => {
            let message = "a table has `preferred` or columns of rewards, not both";
            report.push(Diagnostic::error(message).at(&header.field(at)));
            return None;
        }
        None => rewards(&rewarded, header, frame, report)?,
    };
    Some(Columns {
        count: header.record.len(),
        dimensions: frame.dimensions.iter().map(|d| position(&d.name)).collect::<Option<_>>()?,
        wanted,
        actions: position("actions").filter(|at| {
            form.takes_rewards && !frame.dimensions.iter().any(|of| of.name == header.record[*at])
        }),
        weight: position("weight"),
    })
}

/// The actions of columns of rewards, if there are some.
fn rewards(
    columns: &[(usize, &str)],
    header: &Line<'_>,
    frame: &Frame<'_>,
    report: &mut Report,
) -> Option<Wanted> {
    let mut column = |(at, id): &(usize, &str)| {
        let place = header.field(*at);
        Some((*at, frame.actions.find(id, &place, frame.actions_file, report)?))
    };
    let found: Vec<Option<_>> = columns.iter().map(&mut column).collect();
    let found = found.into_iter().collect::<Option<Vec<_>>>()?;
    (!found.is_empty()).then_some(Wanted::Rewards(found))
}

/// Refuses columns that stand twice, that have no meaning, and that are missing.
fn check_names(
    header: &Line<'_>,
    (needed, optional): (&[&str], &[&str]),
    form: &Form<'_>,
    frame: &Frame<'_>,
    report: &mut Report,
) {
    let known = [needed, optional].concat();
    let is_known: HashSet<&str> = known.iter().copied().collect();
    let (mut seen, mut meant) = (HashSet::new(), HashSet::new());
    let columns = header.record.iter().enumerate();
    for (at, column) in columns.filter(|(_, column)| !form.ignored.contains(column)) {
        if !seen.insert(column) {
            let message = format!("two columns are called `{column}`");
            report.push(Diagnostic::error(message).at(&header.field(at)));
        }
        if !is_known.contains(column) && form.rewarded(column, frame).is_none() {
            meant.extend(check_column(at, column, &known, header, report));
        }
    }
    let present: HashSet<&str> = header.record.iter().collect();
    for name in needed.iter().filter(|name| !present.contains(*name) && !meant.contains(*name)) {
        let message = format!("the table has no column `{name}`");
        report.push(Diagnostic::error(message).at(&header.whole()));
    }
}

/// Says that a column is unknown, and returns what it was probably meant to be.
fn check_column<'a>(
    index: usize,
    column: &str,
    known: &[&'a str],
    header: &Line<'_>,
    report: &mut Report,
) -> Option<&'a str> {
    if column.is_empty() {
        let message = format!("column {} has no name", index + 1);
        let help = "name it, or leave it out: pandas writes its row numbers unless it is told \
                    `index=False`";
        report.push(Diagnostic::error(message).at(&header.field(index)).help(help));
        return None;
    }
    let near = nearest(column, known.iter().copied().filter(|name| !header.has(name)));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "add it to `context` of the scenario, or leave it out".to_owned(),
    };
    let message = format!("`context` does not name the column `{column}`");
    report.push(Diagnostic::error(message).at(&header.field(index)).help(help));
    near
}

fn row(line: &Line<'_>, columns: &Columns, frame: &Frame<'_>, report: &mut Report) -> Option<Row> {
    if line.record.len() != columns.count {
        let message =
            format!("the row has {} fields, the header has {}", line.record.len(), columns.count);
        report.push(Diagnostic::error(message).at(&line.whole()));
        return None;
    }
    let mut values = Vec::new();
    for (dimension, column) in frame.dimensions.iter().zip(&columns.dimensions) {
        match dimension.feature(&line.record[*column]) {
            Ok(value) => values.push(value),
            Err(message) => report.push(Diagnostic::error(message).at(&line.field(*column))),
        }
    }
    let weight = columns.weight.map_or(Some(1.0), |column| weight(line, column, report));
    let preference = preference(line, &columns.wanted, frame, report)?;
    let actions = match columns.actions {
        Some(column) => Some(own_actions(line, column, frame, report)?),
        None => None,
    };
    check_own(&preference, actions.as_deref(), &line.whole(), report)?;
    (values.len() == frame.dimensions.len()).then_some(())?;
    Some(Row {
        context: columns.dimensions.iter().map(|column| line.record[*column].to_owned()).collect(),
        features: features(frame.dimensions, values),
        preference,
        actions,
        weight: weight?,
        place: line.whole(),
    })
}

/// `tea|juice`: the actions that can be offered.
fn own_actions(
    line: &Line<'_>,
    column: usize,
    frame: &Frame<'_>,
    report: &mut Report,
) -> Option<Arc<[usize]>> {
    let place = line.field(column);
    let ids = line.record[column].split('|').map(str::trim);
    let found: Vec<Option<usize>> =
        ids.map(|id| frame.actions.find(id, &place, frame.actions_file, report)).collect();
    distinct(found.into_iter().collect::<Option<Vec<_>>>()?, &place, report)
}

fn preference(
    line: &Line<'_>,
    wanted: &Wanted,
    frame: &Frame<'_>,
    report: &mut Report,
) -> Option<Preference> {
    let columns = match wanted {
        Wanted::Preferred(column) => {
            let (id, place) = (&line.record[*column], line.field(*column));
            if id.is_empty() {
                let message = "the row does not say which action is preferred";
                let help = "leave rows out whose class or preference is not known";
                report.push(Diagnostic::error(message).at(&place).help(help));
                return None;
            }
            let found = frame.actions.find(id, &place, frame.actions_file, report);
            return found.map(Preference::Action);
        }
        Wanted::Rewards(columns) => columns,
    };
    let given = columns.iter().filter(|(column, _)| !line.record[*column].is_empty());
    let mut of_column = |(column, action): &(usize, usize)| {
        let text = &line.record[*column];
        let found = reward(text.parse().ok(), text, || line.field(*column), frame, report);
        found.map(|reward| (*action, reward))
    };
    let rewards: Vec<Option<_>> = given.map(&mut of_column).collect();
    let rewards: Option<Vec<_>> = rewards.into_iter().collect();
    rewards.map(ActionRewards::new).map(Preference::Rewards)
}

fn weight(line: &Line<'_>, column: usize, report: &mut Report) -> Option<f64> {
    let text = &line.record[column];
    let weight = text.parse().ok().filter(|weight: &f64| weight.is_finite() && *weight > 0.0);
    if weight.is_none() {
        let message = format!("a weight must be a number above zero, found `{text}`");
        report.push(Diagnostic::error(message).at(&line.field(column)));
    }
    weight
}

/// A record and where it came from.
struct Line<'a> {
    table: &'a Table,
    record: &'a StringRecord,
    is_header: bool,
}

impl Line<'_> {
    fn has(&self, column: &str) -> bool {
        self.record.iter().any(|other| other == column)
    }

    fn text(&self) -> &str {
        self.table.source.text()
    }

    /// Where the record begins. The reader counts line breaks before it in.
    fn start(&self) -> usize {
        let start = self.record.position().map_or(0, csv::Position::byte);
        let start = usize::try_from(start).unwrap_or(0);
        let text = &self.text()[start..];
        start + text.len() - text.trim_start_matches(['\n', '\r']).len()
    }

    /// Where the fields stand, from the start of the record on.
    fn spans(&self) -> Vec<Range<usize>> {
        let separator = match self.table.layout {
            Layout::Csv => separator(self.text().as_bytes()),
            Layout::Arff(_) | Layout::Sparse => b',',
        };
        fields(&self.text()[self.start()..], separator)
    }

    fn at(&self, span: &Range<usize>) -> Place {
        let start = self.start();
        Place::new(&self.table.source, start + span.start..start + span.end)
    }

    fn whole(&self) -> Place {
        self.at(&(0..self.spans().last().map_or(0, |span| span.end)))
    }

    fn field(&self, index: usize) -> Place {
        match &self.table.layout {
            Layout::Arff(names) if self.is_header => {
                let span = names.get(index).cloned().unwrap_or(0..0);
                Place::new(&self.table.source, span)
            }
            Layout::Sparse => self.whole(),
            Layout::Csv | Layout::Arff(_) => {
                self.at(&self.spans().get(index).cloned().unwrap_or(0..0))
            }
        }
    }
}

/// Where the fields of the first record of `text` stand, without the space around.
fn fields(text: &str, separator: u8) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let (mut start, mut quoted) = (0, false);
    let end_of = |at: usize, start: usize| start..at;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                spans.push(end_of(at, start));
                start = at + 1;
            }
            b'\n' | b'\r' if !quoted => {
                spans.push(end_of(at, start));
                return spans.into_iter().map(|span| trimmed(text, &span)).collect();
            }
            _ => {}
        }
    }
    spans.push(end_of(text.len(), start));
    spans.into_iter().map(|span| trimmed(text, &span)).collect()
}

fn trimmed(text: &str, span: &Range<usize>) -> Range<usize> {
    let field = &text[span.clone()];
    let start = span.start + field.len() - field.trim_start().len();
    start..start + field.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_where_they_stand() {
        let text = "a, \"b,\nc\" ,é\r\nnext";
        let found: Vec<&str> =
            fields(text, separator(text.as_bytes())).into_iter().map(|span| &text[span]).collect();
        assert_eq!(found, ["a", "\"b,\nc\"", "é"]);
    }
}
