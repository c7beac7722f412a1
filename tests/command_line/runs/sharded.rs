//! A load from several processes on one service, merged.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};

use super::folder::{json, rows};
use super::outputs::KINDS;
use super::runner;
use super::served::Service;

/// A load of two phases, which expects more than there will be.
const IN_TURN: &str =
    "  - iterate: { name: first, arrival: open, rate: 400/s, iterations: 203, poisson: true }
  - wait: 20ms
  - iterate: { name: second, arrival: open, rate: 400/s, iterations: 101 }";

/// The same, of phases beside each other.
const BESIDE: &str = "  - parallel:
    - iterate: { name: first, arrival: open, rate: 400/s, iterations: 203, poisson: true }
    - iterate: { name: second, arrival: open, rate: 300/s, iterations: 101 }";

fn scenario(root: &Path, url: &str) -> PathBuf {
    scenario_of(root, url, IN_TURN)
}

fn scenario_of(root: &Path, url: &str, phases: &str) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let text = format!(
        "version: 1
name: sharded
seed: 7
datasets:
  users: {data}/users.json
  actions: {data}/coffee.json
context: [name, weather, timeofday]
target: {{ url: \"{url}\" }}
phases:
{phases}
expect:
  - first.errors == 0
  - second.iterations == 100
",
        data = data.display()
    );
    let path = root.join("sharded.yaml");
    fs::write(&path, text).unwrap();
    path
}

fn run(scenario: &Path, out: &Path, arguments: &[&str]) -> Child {
    let mut command = runner();
    command.arg("run").arg(scenario).args(["--allow-paths", "--quiet", "--out"]).arg(out);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    said(&output)
}

fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// All four shards at once.
fn four(scenario: &Path, root: &Path, arguments: &[&str]) -> Vec<PathBuf> {
    let shard = |number: usize| {
        let out = root.join(format!("{number}-of-4"));
        let shard = format!("{number}/4");
        (run(scenario, &out, &[&["--shard", &shard], arguments].concat()), out)
    };
    let shards: Vec<_> = (1..=4).map(shard).collect();
    let folder = |(child, out): (Child, PathBuf)| {
        let (code, stderr) = ended(child);
        assert_eq!(code, Some(0), "a shard is not judged: {stderr}");
        out
    };
    shards.into_iter().map(folder).collect()
}

fn merge(folders: &[&PathBuf], out: &Path, arguments: &[&str]) -> Output {
    let mut command = runner();
    command.arg("merge").args(folders).arg("--out").arg(out).args(arguments);
    command.output().unwrap()
}

/// Every file of a folder, by its name.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let file = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    entries.map(file).collect()
}

fn assert_same(left: &Path, right: &Path) {
    let (left, right) = (contents(left), contents(right));
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    let different: Vec<_> = left.keys().filter(|name| left[*name] != right[*name]).collect();
    assert!(different.is_empty(), "{different:?}");
}

/// Shards merge alike in whichever form they keep their iterations, and the whole has that form.
#[test]
fn shards_of_every_form_are_merged() {
    let root = tempfile::tempdir().unwrap();
    let mut first: Option<String> = None;
    for (kind, file) in KINDS {
        let service = Service::start(&[]);
        let scenario = scenario(root.path(), &service.url);
        let outputs = format!("outputs.events={kind}");
        let of_kind = root.path().join(kind);
        fs::create_dir(&of_kind).unwrap();
        let folders = four(&scenario, &of_kind, &["--set", &outputs]);
        let whole = of_kind.join("whole");
        let (code, stderr) = said(&merge(&folders.iter().collect::<Vec<_>>(), &whole, &[]));
        assert_eq!(code, Some(3), "the second phase has one iteration too many: {stderr}");
        assert!(whole.join(file).exists(), "{file}");
        let mut export = runner();
        let exported = export.arg("export").arg(&whole).args(["--out", "-"]).output().unwrap();
        let table = String::from_utf8(exported.stdout).unwrap();
        let counted: Vec<&str> = table
            .lines()
            .filter(|line| line.contains(",phase,") && line.contains(",iterations,"))
            .collect();
        assert_eq!(counted.len(), 2, "{table}");
        assert!(counted[0].ends_with(",203") && counted[1].ends_with(",101"), "{counted:?}");
        let counted = counted.join("\n");
        assert_eq!(*first.get_or_insert_with(|| counted.clone()), counted, "{kind}");
    }
}

/// How many calls each bucket holds.
fn histogram<'a>(folders: impl IntoIterator<Item = &'a PathBuf>) -> BTreeMap<Vec<String>, u64> {
    let mut buckets = BTreeMap::new();
    for row in folders.into_iter().flat_map(|folder| rows(folder, "latency_histogram.csv")) {
        let bucket = ["phase", "operation", "from_us", "to_us"].map(|column| row[column].clone());
        *buckets.entry(bucket.to_vec()).or_default() += row["count"].parse::<u64>().unwrap();
    }
    buckets
}

/// What is sent does not depend on how the load was cut.
fn sent(folder: &Path) -> Vec<Vec<String>> {
    let columns =
        ["phase", "iteration", "event_id", "name", "weather", "timeofday", "preferred", "outcome"];
    let row = |row: BTreeMap<String, String>| columns.map(|column| row[column].clone()).to_vec();
    rows(folder, "events.csv").into_iter().map(row).collect()
}

/// Rows of parallel phases alternate as they ended.
fn by_phase(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.sort_by(|left, right| left[0].cmp(&right[0]));
    rows
}

#[test]
fn the_merge_is_the_sum_of_its_parts_and_the_load_of_the_whole() {
    merges_to_the_whole(IN_TURN);
}

#[test]
fn parallel_phases_merge_to_the_load_of_the_whole() {
    merges_to_the_whole(BESIDE);
}

fn merges_to_the_whole(phases: &str) {
    let (service, root) = (Service::start(&[]), tempfile::tempdir().unwrap());
    let root = root.path();
    let scenario = scenario_of(root, &service.url, phases);
    let (code, stderr) = ended(run(&scenario, &root.join("whole"), &[]));
    assert_eq!(code, Some(3), "{stderr}");
    let plan = root.join("plan.json").display().to_string();
    let mut command = runner();
    // A start that has passed is one that all shards agree on as well.
    command.arg("plan").arg(&scenario).args(["--allow-paths", "--shards", "4", "-o", &plan]);
    let start = "2020-01-01T00:00:00Z";
    assert!(command.args(["--start-at", start]).status().unwrap().success());
    let folders = four(&scenario, root, &["--plan", &plan]);
    let all: Vec<_> = folders.iter().collect();

    let out = root.join("merged");
    let merged = merge(&all, &out, &[]);
    assert_eq!(said(&merged).0, Some(3), "{:?}", said(&merged));
    let stdout = String::from_utf8(merged.stdout).unwrap();
    assert!(stdout.contains("✓  first.errors == 0"), "{stdout}");
    assert!(stdout.contains("✗  second.iterations == 100"), "{stdout}");
    assert_eq!(by_phase(sent(&out)), by_phase(sent(&root.join("whole"))));
    assert_eq!(histogram([&out]), histogram(&folders));
    let manifest = json(&out, "manifest.json");
    assert_eq!((&manifest["complete"], &manifest["start"]), (&true.into(), &start.into()));
    assert_eq!(manifest["shards"].as_array().unwrap().len(), 4);
    let calls: u64 =
        rows(&out, "timeline.csv").iter().map(|row| row["calls"].parse::<u64>().unwrap()).sum();
    assert_eq!(calls, 2 * 304);
    let compared = runner().arg("compare").arg(&out).arg(root.join("whole")).output().unwrap();
    assert!(compared.status.success(), "{:?}", said(&compared));

    let again = root.join("again");
    let reversed: Vec<_> = folders.iter().rev().chain([&folders[1]]).collect();
    merge(&reversed, &again, &[]);
    assert_same(&again, &out);
    let (left, nested) = (root.join("left"), root.join("nested"));
    let partial = merge(&[&folders[3], &folders[0]], &left, &["--partial"]);
    assert_eq!(said(&partial).0, Some(0), "{:?}", said(&partial));
    merge(&[&folders[2], &left, &folders[1]], &nested, &[]);
    assert_same(&nested, &out);
    merge(&[&folders[2], &folders[1]], &left, &[]);
    assert_same(&left, &out);
}

#[test]
fn what_is_missing_cut_short_or_altered_is_told() {
    let (service, root) = (Service::start(&[]), tempfile::tempdir().unwrap());
    let root = root.path();
    let scenario = scenario(root, &service.url);
    let folders = four(&scenario, root, &[]);
    let out = root.join("merged");
    let (code, stderr) = said(&merge(&[&folders[0], &folders[1], &folders[3]], &out, &[]));
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains("1 of 4 shards are missing\n  shard 3/4"), "{stderr}");
    assert!(stderr.contains("run the scenario with `--shard 3/4`"), "{stderr}");
    assert!(!out.exists());

    // The same shard as it was made again: another time, other latencies.
    let other = root.join("other");
    ended(run(&scenario, &other, &["--shard", "3/4"]));
    let all: Vec<_> = folders.iter().chain([&other]).collect();
    let (code, stderr) = said(&merge(&all, &out, &[]));
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains("differ in shard 3/4 at iteration 2 of `first`"), "{stderr}");

    // Run again into its folder, a shard that is done is left as it is.
    let before = contents(&folders[2]);
    let (code, stderr) = ended(run(&scenario, &folders[2], &["--shard", "3/4"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("shard 3/4 is done"), "{stderr}");
    assert_eq!(contents(&folders[2]), before);
    let (code, stderr) = ended(run(&scenario, &folders[2], &["--shard", "2/4"]));
    assert_eq!(code, Some(2), "{stderr}");

    // A shard that ended early is missing, whatever it has.
    let manifest = folders[1].join("manifest.json");
    let complete = fs::read_to_string(&manifest).unwrap();
    let running = complete
        .replace("\"complete\",\n  \"complete\": true", "\"running\",\n  \"complete\": false");
    assert_ne!(running, complete);
    fs::write(&manifest, running).unwrap();
    let events = folders[1].join("events.csv");
    let text = fs::read_to_string(&events).unwrap();
    let rows: Vec<&str> = text.lines().take(31).collect();
    fs::write(&events, rows.join("\n") + "\n").unwrap();
    let (code, stderr) = said(&merge(&folders.iter().collect::<Vec<_>>(), &out, &[]));
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains("shard 2/4 ended after 30 iterations"), "{stderr}");
    let (code, stderr) = ended(run(&scenario, &folders[1], &["--shard", "2/4"]));
    assert_eq!(code, Some(0), "it goes on where it ended: {stderr}");
    assert_eq!(said(&merge(&folders.iter().collect::<Vec<_>>(), &out, &[])).0, Some(3));

    // One start of one shard was late: in the whole that is one in four hundred.
    let events = folders[0].join("events.csv");
    let text = fs::read_to_string(&events).unwrap();
    let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
    let last = rows.pop().unwrap();
    let mut cells: Vec<String> = last.split(',').map(str::to_owned).collect();
    let start = rows[0].split(',').position(|column| column == "rank_start_us").unwrap();
    cells[start] = (cells[start].parse::<u64>().unwrap() + 1_500_000).to_string();
    rows.push(cells.join(","));
    fs::write(&events, rows.join("\n") + "\n").unwrap();
    let saturated = root.join("saturated");
    merge(&folders.iter().collect::<Vec<_>>(), &saturated, &[]);
    let summary = json(&saturated, "summary.json");
    let said = summary["phases"][2]["saturation"].as_str().unwrap();
    assert!(said.starts_with("shard 1/4: generator saturated: "), "{said}");
}

/// A shard of parallel phases that was cut short is a part of the one that went on.
#[test]
fn a_copy_that_ended_in_parallel_phases_is_a_part_of_the_whole_shard() {
    let (service, root) = (Service::start(&[]), tempfile::tempdir().unwrap());
    let root = root.path();
    let scenario = scenario_of(root, &service.url, BESIDE);
    let folders = four(&scenario, root, &[]);
    let copy = root.join("copy");
    let cut = |rows: usize| {
        fs::create_dir(&copy).unwrap();
        for (name, bytes) in contents(&folders[1]) {
            fs::write(copy.join(name), bytes).unwrap();
        }
        let manifest = fs::read_to_string(folders[1].join("manifest.json")).unwrap();
        let mut manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        (manifest["status"], manifest["complete"]) = ("running".into(), false.into());
        fs::write(copy.join("manifest.json"), manifest.to_string()).unwrap();
        let events = fs::read_to_string(folders[1].join("events.csv")).unwrap();
        let kept: Vec<&str> = events.lines().take(1 + rows).collect();
        fs::write(copy.join("events.csv"), kept.join("\n") + "\n").unwrap();
    };
    let (out, again) = (root.join("merged"), root.join("again"));
    merge(&folders.iter().collect::<Vec<_>>(), &out, &[]);
    for rows in [7, 40, 75] {
        cut(rows);
        for order in [[&copy, &folders[1]], [&folders[1], &copy]] {
            let all = [&folders[0], order[0], &folders[2], order[1], &folders[3]];
            let (code, stderr) = said(&merge(&all, &again, &[]));
            assert_eq!(code, Some(3), "{rows}: {stderr}");
            assert_same(&again, &out);
        }
        // Alone it goes on with each phase, and is then a whole shard.
        let resumed = root.join(format!("resumed-{rows}"));
        fs::rename(&copy, &resumed).unwrap();
        let (code, stderr) = ended(run(&scenario, &resumed, &["--shard", "2/4"]));
        assert_eq!(code, Some(0), "{rows}: {stderr}");
        let all = [&folders[0], &resumed, &folders[2], &folders[3]];
        // What it makes anew has other times, so it is merged by itself.
        let by_itself = root.join(format!("merged-{rows}"));
        let (code, stderr) = said(&merge(&all, &by_itself, &[]));
        assert_eq!(code, Some(3), "{rows}: {stderr}");
        assert_eq!(sent(&by_itself), sent(&out), "{rows}");
    }
}

#[test]
fn a_plan_lists_the_strides_and_holds_shards_to_them() {
    let root = tempfile::tempdir().unwrap();
    let scenario = scenario(root.path(), "http://127.0.0.1:9");
    let file = root.path().join("plan.json");
    let mut command = runner();
    command.arg("plan").arg(&scenario).args(["--allow-paths", "--shards", "4", "--out"]).arg(&file);
    assert!(command.status().unwrap().success());
    let plan = json(root.path(), "plan.json");
    assert_eq!(plan["kind"], "load");
    let first = &plan["phases"][0];
    assert_eq!(first["iterations"], 203);
    assert!(first["due"].as_str().unwrap().contains("the sum of the first i+1"), "{first}");
    let shares: Vec<_> = first["strides"].as_array().unwrap().iter().collect();
    let of = |key: &str| shares.iter().map(|share| share[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("iterations"), [51, 51, 51, 50]);
    assert_eq!(of("first"), [0, 1, 2, 3]);
    assert_eq!(of("rates"), vec![serde_json::json!([100.0]); 4]);
    let changed = ["--shard", "1/4", "--set", "phases.second.rate=200/s", "--plan"];
    let file = file.display().to_string();
    let (code, stderr) =
        ended(run(&scenario, &root.path().join("out"), &[&changed[..], &[&file]].concat()));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("phase `second` differs"), "{stderr}");
}

#[test]
fn a_run_that_was_not_cut_is_no_shard() {
    let root = tempfile::tempdir().unwrap();
    let run = root.path().join("run");
    super::completed(&run, "scenarios/news.yaml", &["--quiet"]);
    let (code, stderr) = said(&merge(&[&run], &root.path().join("out"), &[]));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("is not a shard: it holds a whole run"), "{stderr}");
}
