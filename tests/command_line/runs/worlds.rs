//! The worlds that ship tell the stories that they promise.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::folder::json;
use super::{completed, run_into};

/// Every shipped scenario of one virtual world.
fn worlds() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = names.map(|name| name.into_string().unwrap());
    let is_world = |name: &String| {
        let path = Path::new(name);
        let over_the_wire =
            ["load.yaml", "own-service.yaml", "remote.yaml"].contains(&name.as_str());
        let is_matrix =
            ["banditdb.yaml", "catalogue.yaml", "log.yaml", "policies.yaml", "programs.yaml"]
                .contains(&name.as_str());
        path.extension().is_some_and(|it| it == "yaml") && !over_the_wire && !is_matrix
    };
    names.filter(is_world).map(|name| format!("scenarios/{name}")).collect()
}

#[test]
fn every_story_holds_whatever_the_seed() {
    let folder = tempfile::tempdir().unwrap();
    let worlds = worlds();
    assert!(worlds.len() >= 8, "{worlds:?}");
    for world in &worlds {
        for seed in ["42", "7"] {
            let out = folder.path().join(format!("{}-{seed}", world.replace('/', "-")));
            let small = ["--set", "outputs={ events: none, log: none }"];
            let output =
                run_into(&out, world, &[&["--quiet", "--seed", seed], &small[..]].concat());
            let verdicts = json(&out, "summary.json")["expectations"].to_string();
            assert!(output.status.success(), "{world}, seed {seed}: {verdicts}");
        }
    }
}

/// Exports are marked where the log says that another model began to answer.
#[test]
fn exports_are_counted_and_marked_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let arguments = [
        "--quiet",
        "--set",
        "phases.baseline.iterations=3000",
        "--set",
        "expect=['baseline.errors == 0']",
    ];
    completed_into(&out, &arguments);
    let log = fs::read_to_string(out.join("log.dsjson")).unwrap();
    let models: BTreeMap<String, String> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|event| {
            [&event["EventId"], &event["VWState"]["m"]].map(|it| it.as_str().unwrap().to_owned())
        })
        .map(|[event, model]| (event, model))
        .collect();
    let table = |name: &str| -> Vec<csv::StringRecord> {
        csv::Reader::from_path(out.join(name)).unwrap().records().map(Result::unwrap).collect()
    };
    let events = table("events.csv");
    let of_baseline: Vec<&str> =
        events.iter().filter(|row| &row[0] == "baseline").map(|row| &*models[&row[2]]).collect();
    let changes = of_baseline.windows(2).zip(1..).filter(|(pair, _)| pair[0] != pair[1]);
    let changes: Vec<usize> = changes.map(|(_, iteration)| iteration).collect();
    let exports = table("model_exports.csv");
    let marks: Vec<usize> = exports
        .iter()
        .filter(|row| &row[0] == "baseline")
        .map(|row| row[1].parse().unwrap())
        .filter(|iteration| *iteration < of_baseline.len())
        .collect();
    assert!(changes.len() >= 5, "{changes:?}");
    assert_eq!(marks, changes);
    let counted: u64 = exports.iter().map(|row| row[3].parse::<u64>().unwrap()).sum();
    let summary = json(&out, "summary.json");
    let phases = summary["phases"].as_array().unwrap();
    let summed: u64 = phases.iter().map(|phase| phase["model_exports"].as_u64().unwrap()).sum();
    assert_eq!(summed, counted);
}

/// A rate that the concurrency cannot reach is said to be missed.
#[test]
fn a_rate_that_is_not_reached_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, rate: &str| {
        let out = folder.path().join(name);
        let rate = format!("phases.baseline.rate={rate}");
        let few = "phases.baseline.iterations=500";
        completed_into(
            &out,
            &["--quiet", "--set", few, "--set", &rate, "--set", "expect=['baseline.errors == 0']"],
        );
        let summary = json(&out, "summary.json");
        (summary["phases"][1].clone(), summary["notices"].to_string())
    };
    let (phase, notices) = run("reached", "20/s");
    assert_eq!(phase["asked_iterations_per_second"], 20.0);
    assert!((phase["iterations_per_second"].as_f64().unwrap() - 20.0).abs() < 0.1, "{phase}");
    assert!(!notices.contains("asked for"), "{notices}");
    let (phase, notices) = run("missed", "100000/s");
    assert!(phase["iterations_per_second"].as_f64().unwrap() < 5_000.0, "{phase}");
    assert!(notices.contains("of the 100000.0 asked for"), "{notices}");
}

fn completed_into(out: &Path, arguments: &[&str]) {
    let output = run_into(out, "scenarios/baseline.yaml", arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A row of `events.csv`.
struct Row {
    phase: String,
    success: bool,
    regret: f64,
    exploration: f64,
}

fn rows(out: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(out.join("events.csv")).unwrap();
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let (phase, chosen, preferred) = (column("phase"), column("chosen"), column("preferred"));
    let (regret, exploration) = (column("regret"), column("exploration_cost"));
    let row = |record: csv::StringRecord| Row {
        phase: record[phase].to_owned(),
        success: record[chosen] == record[preferred],
        regret: record[regret].parse().unwrap(),
        exploration: record[exploration].parse().unwrap(),
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

fn observed(summary: &Value, text: &str) -> f64 {
    let expectations = summary["expectations"].as_array().unwrap();
    let found = expectations.iter().find(|found| found["text"] == text).unwrap();
    found["observed"]["value"].as_f64().unwrap()
}

/// Metrics that need the truth are what anybody can work out of the events.
#[test]
fn regret_exploration_and_time_to_a_threshold_are_those_of_the_events() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let expectations = [
        "late.regret >= 0",
        "late.regret[last 10%] >= 0",
        "late.exploration_cost > 0",
        "late.iterations_to[50%] > 0",
    ];
    let expect = format!("expect={}", serde_json::to_string(&expectations).unwrap());
    completed(&out, "scenarios/noise.yaml", &["--quiet", "--set", &expect]);
    let summary = json(&out, "summary.json");
    let late: Vec<Row> = rows(&out).into_iter().filter(|row| row.phase == "late").collect();
    assert_eq!(late.len(), 8000);
    // Noise of 0.3 leaves 0.4 of the difference between right and wrong.
    for row in &late {
        let expected = if row.success { 0.0 } else { 0.4 };
        assert!((row.regret - expected).abs() < 1e-12, "{}", row.regret);
    }
    let sum = |rows: &[Row], of: fn(&Row) -> f64| rows.iter().map(of).sum::<f64>();
    assert_eq!(observed(&summary, expectations[0]), sum(&late, |row| row.regret));
    assert_eq!(observed(&summary, expectations[1]), sum(&late[7200..], |row| row.regret));
    assert_eq!(observed(&summary, expectations[2]), sum(&late, |row| row.exploration));
    let reached = (400..=late.len())
        .find(|end| late[end - 400..*end].iter().filter(|row| row.success).count() * 2 >= 400);
    #[expect(clippy::cast_precision_loss, reason = "there are a few thousand")]
    let reached = reached.unwrap() as f64;
    assert_eq!(observed(&summary, expectations[3]), reached);
}

/// The regret of clicks and prices is what a spreadsheet makes of the table of visitors.
#[test]
fn regret_of_clicks_is_that_of_their_table() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let few = "phases.learn.iterations=4000";
    let expect = "expect=['learn.errors == 0']";
    completed(&out, "scenarios/clicks.yaml", &["--quiet", "--set", few, "--set", expect]);
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/shop");
    let offers: Value =
        serde_json::from_str(&fs::read_to_string(data.join("offers.json")).unwrap()).unwrap();
    let price = |id: &str| {
        let offer = offers.as_array().unwrap().iter().find(|offer| offer["id"] == id).unwrap();
        offer["features"][0]["price"].as_f64().unwrap()
    };
    let mut visitors = csv::Reader::from_path(data.join("visitors.csv")).unwrap();
    let header = visitors.headers().unwrap().clone();
    let mut worth: BTreeMap<(String, String), BTreeMap<String, f64>> = BTreeMap::new();
    for row in visitors.records().map(Result::unwrap) {
        let columns = header.iter().zip(row.iter());
        let of_offer = columns.filter_map(|(name, value)| {
            let offer = name.strip_prefix("rewards.")?;
            Some((offer.to_owned(), 0.01 * value.parse::<f64>().unwrap() * price(offer)))
        });
        worth.insert((row[0].to_owned(), row[1].to_owned()), of_offer.collect());
    }
    let mut events = csv::Reader::from_path(out.join("events.csv")).unwrap();
    let header = events.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|column| column == name).unwrap();
    let [segment, device, chosen, preferred, regret, reward] =
        ["segment", "device", "chosen", "preferred", "regret", "reward"].map(column);
    let mut clicks = 0;
    for row in events.records().map(Result::unwrap) {
        let of_visitor = &worth[&(row[segment].to_owned(), row[device].to_owned())];
        let best = of_visitor.values().copied().fold(0.0, f64::max);
        let found: f64 = row[regret].parse().unwrap();
        assert!((best - of_visitor[&row[chosen]] - found).abs() < 1e-12, "{row:?}");
        assert!((of_visitor[&row[preferred]] - best).abs() < 1e-12, "{row:?}");
        let reward: f64 = row[reward].parse().unwrap();
        let is_click = reward != 0.0;
        assert!(!is_click || (reward - 0.01 * price(&row[chosen])).abs() < 1e-12, "{row:?}");
        clicks += u32::from(is_click);
    }
    assert!((500..3500).contains(&clicks), "{clicks}");
}

/// A large catalogue needs no file. What is learned of features holds for actions that arrive
/// later: its gate says so.
#[test]
fn a_catalogue_of_thousands_is_played_from_a_scenario_alone() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let output = run_into(&out, "scenarios/catalogue.yaml", &["--quiet"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let cells = fs::read_to_string(out.join("cells.csv")).unwrap();
    assert_eq!(cells.lines().count(), 11, "{cells}");
}

#[test]
fn what_is_never_reached_is_no_number() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let expect = "expect=['late.iterations_to[99%] < 8000']";
    let output = run_into(&out, "scenarios/noise.yaml", &["--set", expect]);
    assert_eq!(output.status.code(), Some(3));
    let verdict = &json(&out, "summary.json")["expectations"][0];
    assert_eq!(verdict["holds"], "no_samples");
    let reason = "`late.iterations_to[99%]` was not reached in 8000 iterations";
    assert_eq!(verdict["reason"], reason);
}

/// A drift changes the truth from its iteration on, and nothing else.
#[test]
fn a_drift_moves_nothing_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let events = |name: &str, change: &[&str]| {
        let out = folder.path().join(name);
        let mut arguments = vec!["--quiet", "--set", "expect=['season.errors == 0']"];
        arguments.extend(change);
        completed(&out, "scenarios/drift.yaml", &arguments);
        let text = fs::read_to_string(out.join("events.csv")).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let drifting = events("drifting", &[]);
    let steady = events("steady", &["--set", "phases.season.drift.rotate=4"]);
    let parting = drifting.iter().zip(&steady).position(|(left, right)| left != right);
    // The header, and 5,000 iterations. Four places on is where everybody began.
    assert_eq!(parting, Some(5001));
    let contexts = |lines: &[String]| {
        let context = |line: &String| line.split(',').skip(2).take(4).collect::<Vec<_>>().join(",");
        lines.iter().map(context).collect::<Vec<_>>()
    };
    assert_eq!(contexts(&drifting), contexts(&steady), "the same visitors turn up");
}
