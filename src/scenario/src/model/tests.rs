//! The schema and the check accept the same files.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{ScenarioFile, schema};
use crate::document::{Node, Value, interpolate, yaml};
use crate::format::{Reading, object};
use diagnostic::{Report, Source};

/// Validates with a validator of JSON Schema that is not ours.
struct Schema {
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl Schema {
    fn new() -> Self {
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.add_resource("scenario.json", schema()).unwrap();
        let index = compiler.compile("scenario.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn accepts(&self, file: &Json) -> bool {
        self.schemas.validate(file, self.index).is_ok()
    }
}

fn environment(name: &str) -> Option<String> {
    match name {
        "PERSONALIZER_KEY" => Some("a-key".to_owned()),
        "MANY" => Some("250".to_owned()),
        _ => None,
    }
}

fn as_json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => number.clone().into(),
        Value::NotFinite => ".nan".into(),
        Value::Text(text) | Value::Interpolated(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(as_json).collect(),
        Value::Map(entries) => {
            Json::Object(entries.iter().map(|e| (e.key.clone(), as_json(&e.value))).collect())
        }
    }
}

/// A file as the schema sees it, and whether the check accepts it. Nothing, if it cannot
/// be read so far.
fn judged(source: &Arc<Source>) -> Option<(Json, bool)> {
    let (mut report, mut ignored) = (Report::new(), Report::new());
    let mut root = yaml::read(source, &mut report)?;
    let seen = as_json(&root);
    interpolate(&mut root, &environment, &mut report);
    let mut reading = Reading::new(&mut ignored, None);
    reading.document(&object::<ScenarioFile>(), &root, "the scenario");
    let is_valid = !reading.is_malformed;
    report.is_empty().then_some((seen, is_valid))
}

fn fixtures(folder: &str) -> Vec<Arc<Source>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "yaml");
    let mut paths: Vec<PathBuf> = paths.filter(is_yaml).collect();
    paths.sort();
    let text = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
    paths.iter().map(|path| Source::new(path.display().to_string(), text(path))).collect()
}

#[test]
fn the_schema_judges_every_fixture_as_the_check_does() {
    let schema = Schema::new();
    let (mut accepted, mut refused) = (0, 0);
    for folder in ["../../scenarios", "tests/fixtures/valid", "tests/fixtures/mistakes"] {
        for source in fixtures(folder) {
            let Some((file, valid)) = judged(&source) else { continue };
            assert_eq!(schema.accepts(&file), valid, "{}", source.path());
            *(if valid { &mut accepted } else { &mut refused }) += 1;
        }
    }
    assert!(accepted > 10 && refused > 10, "{accepted} accepted, {refused} refused");
}

#[test]
fn the_shipped_schema_is_the_schema() {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/scenario.schema.json");
    let fresh = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let shipped = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(shipped == fresh, "run `UPDATE_GOLDEN=1 cargo test` to write it anew");
}

/// What a value is replaced by.
fn replacements() -> Vec<Json> {
    let texts = [
        "",
        " ",
        "word",
        "0",
        "1_000",
        "10%",
        "0%",
        "05%",
        "0.5%",
        "100.5%",
        "15s",
        "1h30m",
        "15",
        "15 s",
        "50/s",
        "0/s",
        "0.5/min",
        "50/d",
        "embedded",
        "reset",
        "wait",
        "best",
        "https://example.com/x",
        "https://u@example.com",
        "a.b",
        "_a",
        "a b",
    ];
    let others = json!([
        null, true, 0, 1, -1, 0.5, 20.0, 70_000, 1e12, [], ["x"], {}, { "url": "http://x" },
        { "median": "1s", "p99": "2s" }, { "reset": null }, { "wait": "5s", "reset": null },
    ]);
    let others = others.as_array().unwrap().clone();
    texts.into_iter().map(Json::from).chain(others).collect()
}

/// All paths of a tree.
fn paths(value: &Json, prefix: &str, into: &mut Vec<String>) {
    into.push(prefix.to_owned());
    match value {
        Json::Array(items) => {
            (0..items.len()).for_each(|i| paths(&items[i], &format!("{prefix}/{i}"), into));
        }
        Json::Object(map) => {
            map.iter().for_each(|(key, inner)| paths(inner, &format!("{prefix}/{key}"), into));
        }
        _ => {}
    }
}

/// Replaces a value, takes it away, or gives its key another name.
fn mutate(file: &mut Json, path: &str, change: usize) {
    let replacements = replacements();
    let (parent, key) = path.rsplit_once('/').unwrap_or(("", ""));
    let count = replacements.len();
    if let (Some(Json::Object(map)), true) = (file.pointer_mut(parent), change >= count) {
        let value = map.remove(key);
        if change > count {
            map.insert(format!("{key}x"), value.unwrap_or_default());
        }
    } else if let Some(value) = file.pointer_mut(path) {
        *value = replacements[change % count].clone();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_schema_judges_durations_and_rates_as_the_check_does(
        duration in "(P[0-9]?[WD]?T?[0-9.]{0,3}[HMS]?([0-9][MS])?|[0-9.:]{1,7}|[0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2})?|[0-9.]{1,3}(ms|s|m|h|d|x)([0-9]s)?)",
        rate in "[0-9_.]{1,4}/(s|m|min|h|d)",
    ) {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::new);
        let phase = json!({ "iterate": {
            "name": "a", "iterations": 1, "rate": rate, "think_time": duration,
        }});
        let file = json!({
            "version": 1, "name": "a", "datasets": { "users": "u", "actions": "a" },
            "context": ["a"], "phases": [phase],
        });
        let (seen, accepted) = judged(&Source::new("made", file.to_string())).unwrap();
        prop_assert_eq!(SCHEMA.accepts(&seen), accepted, "{} {}", duration, rate);
    }

    #[test]
    fn the_schema_judges_broken_files_as_the_check_does(
        which: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..replacements().len() + 2), 1..3),
    ) {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::new);
        static VALID: LazyLock<Vec<Arc<Source>>> = LazyLock::new(|| fixtures("tests/fixtures/valid"));
        let (mut file, _) = judged(which.get(&VALID)).unwrap();
        for (at, change) in changes {
            let mut all = Vec::new();
            paths(&file, "", &mut all);
            mutate(&mut file, &at.get(&all).clone(), change);
        }
        // JSON is YAML.
        let source = Source::new("mutated", file.to_string());
        if let Some((seen, accepted)) = judged(&source) {
            prop_assert_eq!(SCHEMA.accepts(&seen), accepted, "{}", seen);
        }
    }
}
