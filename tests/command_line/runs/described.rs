//! `runner world describe`, and classification tables in every format.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::folder::json;
use super::runner;

const CSV: &str = "size,soil,kind\n1,clay,a\n2,clay,a\n3,sand,b\n4,sand,b\n5,clay,c\n6,clay,c\n";
const ARFF: &str = "@relation plants\n@attribute size numeric\n@attribute soil {clay,sand}\n\
                    @attribute kind {a,b,c}\n@data\n1,clay,a\n2,clay,a\n3,sand,b\n4,sand,b\n\
                    {0 5, 2 c}\n{0 6, 2 c}\n";

fn describe(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = runner();
    command.current_dir(folder).args(["world", "describe"]).args(arguments).output().unwrap()
}

fn described(folder: &Path, arguments: &[&str]) -> Value {
    let output = describe(folder, &[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_table_is_described_alike_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for (name, text) in [("t.csv", CSV), ("t.arff", ARFF)] {
        fs::write(here.join(name), text).unwrap();
        let world = described(here, &[name]);
        let counts = ["visitors", "dimensions", "features", "actions"];
        assert_eq!(counts.map(|of| world[of].as_u64().unwrap()), [6, 2, 3, 3], "{name}");
        let worth = &world["worth"];
        assert_eq!(worth["best"], 1.0);
        assert!((worth["random"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-12);
        // The soil tells `b` apart, and the size `a` from `c`.
        assert_eq!(worth["linear"], 1.0, "{name}");
        for action in worth["actions"].as_array().unwrap() {
            assert!((action["best_for"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-12);
        }
    }
    fs::write(here.join("t.libsvm"), "+1 1:1\n+1 1:.5 3:2\n-1 3:-1 # odd\n").unwrap();
    let world = described(here, &["t.libsvm"]);
    assert_eq!(world["dimensions"], 2);
    let first = &world["worth"]["actions"][0];
    assert_eq!((first["id"].as_str(), first["best_for"].as_f64()), (Some("1"), Some(2.0 / 3.0)));
    let text = String::from_utf8(describe(here, &["t.csv", "--label", "soil"]).stdout).unwrap();
    assert!(text.contains("t.csv, class `soil`: 6 visitors, 2 context dimensions"), "{text}");
    assert!(text.contains("always `clay`"), "{text}");
}

/// The worth of choices is that of a run: its regret and rewards are about the same numbers.
#[test]
fn a_scenario_is_described_as_it_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let world = described(root, &["scenarios/clicks.yaml"]);
    let out = folder.path().join("out");
    let mut command = runner();
    let policy = "loop.learning_policy=--cb_explore_adf --epsilon 1";
    command.args(["scenarios/clicks.yaml", "--quiet", "--set", "expect=[learn.errors == 0]"]);
    command.args(["--set", policy, "--set", "loop.exploration_percentage=1"]).arg("--out");
    assert!(command.arg(&out).output().unwrap().status.success());
    let phase = &json(&out, "summary.json")["phases"][0];
    let number = |value: &Value| value.as_f64().unwrap();
    let (reward, regret) = (number(&phase["mean_reward"]), number(&phase["regret"]) / 30_000.0);
    let worth = &world["worth"];
    assert!((number(&worth["random"]) - reward).abs() < 0.01, "{reward}: {worth}");
    assert!((number(&worth["best"]) - (reward + regret)).abs() < 0.01, "{worth}");
    assert!(number(&worth["linear"]) <= number(&worth["best"]));
    assert!(number(&worth["linear"]) >= number(&worth["actions"][0]["reward"]));
    // What an event offers decides what a choice is worth.
    let catalogue = described(root, &["scenarios/catalogue.yaml"]);
    assert!(catalogue.get("worth").is_none() && catalogue["actions"] == 5000);
}

/// A table plays, with all its columns, as they are in each format.
#[test]
fn a_table_in_every_format_is_the_same_world() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let rewards = [("t.csv", CSV), ("t.arff", ARFF)].map(|(name, text)| {
        fs::write(here.join(name), text).unwrap();
        let scenario = format!(
            "version: 1\nname: table\ndatasets:\n  classification: {{ file: {name}, label: kind }}\n\
             context: all\ntarget: embedded\nphases:\n  - iterate: {{ name: p, iterations: 200 }}\n"
        );
        fs::write(here.join("s.yaml"), scenario).unwrap();
        let mut command = runner();
        let out = here.join(format!("{name}.results"));
        command.current_dir(here).args(["s.yaml", "--quiet", "--out"]).arg(&out);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read(out.join("events.csv")).unwrap()
    });
    assert!(rewards[0] == rewards[1]);
}

/// Odd tables work, or say in one message what is wrong with them.
#[test]
fn odd_tables_work_or_are_refused_in_one_message() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let wide = |rows: usize| {
        let header: Vec<String> = (0..10_000).map(|column| format!("c{column}")).collect();
        let row = vec!["1"; 10_000].join(",");
        let rows = (0..rows).map(|row_number| format!("{row},{}", ["a", "b"][row_number % 2]));
        format!("{},kind\n{}\n", header.join(","), rows.collect::<Vec<_>>().join("\n"))
    };
    let wide = wide(4);
    let cases: [(&str, &str, Result<u64, &str>); 14] = [
        ("one row", "x,kind\n1,a\n", Ok(1)),
        ("one class", "x,kind\n1,a\n2,a\n", Ok(1)),
        ("crlf", "x,kind\r\n1,a\r\n2,b\r\n", Ok(2)),
        ("bom", "\u{feff}x,kind\n1,a\n2,b\n", Ok(2)),
        ("unicode", "größe,kind\n1,日本\n2,ß\n", Ok(2)),
        ("quotes", "x,kind\n\"1,5\",\"a \"\"b\"\"\"\n2,\"c\nd\"\n", Ok(2)),
        ("no last line end", "x,kind\n1,a\n2,b", Ok(2)),
        ("empty lines", "x,kind\n\n1,a\n\n2,b\n", Ok(2)),
        ("10,000 columns", &wide, Ok(2)),
        ("empty text cells", "x,kind\n,a\nred,b\n", Ok(2)),
        ("empty class", "x,kind\n1,\n2,b\n", Err("t.csv:2:3")),
        ("duplicated columns", "x,x,kind\n1,1,a\n", Err("two columns are called `x`")),
        ("too short", "x,kind\n1,a\n2\n", Err("the row has 1 fields, the header has 2")),
        ("nothing", "", Err("the file is empty")),
    ];
    for (name, text, expected) in cases {
        fs::write(here.join("t.csv"), text).unwrap();
        let output = describe(here, &["t.csv", "--json"]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        match expected {
            Ok(actions) => {
                assert!(output.status.success(), "{name}: {stderr}");
                let world: Value = serde_json::from_slice(&output.stdout).unwrap();
                assert_eq!(world["actions"], actions, "{name}");
            }
            Err(message) => {
                assert_eq!(output.status.code(), Some(2), "{name}: {stderr}");
                assert_eq!(stderr.matches("error: ").count(), 1, "{name}: {stderr}");
                assert!(stderr.contains(message), "{name}: {stderr}");
            }
        }
    }
}
