//! What the columns of a logged table say: a file with the keys of [`ColumnsFile`], or the same
//! keys in one line.

use std::path::Path;
use std::sync::Arc;

use table_log::{ActionsColumn, Columns, Named};

use super::document::{Entry, Node, Value, refuse_duplicates, yaml};
use super::file::{self, LARGEST_SCENARIO};
use super::format::{
    BOOLEAN, Either, Form, Placed, Reading, TEXT, either, integer, list_of, object, optional, or,
    required,
};
use diagnostic::{Diagnostic, Place, Report, Source};

keyed! {
    /// What the columns of a logged table say.
    struct ColumnsFile {
        /// The column of the action that was taken.
        action: Placed<String> = required(TEXT.at()),
        /// The column of its reward.
        reward: Placed<String> = required(TEXT.at()),
        /// The column of the probability with which the action was taken. Without it,
        /// probabilities are estimated by how often each action was taken, and nothing is judged.
        probability: Option<Placed<String>> = optional(TEXT.at()),
        /// The columns of the context: names, or patterns such as `user_*`.
        context: Option<Vec<Placed<String>>> = optional(names()),
        /// The columns of the action's features: names, patterns such as `item_*`, or, with a
        /// column for each action, `affinity_{action}`.
        features: Option<Vec<Placed<String>>> = optional(names()),
        /// Columns whose values are words, even where they look like numbers.
        text: Option<Vec<Placed<String>>> = optional(names()),
        /// The actions that could be chosen: a list of ids, or the column that lists them. All
        /// that the table has, if it is not said.
        actions: Option<Actions> = optional(actions()),
        /// A table of the actions that could be chosen, with their features; its column of ids is
        /// called as that of the action.
        catalogue: Option<Placed<String>> = optional(TEXT.at()),
        /// Whether the catalogue may be missing.
        catalogue_may_be_missing: bool = or(BOOLEAN, "false"),
        /// The column of the event's id.
        id: Option<Placed<String>> = optional(TEXT.at()),
        /// The column of the time.
        time: Option<Placed<String>> = optional(TEXT.at()),
    }
}

/// The actions that could be chosen.
#[derive(Debug, Clone)]
enum Actions {
    Column(Placed<String>),
    Listed(Vec<Placed<String>>),
}

fn names() -> impl Form<Value = Vec<Placed<String>>> {
    either([TEXT.at().map(|name| vec![name]).boxed(), list_of(TEXT.at(), 1).boxed()])
}

fn actions() -> Either<Actions> {
    let id = || {
        let number = integer(i64::MIN, i64::MAX).map(|id| id.to_string());
        either([TEXT.boxed(), number.boxed()]).at()
    };
    either([TEXT.at().map(Actions::Column).boxed(), list_of(id(), 1).map(Actions::Listed).boxed()])
}

/// The columns of a table, and its catalogue.
#[derive(Debug, Clone)]
pub struct TableColumns {
    /// The columns.
    pub columns: Columns,
    /// The file that lists the actions.
    pub catalogue: Option<Named>,
    /// Whether there may be no such file.
    pub catalogue_may_be_missing: bool,
}

/// The layout of the Open Bandit Dataset (Saito, Aihara, Matsutani, Narita, "Open Bandit Dataset
/// and Pipeline", NeurIPS 2021, datasets and benchmarks).
const OPEN_BANDIT_DATASET: &str = include_str!("columns/open_bandit_dataset.yaml");

/// Reads the file at `path`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_columns(path: &Path) -> Result<TableColumns, Report> {
    let shown = path.display().to_string();
    let source = file::read(path, &shown, LARGEST_SCENARIO)?;
    of_yaml(&source)
}

/// The columns of the Open Bandit Dataset; its catalogue stands beside the log.
///
/// # Errors
/// None: it is tested.
pub fn open_bandit_dataset() -> Result<TableColumns, Report> {
    of_yaml(&Source::new("--columns obd", OPEN_BANDIT_DATASET))
}

fn of_yaml(source: &Arc<Source>) -> Result<TableColumns, Report> {
    let mut report = Report::new();
    let Some(root) = yaml::read(source, &mut report) else { return Err(report) };
    decode(&root, report)
}

/// Reads `KEY=COLUMN,…`; a name without a key belongs to the key before it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse_columns(text: &str) -> Result<TableColumns, Report> {
    let source = Source::new("--columns", text);
    let mut report = Report::new();
    let mut entries: Vec<Entry> = Vec::new();
    let mut start = 0;
    for piece in text.split(',') {
        let at = start + piece.len() - piece.trim_start().len();
        start += piece.len() + 1;
        let piece = piece.trim();
        let place = |from: usize, to: usize| Place::new(&source, at + from..at + to);
        let (key, name) = match piece.split_once('=') {
            Some((key, _)) => (Some(key), key.len() + 1),
            None => (None, 0),
        };
        if piece.len() == name {
            let message = "a column has no name";
            let help = "expected `action=COLUMN,reward=COLUMN,probability=COLUMN`";
            report.push(Diagnostic::error(message).at(&place(0, piece.len())).help(help));
            continue;
        }
        let column =
            Node { value: Value::Text(piece[name..].to_owned()), place: place(name, piece.len()) };
        match (key, entries.last_mut()) {
            (Some(key), _) => {
                let place = place(0, key.len());
                entries.push(Entry { key: key.to_owned(), place, value: column });
            }
            (None, Some(last)) => append(&mut last.value, column),
            (None, None) => {
                let message = format!("`{piece}` has no key");
                let help = "expected `KEY=COLUMN`, such as `action=item`; a file of columns has a \
                            name that exists";
                report.push(Diagnostic::error(message).at(&column.place).help(help));
            }
        }
    }
    if report.has_errors() {
        return Err(report);
    }
    let place = Place::new(&source, 0..text.len());
    let mut root = Node { value: Value::Map(entries), place };
    refuse_duplicates(&mut root, &mut report);
    decode(&root, report)
}

/// Makes a list of what was one column.
fn append(list: &mut Node, column: Node) {
    if let Value::List(items) = &mut list.value {
        items.push(column);
        return;
    }
    let first = list.clone();
    list.value = Value::List(vec![first, column]);
}

fn decode(root: &Node, mut report: Report) -> Result<TableColumns, Report> {
    let file: Option<ColumnsFile> =
        Reading::new(&mut report, None).document(&object(), root, "the columns");
    report.sort();
    let Some(file) = file.filter(|_| !report.has_errors()) else { return Err(report) };
    if let (Some(catalogue), Some(_)) = (&file.catalogue, &file.actions) {
        let message = "`catalogue` and `actions` both say which actions could be chosen";
        report.push(Diagnostic::error(message).at(&catalogue.place).help("leave one of them out"));
        return Err(report);
    }
    let all = |names: Option<Vec<Placed<String>>>| {
        names.unwrap_or_default().into_iter().map(named).collect()
    };
    let columns = Columns {
        action: named(file.action),
        reward: named(file.reward),
        probability: file.probability.map(named),
        context: all(file.context),
        features: all(file.features),
        text: all(file.text),
        actions: file.actions.map(|actions| match actions {
            Actions::Column(name) => ActionsColumn::Column(named(name)),
            Actions::Listed(ids) => ActionsColumn::Listed(ids.into_iter().map(named).collect()),
        }),
        id: file.id.map(named),
        time: file.time.map(named),
    };
    let catalogue = file.catalogue.map(named);
    Ok(TableColumns { columns, catalogue, catalogue_may_be_missing: file.catalogue_may_be_missing })
}

fn named(placed: Placed<String>) -> Named {
    Named { place: placed.place, text: placed.value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(names: &[Named]) -> Vec<&str> {
        names.iter().map(|named| &*named.text).collect()
    }

    #[test]
    fn one_line_says_what_a_file_says() {
        let line =
            parse_columns("action=item, reward=click,context=age,user_*,actions=a,b").unwrap();
        let file = "action: item\nreward: click\ncontext: [age, 'user_*']\nactions: [a, b]\n";
        let file = of_yaml(&Source::new("columns.yaml", file)).unwrap();
        for columns in [line.columns, file.columns] {
            assert_eq!((&*columns.action.text, &*columns.reward.text), ("item", "click"));
            assert_eq!(texts(&columns.context), ["age", "user_*"]);
            let Some(ActionsColumn::Listed(ids)) = &columns.actions else { panic!("a list") };
            assert_eq!(texts(ids), ["a", "b"]);
        }
    }

    #[test]
    fn the_preset_is_valid() {
        let preset = open_bandit_dataset().unwrap();
        assert_eq!(preset.columns.action.text, "item_id");
        assert!(preset.catalogue_may_be_missing && preset.catalogue.is_some());
    }

    #[test]
    fn mistakes_are_told_at_their_places() {
        for (text, parts) in [
            (
                "action=item,reward=click,propability=p",
                ["`propability`", "--columns:1:26", "`probability`"],
            ),
            ("action=item", ["`reward`", "--columns:1", ""]),
            ("item", ["`item` has no key", "--columns:1:1", "KEY=COLUMN"]),
            ("action=,reward=r", ["no name", "--columns:1:1", ""]),
            ("action=a,reward=r,action=b", ["`action` appears twice", "--columns:1:19", ""]),
            ("action=a,b,reward=r", ["`action`", "a text", "--columns:1:8"]),
            (
                "action=a,reward=r,actions=x,y,catalogue=c.csv",
                ["`catalogue` and `actions`", "", ""],
            ),
        ] {
            let shown = parse_columns(text).unwrap_err().render(false);
            for part in parts {
                assert!(shown.contains(part), "{text}: {part}\n{shown}");
            }
        }
    }
}
