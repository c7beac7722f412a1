use diagnostic::{Diagnostic, Report, nearest};
use foldhash::HashMap;

use crate::candidate::{Candidate, CandidateKind, Source, columns_of, find};
use crate::columns::{ActionsColumn, Columns, Named};
use crate::pattern;

/// Where the columns of a file stand.
pub(crate) struct Layout {
    pub action: usize,
    pub reward: usize,
    pub probability: Option<usize>,
    pub available: Option<usize>,
    pub id: Option<usize>,
    pub time: Option<usize>,
    pub context: Vec<FeatureColumn>,
    /// Of the action that was taken.
    pub features: Vec<FeatureColumn>,
    /// Of every action.
    pub of_actions: Vec<ActionColumns>,
    pub candidates: Vec<Source>,
}

/// A column that is a feature.
pub(crate) struct FeatureColumn {
    pub column: usize,
    pub name: String,
    pub is_text: bool,
}

/// A feature with a column for each action.
pub(crate) struct ActionColumns {
    pub name: String,
    pub is_text: bool,
    pub columns: HashMap<String, usize>,
}

impl Layout {
    /// Finds all columns; every one that is not there is reported, but for words of another
    /// table.
    pub fn find(
        columns: &Columns,
        candidates: &[Candidate],
        elsewhere: &[String],
        header: &[String],
        table: &str,
        report: &mut Report,
    ) -> Option<Self> {
        if header.is_empty() {
            let message = format!("`{table}` names no column");
            let help = "its first line must name the columns, or be a JSON object with them";
            report.push(Diagnostic::error(message).help(help));
            return None;
        }
        if let Some(mistake) = names_others(columns, header, table) {
            report.push(mistake);
            return None;
        }
        let mut one = |named: &Named| find(&named.text, header, table, &named.place, report);
        let action = one(&columns.action);
        let reward = one(&columns.reward);
        let probability = columns.probability.as_ref().map(&mut one);
        let available = match &columns.actions {
            Some(ActionsColumn::Column(named)) => Some(one(named)),
            Some(ActionsColumn::Listed(_)) | None => None,
        };
        let id = columns.id.as_ref().map(&mut one);
        let time = columns.time.as_ref().map(&mut one);
        let candidates =
            candidates.iter().enumerate().map(|(number, candidate)| match &candidate.kind {
                CandidateKind::Column(name) => {
                    Source::find(name, header, table, &candidate.place, report)
                }
                CandidateKind::File(_) => Some(Source::File(number)),
                CandidateKind::Always(id) => Some(Source::Always(id.clone())),
            });
        let candidates: Vec<Option<Source>> = candidates.collect();
        let mut used: Vec<usize> = [action, reward].into_iter().flatten().collect();
        used.extend([probability, available, id, time].into_iter().flatten().flatten());
        for source in candidates.iter().flatten() {
            match source {
                Source::Column(column) => used.push(*column),
                Source::Columns(columns) => used.extend(columns.values()),
                Source::File(_) | Source::Always(_) => {}
            }
        }
        let is_text = texts(columns, elsewhere, header, table, report);
        let mut finder = FeatureFinder { header, table, is_text: &is_text, used, report };
        let of_actions = finder.of_actions(&columns.features);
        let features = finder.columns(&columns.features);
        let context = finder.columns(&columns.context);
        Some(Self {
            action: action?,
            reward: reward?,
            probability: all(probability)?,
            available: all(available)?,
            id: all(id)?,
            time: all(time)?,
            context,
            features,
            of_actions,
            candidates: candidates.into_iter().collect::<Option<_>>()?,
        })
    }
}

/// A header of other names altogether: the table begins with something else, or is another one.
fn names_others(columns: &Columns, header: &[String], table: &str) -> Option<Diagnostic> {
    let Columns { action, reward, probability, .. } = columns;
    let wanted = [Some(action), Some(reward), probability.as_ref()].into_iter().flatten();
    let mut wanted: Vec<&str> = wanted.map(|named| named.text.as_str()).collect();
    // The only column of a catalogue stands for both.
    wanted.dedup();
    let is_like = |name: &str| {
        let is_within = |column: &String| column.starts_with(&format!("{name}."));
        header.iter().any(is_within) || nearest(name, header.iter().map(String::as_str)).is_some()
    };
    if wanted.len() < 2 || wanted.iter().any(|name| is_like(name)) {
        return None;
    }
    let shown: Vec<String> = wanted.iter().map(|name| format!("`{name}`")).collect();
    let message = format!("`{table}` has none of the columns {}", shown.join(", "));
    Some(Diagnostic::error(message).at(&action.place).help(first_line(header)))
}

/// What the first line of a table is in place of names that are known.
fn first_line(header: &[String]) -> String {
    match header {
        [only] if only.contains([' ', ':']) => format!(
            "its first line names the columns, between commas, semicolons, tabs or `|`, and is \
             `{only}`"
        ),
        _ => columns_of(header),
    }
}

/// None, if there is a column and it was not found.
#[expect(clippy::option_option, reason = "whether it is named, and whether it is there")]
fn all(column: Option<Option<usize>>) -> Option<Option<usize>> {
    match column {
        None => Some(None),
        Some(found) => found.map(Some),
    }
}

/// Which columns hold words.
fn texts(
    columns: &Columns,
    elsewhere: &[String],
    header: &[String],
    table: &str,
    report: &mut Report,
) -> Vec<bool> {
    let mut is_text = vec![false; header.len()];
    for named in &columns.text {
        let pattern = &named.text;
        let matching =
            header.iter().enumerate().filter(|(_, name)| pattern::matches(pattern, name));
        let matching: Vec<usize> = matching.map(|(index, _)| index).collect();
        let is_elsewhere = elsewhere.contains(pattern);
        if matching.is_empty() && !pattern::is_wildcard(pattern) && !is_elsewhere {
            find(pattern, header, table, &named.place, report);
        }
        matching.into_iter().for_each(|index| is_text[index] = true);
    }
    is_text
}

/// Finds columns of features; no pattern finds a column that was used before.
struct FeatureFinder<'a> {
    header: &'a [String],
    table: &'a str,
    is_text: &'a [bool],
    used: Vec<usize>,
    report: &'a mut Report,
}

impl FeatureFinder<'_> {
    fn columns(&mut self, patterns: &[Named]) -> Vec<FeatureColumn> {
        let mut found = Vec::new();
        for named in patterns.iter().filter(|named| !named.text.contains(pattern::ACTION)) {
            let (pattern, place) = (&named.text, &named.place);
            if pattern::is_wildcard(pattern) {
                let columns = self.header.iter().enumerate();
                let matching = columns.filter(|(index, name)| {
                    !self.used.contains(index)
                        && !name.is_empty()
                        && pattern::matches(pattern, name)
                });
                let matching: Vec<usize> = matching.map(|(index, _)| index).collect();
                if matching.is_empty() {
                    let message = format!("no column of `{}` matches `{pattern}`", self.table);
                    let help = columns_of(self.header);
                    self.report.push(Diagnostic::error(message).at(place).help(help));
                }
                found.extend(matching);
            } else {
                found.extend(find(pattern, self.header, self.table, place, self.report));
            }
            self.used.extend(&found);
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|column| self.feature(column)).collect()
    }

    fn feature(&self, column: usize) -> FeatureColumn {
        let (name, is_text) = (self.header[column].clone(), self.is_text[column]);
        FeatureColumn { column, name, is_text }
    }

    fn of_actions(&mut self, patterns: &[Named]) -> Vec<ActionColumns> {
        let mut all = Vec::new();
        for named in patterns.iter().filter(|named| named.text.contains(pattern::ACTION)) {
            let source =
                Source::find(&named.text, self.header, self.table, &named.place, self.report);
            let Some(Source::Columns(columns)) = source else { continue };
            self.used.extend(columns.values());
            let is_text = columns.values().any(|column| self.is_text[*column]);
            all.push(ActionColumns { name: pattern::feature(&named.text), is_text, columns });
        }
        all
    }
}
