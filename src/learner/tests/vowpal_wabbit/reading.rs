//! Lines of DSJSON as real Vowpal Wabbit reads them: `make_reading.py` asked it.

use std::fs;
use std::path::{Path, PathBuf};

use learner::{
    DropReason, DsjsonReader, Event, Hashing, Label, Learner, LearningPolicy, Prediction,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reading {
    policy: String,
    /// What each line is, and whether VW reads it.
    lines: Vec<(String, bool)>,
    /// What VW predicts for those that it reads, before it learns them.
    pmf: Vec<Vec<f32>>,
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// The event and the label of a line that has both.
pub fn labelled(reader: &mut DsjsonReader, line: &str) -> (Event, Label) {
    let logged = reader.read(line.as_bytes()).unwrap_or_else(|dropped| panic!("{dropped}: {line}"));
    (logged.event, logged.label.expect("a label"))
}

#[test]
fn lines_are_kept_and_dropped_as_by_vw_and_mean_the_same() {
    let golden = fs::read_to_string(fixture("reading.json")).unwrap();
    let golden: Reading = serde_json::from_str(&golden).unwrap();
    let text = fs::read(fixture("reading.dsjson")).unwrap();
    let policy = LearningPolicy::parse(&golden.policy).unwrap();
    let (mut learner, mut prediction) = (Learner::new(&policy), Prediction::default());
    let mut reader = DsjsonReader::new(policy.hashing());
    let mut expected = golden.pmf.iter();
    for ((name, kept), line) in golden.lines.iter().zip(text.split(|byte| *byte == b'\n')) {
        let logged = reader.read(line);
        let read = logged.as_ref().ok().filter(|read| policy.check_event(&read.event).is_ok());
        assert_eq!(read.is_some(), *kept, "{name}: {logged:?}");
        let Some(logged) = read else { continue };
        learner.predict(&logged.event, &mut prediction);
        let expected = expected.next().unwrap();
        assert_eq!(prediction.pmf.len(), expected.len(), "{name}");
        for (found, expected) in prediction.pmf.iter().zip(expected) {
            // The driver prints six digits.
            assert!((found - expected).abs() <= 1e-6, "{name}: {found} for {expected}");
        }
        if let Some(label) = logged.label {
            learner.learn(&logged.event, &label);
        }
    }
    assert!(expected.next().is_none());
}

fn dropped(line: &str) -> DropReason {
    let dropped = DsjsonReader::new(Hashing::default()).read(line.as_bytes());
    dropped.expect_err(line).reason
}

/// VW stops at these lines, or learns infinite weights from them.
#[test]
fn labels_that_would_break_vw_are_dropped_with_the_reason() {
    let line = |label: &str| format!(r#"{{{label},"a":[1],"c":{{"_multi":[{{"A":"b"}}]}}}}"#);
    let cost_and = |rest: &str| line(&format!(r#""_label_cost":-1,{rest}"#));
    for (line, reason) in [
        (cost_and(r#""_label_probability":0.5"#), DropReason::LabelIndex),
        (cost_and(r#""_label_probability":0.5,"_labelIndex":null"#), DropReason::LabelIndex),
        (cost_and(r#""_labelIndex":0"#), DropReason::Probability),
        (cost_and(r#""_labelIndex":0,"_label_probability":0"#), DropReason::Probability),
        (cost_and(r#""_labelIndex":0,"_label_probability":null"#), DropReason::Probability),
        // VW drops it, and a later event that comes to lie in its memory weighs infinitely.
        (line(r#""pdrop":1"#), DropReason::DropProbability),
        (line(r#""_label":{"Cost":1}"#), DropReason::LabelPlace),
        (line(r#""_label_cost":1e39,"_label_probability":1,"_labelIndex":0"#), DropReason::Cost),
        (
            r#"{"a":[1],"c":{"_multi":[{"_label_cost":-1,"A":"b"}]}}"#.to_owned(),
            DropReason::LabelPlace,
        ),
        (r#"{"a":[1]}"#.to_owned(), DropReason::Context),
        (r#"{"a":[1],"c":null}"#.to_owned(), DropReason::Context),
    ] {
        assert_eq!(dropped(&line), reason, "{line}");
    }
}

#[test]
fn the_column_is_where_reading_ended() {
    let line = br#"{"a":[1],"c":{"x":tru}}"#;
    let dropped = DsjsonReader::new(Hashing::default()).read(line).unwrap_err();
    assert_eq!((dropped.reason, dropped.column), (DropReason::Syntax, 19));
    assert_eq!(dropped.to_string(), "is not JSON (column 19)");
    // Found by fuzzing: an escape at the end.
    let line = br#"{"o":{"a":{"n\"#;
    let dropped = DsjsonReader::new(Hashing::default()).read(line).unwrap_err();
    assert_eq!(dropped.column, line.len() + 1);
}

/// What is remembered of earlier lines changes nothing.
#[test]
fn a_reader_that_has_seen_much_reads_as_a_new_one() {
    for domain in ["coffee.dsjson", "numeric.dsjson", "nasty.dsjson", "reading.dsjson"] {
        let text = fs::read(fixture(domain)).unwrap();
        let mut seasoned = DsjsonReader::new(Hashing::default());
        let shown = |reader: &mut DsjsonReader, line| {
            reader.read(line).map(|mut logged| {
                logged.event.recurs = false;
                format!("{logged:?}")
            })
        };
        for line in text.split(|byte| *byte == b'\n').flat_map(|line| [line; 2]) {
            let fresh = shown(&mut DsjsonReader::new(Hashing::default()), line);
            assert_eq!(shown(&mut seasoned, line), fresh);
        }
    }
}

/// Only then are its examples those of the earlier event.
#[test]
fn an_event_recurs_with_the_text_of_its_context_and_of_its_list_of_actions() {
    let (one, two) = (r#"{"i":{"a":1}}"#, r#"{"i":{"a":1}},{"i":{"b":1}}"#);
    let contexts = |context: &str, actions: &str| {
        [
            format!(r#"{{"F":{{"hour":{context}}},"_multi":[{actions}]}}"#),
            format!(r#"{{"_multi": [{actions}], "F":{{"hour":{context}}}}}"#),
            format!(r#"{{"F":{{"hour":{context}}},"_multi":[{actions}],"G":{{"x":1}}}}"#),
            format!(r#"{{"_x":"_multi\":","F":{{"hour":{context}}},"_multi":[{actions}]}}"#),
        ]
    };
    for form in 0..4 {
        let mut reader = DsjsonReader::new(Hashing::default());
        let mut recurs = |context: &str, actions: &str| {
            let line = format!(r#"{{"a":[1],"c":{}}}"#, contexts(context, actions)[form]);
            reader.read(line.as_bytes()).unwrap().event.recurs
        };
        let seen = [("7", one), ("8", one), ("7", one), ("7", two), ("7", two), ("9", two)];
        let found = seen.map(|(hour, actions)| recurs(hour, actions));
        // Of contexts that begin with their actions, the last alone is known.
        let again = form != 1;
        assert_eq!(found, [false, false, again, false, true, false], "form {form}");
    }
}

/// What a label in the context says, it says of each event.
#[test]
fn a_context_with_a_label_or_slots_or_a_mistake_is_read_again() {
    let mut reader = DsjsonReader::new(Hashing::default());
    let mut twice = |context: &str| {
        let line = format!(r#"{{"a":[1],"c":{{{context}}}}}"#);
        [(); 2].map(|()| reader.read(line.as_bytes()).map(|logged| logged.event.recurs).ok())
    };
    let actions = r#""_multi":[{"i":{"a":1}},{"i":{"b":1}}]"#;
    assert_eq!(twice(&format!("\"_label_cost\":null,{actions}")), [Some(false); 2]);
    assert_eq!(twice(&format!("{actions},\"_slots\":[{{}}]")), [Some(false); 2]);
    assert_eq!(twice(&format!("{actions},\"x\":oops")), [None; 2]);
    assert_eq!(twice("\"_multi\":[]"), [None; 2]);
    assert_eq!(twice(actions), [Some(false), Some(true)]);
}
