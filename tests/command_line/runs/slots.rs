//! `slots`: worlds in which each event has several actions.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::folder::{contents, json, rows};
use super::served::Service;
use super::{completed, killed_and_resumed, run_into, runner};

const SCENARIO: &str = "scenarios/slots.yaml";

/// A shorter run that expects nothing.
const SHORT: [&str; 5] =
    ["--quiet", "--set", "phases.learn.iterations=1500", "--set", "expect=[learn.errors == 0]"];

type Row = BTreeMap<String, String>;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/shop").join(name)
}

/// What each offer is expected to earn, by the visitor: the click rate times the price.
fn worlds() -> BTreeMap<(String, String), BTreeMap<String, f64>> {
    let offers: Value = serde_json::from_slice(&fs::read(data("offers.json")).unwrap()).unwrap();
    let price = |id: &str| {
        let offer = offers.as_array().unwrap().iter().find(|offer| offer["id"] == id).unwrap();
        offer["features"][0]["price"].as_f64().unwrap()
    };
    let mut visitors = csv::Reader::from_path(data("visitors.csv")).unwrap();
    let visitors = visitors.deserialize::<Row>().map(Result::unwrap);
    let of_visitor = |row: Row| {
        let offers = row.iter().filter_map(|(column, clicks)| {
            let id = column.strip_prefix("rewards.")?;
            Some((id.to_owned(), 0.01 * clicks.parse::<f64>().unwrap() * price(id)))
        });
        ((row["segment"].clone(), row["device"].clone()), offers.collect())
    };
    visitors.map(of_visitor).collect()
}

#[test]
fn slots_are_judged_by_what_was_left_and_iterations_by_the_best_assignment() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    completed(&out, SCENARIO, &SHORT);
    let (worlds, rows) = (worlds(), rows(&out, "events.csv"));
    assert_eq!(rows.len(), 1500);
    let (mut regret, mut successes) = (0.0, 0);
    for row in &rows {
        let world = &worlds[&(row["segment"].clone(), row["device"].clone())];
        let mut left = world.clone();
        let mut earned = Vec::new();
        for number in 1..=3 {
            let cell = |column: &str| &row[&format!("slot_{number}_{column}")];
            let best = left.values().copied().fold(f64::MIN, f64::max);
            let chosen = left.remove(cell("chosen")).expect("no action comes twice");
            let told: f64 = cell("regret").parse().unwrap();
            assert!((told - (best - chosen)).abs() < 1e-12, "{row:?}");
            assert_eq!(cell("chosen") == cell("preferred"), best <= chosen, "{row:?}");
            let reward: f64 = cell("reward").parse().unwrap();
            assert!(reward == 0.0 || reward > chosen, "a click earns the price: {row:?}");
            earned.push(chosen);
        }
        let mut all: Vec<f64> = world.values().copied().collect();
        all.sort_by(|one, other| other.total_cmp(one));
        let expected = all[..3].iter().sum::<f64>() - earned.iter().sum::<f64>();
        let told: f64 = row["regret"].parse().unwrap();
        assert!((told - expected).abs() < 1e-12, "{expected}: {row:?}");
        assert_eq!(row["chosen"] == row["preferred"], expected.abs() < 1e-12, "{row:?}");
        let rewards = (1..=3).map(|number| row[&format!("slot_{number}_reward")].parse::<f64>());
        let sum: f64 = rewards.map(Result::unwrap).sum();
        assert_eq!(row["reward"].parse::<f64>().unwrap(), sum);
        regret += told;
        successes += u64::from(row["chosen"] == row["preferred"]);
    }
    let phase = &json(&out, "summary.json")["phases"][0];
    assert!((phase["regret"].as_f64().unwrap() - regret).abs() < 1e-9);
    assert_eq!(phase["successes"], successes);
    let slots = phase["slots"].as_array().unwrap();
    assert_eq!(slots.len(), 3);
    let sum: f64 = slots.iter().map(|slot| slot["regret"].as_f64().unwrap()).sum();
    assert!(sum >= regret, "{sum} {regret}: another order of the same actions loses nothing");
}

#[test]
fn a_killed_run_with_slots_ends_byte_for_byte_as_one_that_was_not() {
    let root = tempfile::tempdir().unwrap();
    let (whole, killed) = (root.path().join("whole"), root.path().join("killed"));
    completed(&whole, SCENARIO, &SHORT);
    killed_and_resumed(&killed, SCENARIO, &SHORT);
    assert_eq!(contents(&killed), contents(&whole));
}

#[test]
fn a_matrix_with_slots_is_merged_to_the_bytes_of_one_process() {
    const SHORT: [&str; 7] = [
        "--quiet",
        "--set",
        "phases.learn.iterations=300",
        "--set",
        "matrix={ seeds: 1..3, policies: { wide: '--ccb_explore_adf --epsilon 0.4', \
         narrow: '--ccb_explore_adf --epsilon 0.1' } }",
        "--set",
        "expect=[learn.slot_3.success_rate >= 0]",
    ];
    let root = tempfile::tempdir().unwrap();
    let run = |name: &str, more: &[&str]| {
        let out = root.path().join(name);
        completed(&out, SCENARIO, &[&SHORT, more].concat());
        out
    };
    let whole = run("whole", &["--threads", "1"]);
    let shards = [1, 2, 3].map(|number| {
        run(&format!("{number}"), &["--shard", &format!("{number}/3"), "--threads", "2"])
    });
    let merged = root.path().join("merged");
    let mut command = runner();
    let output = command.arg("merge").args(&shards).arg("--out").arg(&merged).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(tree(&merged), tree(&whole));
}

/// Every file below a folder, by its path.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                let mut bytes = fs::read(&path).unwrap();
                if name == "experiment.json" {
                    let mut value: Value = serde_json::from_slice(&bytes).unwrap();
                    value.as_object_mut().unwrap().remove("wall_clock");
                    bytes = serde_json::to_vec(&value).unwrap();
                }
                files.insert(name, bytes);
            }
        }
    }
    files
}

#[test]
fn what_cannot_fill_slots_is_refused_by_name() {
    let refused = |set: &[&str]| {
        let mut command = runner();
        command.args(["check", SCENARIO]);
        set.iter().for_each(|set| _ = command.args(["--set", set]));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for policy in ["--cb_explore_adf --epsilon 0.2", "{ lin_ucb: { alpha: 1.0 } }"] {
        let said = refused(&[&format!("loop.learning_policy={policy}")]);
        assert!(said.contains("the learning policy fills no slots"), "{said}");
        assert!(said.contains("`--ccb_explore_adf`"), "{said}");
    }
    let said = refused(&["phases.learn.slots=7"]);
    assert!(said.contains("7 slots, and an event may offer 6 actions"), "{said}");
    let said = refused(&["expect=[learn.slot_4.regret < 1]"]);
    assert!(said.contains("phase `learn` has no slot 4"), "{said}");
    assert!(said.contains("its last is `learn.slot_3.success_rate`"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let mapped = "{ url: 'http://127.0.0.1:9', rank: { post: /x, take: { action: $.a } } }";
    let mut command = runner();
    command.arg("check").arg(of_service(folder.path(), mapped)).arg("--allow-paths");
    let said = String::from_utf8_lossy(&command.output().unwrap().stderr).into_owned();
    assert!(said.contains("`slots` needs the Personalizer contract"), "{said}");
}

/// The scenario for a service, which has its own loop.
fn of_service(folder: &Path, target: &str) -> PathBuf {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(SCENARIO)).unwrap();
    let (before, after) = text.split_once("target: embedded").unwrap();
    let (_, after) = after.split_once("success_curve:").unwrap();
    let text = format!("{before}target: {target}\nsuccess_curve:{after}");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").display().to_string();
    let path = folder.join("scenario.yaml");
    fs::write(&path, text.replace("../data", &data)).unwrap();
    path
}

/// Over HTTP as in the process: the same events are offered, and each slot is rewarded.
#[test]
fn slots_are_filled_by_services_too() {
    let root = tempfile::tempdir().unwrap();
    let few = |name: &str, scenario: &Path, more: &[&str]| {
        let out = root.path().join(name);
        let short = ["--set", "phases.learn.iterations=40", "--set", "phases.learn.rate=100000/s"];
        let scenario = scenario.to_str().unwrap();
        (run_into(&out, scenario, &[&SHORT[..], &short, &["--allow-paths"], more].concat()), out)
    };
    let sent = |out: &Path| -> BTreeSet<(String, String)> {
        rows(out, "events.csv")
            .into_iter()
            .map(|mut row| {
                assert_ne!(row["slot_3_reward"], "");
                (row.remove("event_id").unwrap(), row.remove("segment").unwrap())
            })
            .collect()
    };
    let service = Service::start(&["--multi-slot"]);
    let at = |service: &Service| format!("{{ url: '{}' }}", service.url);
    let remote = of_service(root.path(), &at(&service));
    let shipped = Path::new(SCENARIO);
    let of_loop = ["--set", "target=served"];
    let runs =
        [("embedded", shipped, &[][..]), ("served", shipped, &of_loop), ("http", &remote, &[])];
    let outs = runs.map(|(name, scenario, more)| {
        let (output, out) = few(name, scenario, more);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {stderr}");
        sent(&out)
    });
    assert_eq!(outs[0].len(), 40);
    assert!(outs.iter().all(|sent| *sent == outs[0]));
    let single = Service::start(&[]);
    let (output, _) = few("single", &of_service(root.path(), &at(&single)), &[]);
    assert_eq!(output.status.code(), Some(6));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("the learning policy has no slots: start the service with"),
        "{stderr}"
    );
}
