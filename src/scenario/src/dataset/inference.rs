//! What the context dimensions of a users file are, for a scenario that is yet to be written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::table;
use crate::model;
use table_log::OpenQuote;

/// A context dimension of a users file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDimension {
    /// Its name; a dot leads into a nested object.
    pub name: String,
    /// What its values are.
    pub kind: DimensionKind,
}

/// What the values of a dimension are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DimensionKind {
    /// Each value is a separate feature.
    Text,
    /// One feature with this value.
    Number,
    /// A feature that is there or not.
    Boolean,
}

/// Why the dimensions cannot be inferred.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InferenceError {
    /// It is neither CSV with a header nor JSON.
    #[error("it is neither a list of records, nor contexts nested in each other, nor CSV")]
    Shape,
    /// JSON that nests one dimension in the other has no names for them.
    #[error("it nests {0} context dimensions and does not name them")]
    Unnamed(usize),
    /// A quote that is not closed.
    #[error("{0}")]
    Quote(OpenQuote),
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// A table with a header alone.
    #[error("it has no rows")]
    NoRows,
    /// A table that does not say what visitors prefer.
    #[error("it has no column `preferred`: its columns are `{}`", .0.join("`, `"))]
    NoPreference(Vec<String>),
    /// A table that says nothing else.
    #[error("it has no column of a context: its columns are `{}`", .0.join("`, `"))]
    NoContext(Vec<String>),
    /// A column whose name scenarios cannot write.
    #[error("its column `{0}` cannot be a context dimension: {why}", why = why_no_name(.0))]
    Name(String),
    /// A column without a name, by its number.
    #[error("its column {0} has no name")]
    Nameless(usize),
    /// Two columns of one name.
    #[error("two of its columns are called `{0}`")]
    Twice(String),
    /// Rows whose context is that of an earlier row.
    #[error("{repeated} of its {rows} rows have the context of an earlier row")]
    Repeated {
        /// How many rows.
        repeated: usize,
        /// Of so many.
        rows: usize,
    },
    /// A row with more or fewer fields than the header.
    #[error("line {line} has {found} fields, its header has {expected}")]
    Fields {
        /// The line, from 1.
        line: u64,
        /// How many fields it has.
        found: usize,
        /// How many the header has.
        expected: usize,
    },
    /// A cell that does not hold what its column is for.
    #[error("line {line}: `{found}` in column `{column}`, expected {expected}")]
    Cell {
        /// The line, from 1.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
}

/// Why a text is no name of a context dimension.
fn why_no_name(text: &str) -> &'static str {
    if text.contains(char::is_whitespace) {
        "a name has no blanks"
    } else {
        "no part of a name between dots is empty or begins with `_`"
    }
}

/// The columns of a users file that are neither context nor rewards.
pub(super) const NO_CONTEXT: [&str; 3] = ["preferred", "weight", "actions"];

/// Infers the context dimensions of the text of a users file.
///
/// # Errors
/// When it does not name them.
pub fn infer_dimensions(text: &str) -> Result<Vec<UserDimension>, InferenceError> {
    if !text.trim_start().starts_with(['[', '{']) {
        return of_table(text);
    }
    match serde_json::from_str(text).map_err(|_| InferenceError::Shape)? {
        Value::Array(records) => of_records(&records),
        nested @ Value::Object(_) => Err(InferenceError::Unnamed(depth(&nested))),
        _ => Err(InferenceError::Shape),
    }
}

/// The actions that the visitors of a users file prefer, or have rewards for, each once, in the
/// order of the file; those of a JSON object in the order of its sorted names.
#[must_use]
pub fn preferred_actions(text: &str) -> Vec<String> {
    let mut actions: Vec<String> = Vec::new();
    let mut note = |action: &str| {
        if !action.is_empty() && !actions.iter().any(|known| known == action) {
            actions.push(action.to_owned());
        }
    };
    if !text.trim_start().starts_with(['[', '{']) {
        let mut rows = table::lines(text);
        let header = rows.next().unwrap_or_default();
        header.iter().filter_map(table::rewarded).for_each(&mut note);
        if let Some(at) = header.iter().position(|name| name == NO_CONTEXT[0]) {
            rows.for_each(|row| note(row.get(at).unwrap_or_default()));
        }
        return actions;
    }
    match serde_json::from_str(text) {
        Ok(Value::Array(records)) => {
            for record in &records {
                note(record["preferred"].as_str().unwrap_or_default());
                let rewards = record["rewards"].as_object();
                rewards.into_iter().flat_map(sorted).for_each(|(action, _)| note(action));
            }
        }
        Ok(nested) => leaves(&nested, &mut note),
        Err(_) => {}
    }
    actions
}

/// Visits the texts that contexts nested in each other end with.
fn leaves(nested: &Value, visit: &mut impl FnMut(&str)) {
    match nested {
        Value::Object(members) => {
            sorted(members).into_iter().for_each(|(_, member)| leaves(member, visit));
        }
        Value::String(action) => visit(action),
        _ => {}
    }
}

/// The members by name: whether a JSON object keeps their order depends on how it was built.
fn sorted(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    members
}

/// The columns of a table, and its rows.
fn table_rows(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut rows =
        table::lines(text).map(|row| row.iter().map(str::to_owned).collect::<Vec<String>>());
    (rows.next().unwrap_or_default(), rows.collect())
}

fn of_table(text: &str) -> Result<Vec<UserDimension>, InferenceError> {
    table::open_quote(text).map_or(Ok(()), |quote| Err(InferenceError::Quote(quote)))?;
    let (header, rows) = table_rows(text);
    let is_rewarded = |name: &str| table::rewarded(name).is_some();
    let is_context = |name: &str| !NO_CONTEXT.contains(&name) && !is_rewarded(name);
    if header.iter().all(String::is_empty) {
        return Err(InferenceError::Empty);
    }
    if !header.iter().any(|name| name == NO_CONTEXT[0] || is_rewarded(name)) {
        return Err(InferenceError::NoPreference(header));
    }
    let columns: Vec<usize> = (0..header.len()).filter(|at| is_context(&header[*at])).collect();
    if columns.is_empty() {
        return Err(InferenceError::NoContext(header));
    }
    for (number, at) in columns.iter().enumerate() {
        let name = &header[*at];
        if name.trim().is_empty() {
            return Err(InferenceError::Nameless(at + 1));
        }
        if !model::is_feature_name(name) {
            return Err(InferenceError::Name(name.clone()));
        }
        if columns[..number].iter().any(|other| header[*other] == *name) {
            return Err(InferenceError::Twice(name.clone()));
        }
    }
    if rows.is_empty() {
        return Err(InferenceError::NoRows);
    }
    let context = |row: &Vec<String>| -> Vec<String> {
        columns.iter().map(|at| row.get(*at).cloned().unwrap_or_default()).collect()
    };
    let different: BTreeSet<Vec<String>> = rows.iter().map(context).collect();
    if different.len() < rows.len() {
        let (repeated, rows) = (rows.len() - different.len(), rows.len());
        return Err(InferenceError::Repeated { repeated, rows });
    }
    let kind = |at: usize| {
        let words = rows.iter().filter_map(|row| row.get(at));
        words.fold(None, |kind, word| Some(merged(kind, of_word(word))))
    };
    let dimension = |at: &usize| UserDimension {
        name: header[*at].clone(),
        kind: kind(*at).unwrap_or(DimensionKind::Text),
    };
    Ok(columns.iter().map(dimension).collect())
}

fn of_word(word: &str) -> DimensionKind {
    match word {
        "true" | "false" => DimensionKind::Boolean,
        _ if word.parse::<f64>().is_ok_and(f64::is_finite) => DimensionKind::Number,
        _ => DimensionKind::Text,
    }
}

/// The kind of two values: text, unless they agree.
fn merged(known: Option<DimensionKind>, next: DimensionKind) -> DimensionKind {
    if known.is_none_or(|known| known == next) { next } else { DimensionKind::Text }
}

/// The kind of the values so far and of one more.
pub(super) fn inferred(known: Option<model::DimensionKind>, value: &str) -> model::DimensionKind {
    use model::DimensionKind as Kind;
    let next = match of_word(value) {
        DimensionKind::Text => Kind::Text,
        DimensionKind::Number => Kind::Number,
        DimensionKind::Boolean => Kind::Boolean,
    };
    if known.is_none_or(|known| known == next) { next } else { Kind::Text }
}

fn of_records(records: &[Value]) -> Result<Vec<UserDimension>, InferenceError> {
    let mut names: Vec<String> = Vec::new();
    let mut kinds: BTreeMap<String, DimensionKind> = BTreeMap::new();
    for record in records {
        let context = record.get("context").ok_or(InferenceError::Shape)?;
        flatten("", context, &mut |name, kind| {
            let kind = merged(kinds.get(name).copied(), kind);
            if kinds.insert(name.to_owned(), kind).is_none() {
                names.push(name.to_owned());
            }
        });
    }
    let dimension = |name: String| UserDimension { kind: kinds[&name], name };
    let dimensions: Vec<UserDimension> = names.into_iter().map(dimension).collect();
    if dimensions.is_empty() { Err(InferenceError::Shape) } else { Ok(dimensions) }
}

/// Visits the values of a context, each with its name.
fn flatten(prefix: &str, value: &Value, visit: &mut impl FnMut(&str, DimensionKind)) {
    match value {
        Value::Object(members) => {
            for (name, member) in sorted(members) {
                let name =
                    if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&name, member, visit);
            }
        }
        Value::Number(_) => visit(prefix, DimensionKind::Number),
        Value::Bool(_) => visit(prefix, DimensionKind::Boolean),
        _ => visit(prefix, DimensionKind::Text),
    }
}

fn depth(value: &Value) -> usize {
    let members = value.as_object().and_then(|members| members.values().next());
    members.map_or(0, |member| 1 + depth(member))
}

#[cfg(test)]
mod tests {
    use super::*;
    use DimensionKind::{Boolean, Number, Text};

    fn inferred(text: &str) -> Vec<(String, DimensionKind)> {
        let dimensions = infer_dimensions(text).unwrap();
        dimensions.into_iter().map(|of| (of.name, of.kind)).collect()
    }

    #[test]
    fn the_columns_of_a_table_are_dimensions_but_for_two() {
        for separator in [",", ";", "\t"] {
            let text = [
                "name,age,vip,zip,preferred,weight",
                "Ann,31,true,7,tea,1",
                "Bo,4.5,false,x,tea,2",
            ];
            let text = text.join("\n").replace(',', separator);
            let expected = [("name", Text), ("age", Number), ("vip", Boolean), ("zip", Text)];
            assert_eq!(inferred(&text), expected.map(|(name, kind)| (name.to_owned(), kind)));
        }
    }

    #[test]
    fn actions_are_those_that_are_preferred() {
        let table = "name;preferred\nAnn;Café au lait\nBo;\"tea; green\"\nCy;Café au lait\n";
        assert_eq!(preferred_actions(table), ["Café au lait", "tea; green"]);
        assert_eq!(preferred_actions("a,rewards.x,rewards.y\n1,0.5,0.1\n"), ["x", "y"]);
        assert_eq!(
            preferred_actions(r#"{"Ann": {"Sunny": "tea", "Rainy": "ice"}}"#),
            ["ice", "tea"]
        );
        let records =
            r#"[{"context": {}, "preferred": "x"}, {"context": {}, "rewards": {"y": 1}}]"#;
        assert_eq!(preferred_actions(records), ["x", "y"]);
        assert!(preferred_actions("a,b\n1,2\n").is_empty() && preferred_actions("[").is_empty());
    }

    #[test]
    fn records_have_nested_names() {
        let text = r#"[{"context": {"user": {"age": 3, "kind": "a"}, "new": true}, "preferred": "x"},
                       {"context": {"user": {"age": "old", "kind": "b"}, "new": false}}]"#;
        let expected = [("new", Boolean), ("user.age", Text), ("user.kind", Text)];
        let mut found = inferred(text);
        found.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(found, expected.map(|(name, kind)| (name.to_owned(), kind)));
    }

    #[test]
    fn what_has_no_names_says_how_many_are_needed() {
        let nested = r#"{"Ann": {"Sunny": {"Morning": "tea"}}}"#;
        assert_eq!(infer_dimensions(nested), Err(InferenceError::Unnamed(3)));
        for text in ["[1, 2]", "[]"] {
            assert_eq!(infer_dimensions(text), Err(InferenceError::Shape), "{text}");
        }
    }

    #[test]
    fn a_table_without_preferences_says_what_it_has() {
        let columns = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let lacks = |names| Err(InferenceError::NoPreference(columns(names)));
        assert_eq!(infer_dimensions(""), Err(InferenceError::Empty));
        let open = infer_dimensions("who,preferred\nann,\"tea\nbob,\"milk\"\n").unwrap_err();
        assert!(open.to_string().contains("the quote at line 2, column 5 has no end"), "{open}");
        assert_eq!(infer_dimensions("a,b\n1,2\n"), lacks(&["a", "b"]));
        assert_eq!(infer_dimensions("7"), lacks(&["7"]));
        assert_eq!(infer_dimensions("a,preferred\n"), Err(InferenceError::NoRows));
    }
}
