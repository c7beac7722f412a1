//! A log gives the same events in CSV, in JSON lines, in DSJSON and in Parquet.

use std::io::Cursor;
use std::sync::Arc;

use diagnostic::{Place, Report, Source};
use evaluation::run::{DsjsonLog, LogReader, Wants};
use evaluation::{SeenEvent, Shape, View, Viewed};
use learner::Label;
use proptest::prelude::*;
use protocol::{FeatureObject, RankableAction};
use serde_json::{Map, Value, json};
use table_log::{Columns, Input, Named, Table};

/// What was logged of one choice. A column that is `None` is missing.
#[derive(Debug, Clone)]
struct Row {
    action: usize,
    /// In eighths, so that it is the same in every width of numbers.
    reward: Option<i8>,
    probability: u8,
    words: Option<String>,
    whole: Option<i32>,
    real: Option<f64>,
}

/// In their order: numbers first.
const ACTIONS: [&str; 4] = ["7", "10", "a \"b\", c", "é|x"];
/// In the order in which `serde_json` writes them.
const CONTEXT: [&str; 3] = ["user.real", "user.whole", "words"];

/// What policies see of a line, and what it says.
type Event = (Arc<[FeatureObject]>, Vec<Arc<str>>, Label);

impl Row {
    fn reward(&self) -> Option<f64> {
        self.reward.map(|eighths| f64::from(eighths) / 8.0)
    }

    fn probability(&self) -> f64 {
        f64::from(self.probability) / 256.0
    }

    fn user(&self) -> Value {
        json!({ "whole": self.whole, "real": self.real })
    }
}

fn row() -> impl Strategy<Value = Row> {
    // Fields without quotes, with quotes, over two lines, numbers that are texts.
    let words = prop_oneof![
        "[a-z]{1,6}",
        "[ -~]{1,12}",
        "[a-z\"\n,;\té☕]{1,9}",
        "[+-]?[0-9]{1,3}([.][0-9]{1,2})?"
    ];
    // CSV has no text without letters, and takes one with spaces alone for another one.
    let words = words.prop_filter("a word", |words| !words.trim().is_empty());
    let real = (-1e6..1e6).prop_map(|number: f64| number);
    let fields = (0..ACTIONS.len(), proptest::option::weighted(0.9, any::<i8>()), 1_u8..);
    let context = (
        proptest::option::of(words),
        proptest::option::of(any::<i32>()),
        proptest::option::of(real),
    );
    (fields, context).prop_map(|((action, reward, probability), (words, whole, real))| Row {
        action,
        reward,
        probability,
        words,
        whole,
        real,
    })
}

fn csv(rows: &[Row]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["action", "reward", "p", CONTEXT[0], CONTEXT[1], CONTEXT[2]]).unwrap();
    let shown = |number: Option<f64>| number.map_or(String::new(), |number| format!("{number:?}"));
    for row in rows {
        let fields = [
            ACTIONS[row.action].to_owned(),
            shown(row.reward()),
            shown(Some(row.probability())),
            shown(row.real),
            row.whole.map_or(String::new(), |number| number.to_string()),
            row.words.clone().unwrap_or_default(),
        ];
        writer.write_record(fields).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

fn json_lines(rows: &[Row]) -> String {
    let line = |row: &Row| {
        let (action, reward) = (ACTIONS[row.action], row.reward());
        let (p, words, user) = (row.probability(), &row.words, row.user());
        json!({ "action": action, "reward": reward, "p": p, "words": words, "user": user })
            .to_string()
            + "\n"
    };
    rows.iter().map(line).collect()
}

/// A line for each row with a reward, as a table reads it: a text that looks like a number is one.
fn dsjson(rows: &[Row]) -> String {
    let line = |row: &Row| {
        let mut context = Map::new();
        let words = row.words.as_ref().map(|words| number(words).unwrap_or(json!(words)));
        let whole = row.whole.map(|whole| json!(whole));
        for (name, value) in
            CONTEXT.into_iter().zip([row.real.map(|real| json!(real)), whole, words])
        {
            context.extend(value.map(|value| (name.to_owned(), value)));
        }
        let tags = ACTIONS.map(|tag| json!({ "_tag": tag }));
        context.insert("_multi".to_owned(), json!(tags));
        let mut ranking: Vec<usize> = (1..=ACTIONS.len()).collect();
        ranking.swap(0, row.action);
        let line = json!({
            "_label_cost": 0.0 - row.reward()?, "_label_probability": row.probability(),
            "_labelIndex": row.action, "a": ranking, "c": context,
        });
        Some(line.to_string() + "\n")
    };
    rows.iter().filter_map(line).collect()
}

/// What a table makes of a text.
fn number(text: &str) -> Option<Value> {
    let text = text.trim();
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return None;
    }
    text.parse::<i64>().map(|whole| json!(whole)).ok().or_else(|| {
        text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| json!(number))
    })
}

fn text(text: String) -> Input {
    Input::Text(Box::new(Cursor::new(text.into_bytes())))
}

fn wants() -> Wants {
    let view = View { shape: Shape::AsTheyCame, without: None };
    Wants { views: vec![view], ..Wants::default() }
}

/// The events that a reader gives; nothing is rejected.
fn events(log: &mut dyn LogReader) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(line) = log.next_line().unwrap() {
        let choice = line.choice.unwrap();
        let Some(Viewed::AsItCame(SeenEvent { context, actions, .. })) = choice.views.first()
        else {
            panic!("an event as it came")
        };
        let ids = actions.iter().map(|action: &RankableAction| action.id.clone()).collect();
        events.extend(choice.label.map(|label| (context.clone(), ids, label)));
    }
    events
}

fn of_table(open: &dyn Fn() -> Input) -> Vec<Event> {
    let source = Source::new("columns", "");
    let named = |text: &str| Named { text: text.to_owned(), place: Place::new(&source, 0..0) };
    let listed = ACTIONS.iter().map(|id| named(id)).collect();
    let columns = Columns {
        action: named("action"),
        reward: named("reward"),
        probability: Some(named("p")),
        context: CONTEXT.map(named).into(),
        features: Vec::new(),
        text: Vec::new(),
        actions: Some(table_log::ActionsColumn::Listed(listed)),
        id: None,
        time: None,
    };
    let (mut table, mut report) = (Table::new(columns), Report::new());
    table.scan("log", open(), &[], &mut report).unwrap();
    table.end_scan(&mut report);
    let mut nothing = |_: &str| Ok(text(String::new()));
    table.prepare(&wants(), &[], &mut nothing, &mut report).unwrap();
    let mut log = table.log("log", open(), &mut report).unwrap();
    assert!(!report.has_errors(), "{}", report.render(false));
    events(log.as_mut().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_is_the_same_in_every_format(rows in proptest::collection::vec(row(), 1..12)) {
        let lines = dsjson(&rows);
        let expected = events(&mut DsjsonLog::new(wants()).lines(lines.as_bytes()));
        prop_assert_eq!(expected.len(), rows.iter().filter(|row| row.reward.is_some()).count());
        let of_csv = of_table(&|| text(csv(&rows)));
        prop_assert_eq!(&of_csv, &expected);
        // A text of JSON is as one of CSV.
        let of_json = of_table(&|| text(json_lines(&rows)));
        prop_assert_eq!(&of_json, &expected);
        #[cfg(feature = "parquet")]
        prop_assert_eq!(&of_table(&|| parquet::input(&rows)), &expected);
    }
}

#[cfg(feature = "parquet")]
mod parquet {
    use std::sync::Arc;

    use parquet::basic::{LogicalType, Repetition, Type as Physical};
    use parquet::data_type::{ByteArrayType, DataType, DoubleType, Int32Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
    use parquet::schema::types::{Type, TypePtr};
    use table_log::{Input, ParquetFile};

    use super::{ACTIONS, Row};

    type Group<'a> = SerializedRowGroupWriter<'a, std::fs::File>;

    fn field(name: &str, physical: Physical) -> TypePtr {
        let is_text = physical == Physical::BYTE_ARRAY;
        let field = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(is_text.then_some(LogicalType::String));
        Arc::new(field.build().unwrap())
    }

    fn schema() -> TypePtr {
        let user = vec![field("real", Physical::DOUBLE), field("whole", Physical::INT32)];
        let user = Type::group_type_builder("user")
            .with_repetition(Repetition::REQUIRED)
            .with_fields(user)
            .build();
        let fields = vec![
            field("action", Physical::BYTE_ARRAY),
            field("reward", Physical::DOUBLE),
            field("p", Physical::DOUBLE),
            Arc::new(user.unwrap()),
            field("words", Physical::BYTE_ARRAY),
        ];
        Arc::new(Type::group_type_builder("log").with_fields(fields).build().unwrap())
    }

    fn column<T: DataType>(
        group: &mut Group<'_>,
        rows: &[Row],
        value: impl Fn(&Row) -> Option<T::T>,
    ) {
        let cells: Vec<Option<T::T>> = rows.iter().map(value).collect();
        let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
        let values: Vec<T::T> = cells.into_iter().flatten().collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(&values, Some(&levels), None).unwrap();
        column.close().unwrap();
    }

    /// A file of row groups of five rows.
    pub fn input(rows: &[Row]) -> Input {
        let file = tempfile::tempfile().unwrap();
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer =
            SerializedFileWriter::new(file.try_clone().unwrap(), schema(), properties).unwrap();
        for rows in rows.chunks(5) {
            let mut group = writer.next_row_group().unwrap();
            column::<ByteArrayType>(&mut group, rows, |row| Some(ACTIONS[row.action].into()));
            column::<DoubleType>(&mut group, rows, Row::reward);
            column::<DoubleType>(&mut group, rows, |row| Some(row.probability()));
            column::<DoubleType>(&mut group, rows, |row| row.real);
            column::<Int32Type>(&mut group, rows, |row| row.whole);
            column::<ByteArrayType>(&mut group, rows, |row| row.words.as_deref().map(Into::into));
            group.close().unwrap();
        }
        writer.close().unwrap();
        Input::Parquet(ParquetFile::open(file).unwrap())
    }
}
