//! An experiment in shards comes to the bytes of the whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::{assert_same, completed, contents, experiment, json, runner};

/// Gates are judged after the merge; five seeds are one too few for seven shards.
const GATED: [&str; 4] = [
    "--set",
    "matrix.seeds=1..5",
    "--set",
    "gates=[{ metric: validation.success_rate, policies: cubic, require: better, margin: 0.9 }]",
];

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn gated(folder: [&str; 2], arguments: &[&str]) -> Output {
    experiment(folder, &[&GATED, arguments].concat()).output().unwrap()
}

/// The folders of all shards of so many.
fn shards(root: &Path, count: usize) -> Vec<PathBuf> {
    let folders = (1..=count).map(|number| {
        let folder = root.join(format!("{number}-of-{count}"));
        let shard = format!("{number}/{count}");
        let output = gated(["--out", &text(&folder)], &["--shard", &shard]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        folder
    });
    folders.collect()
}

fn merge(folders: &[&PathBuf], out: &Path, arguments: &[&str]) -> Output {
    let mut command = runner();
    command.arg("merge").args(folders).arg("--out").arg(out).args(arguments);
    command.output().unwrap()
}

/// How it ended, and what it said.
fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn merged_bytes_are_those_of_the_whole_however_it_was_cut() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let whole = root.join("whole");
    let judged = gated(["--out", &text(&whole)], &[]);
    assert_eq!(judged.status.code(), Some(3), "the gate fails");
    let expected = contents(&whole);
    for count in [1, 2, 3, 7] {
        let folders = shards(root, count);
        let forwards: Vec<_> = folders.iter().collect();
        let twice_backwards: Vec<_> = folders.iter().rev().chain(&folders).collect();
        for (name, folders) in [("forwards", forwards), ("backwards", twice_backwards)] {
            let out = root.join(format!("{name}-{count}"));
            let merged = merge(&folders, &out, &[]);
            assert_eq!(merged.status.code(), Some(3), "{:?}", said(&merged));
            assert_same(&contents(&out), &expected);
            let lines = |output: &Output| {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                let lines = text.lines().filter(|line| !line.starts_with("results in"));
                lines.map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(lines(&merged), lines(&judged));
        }
    }
}

#[test]
fn merges_nest_and_may_be_made_again() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let whole = root.join("whole");
    gated(["--out", &text(&whole)], &[]);
    let folders = shards(root, 3);
    let (left, right, out) = (root.join("left"), root.join("right"), root.join("out"));
    let (code, stderr) = said(&merge(&[&folders[2], &folders[0]], &left, &["--partial"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("8 of 20 cells are missing"), "{stderr}");
    assert_eq!(json(&left.join("experiment.json"))["complete"], false);
    merge(&[&folders[1], &folders[0]], &right, &["--partial"]);
    for _ in 0..2 {
        merge(&[&left, &right], &out, &[]);
        assert_same(&contents(&out), &contents(&whole));
    }
    merge(&[&folders[1]], &left, &[]);
    assert_same(&contents(&left), &contents(&whole));
}

#[test]
fn a_shard_that_is_missing_is_named_with_what_to_run() {
    let root = tempfile::tempdir().unwrap();
    let folders = shards(root.path(), 3);
    let out = root.path().join("out");
    let (code, stderr) = said(&merge(&[&folders[0], &folders[2]], &out, &[]));
    assert_eq!(code, Some(5), "{stderr}");
    assert!(stderr.contains("8 of 20 cells are missing"), "{stderr}");
    assert!(stderr.contains("shard 2/3: `cubic, seed 2`"), "{stderr}");
    assert!(stderr.contains("shard 2/3: `default, seed 5`"), "{stderr}");
    assert!(stderr.contains("run the scenario with `--shard 2/3`, and merge again"), "{stderr}");
    assert!(!out.exists(), "nothing is written");
}

/// Two copies of a cell of which one was altered.
#[test]
fn two_shards_that_differ_are_an_error_that_names_the_iteration() {
    let root = tempfile::tempdir().unwrap();
    let folders = shards(root.path(), 2);
    let other = root.path().join("other");
    gated(["--out", &text(&other)], &["--shard", "1/2"]);
    let cells = fs::read_dir(other.join("cells")).unwrap();
    let mut cells: Vec<_> = cells.map(|entry| entry.unwrap().path()).collect();
    cells.sort();
    let original = fs::read(&cells[0]).unwrap();
    let differs = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut cell: serde_json::Value = serde_json::from_slice(&original).unwrap();
        change(&mut cell);
        fs::write(&cells[0], cell.to_string()).unwrap();
        let output = merge(&[&folders[0], &folders[1], &other], &root.path().join("out"), &[]);
        let (code, stderr) = said(&output);
        assert_eq!(code, Some(5), "{stderr}");
        assert!(stderr.contains("differ in the cell `"), "{stderr}");
        stderr
    };
    let chosen = differs(&|cell| {
        let actions = cell["trace"]["actions"].as_array_mut().unwrap();
        actions.swap(0, 1);
    });
    assert!(chosen.contains("at iteration 0 of `baseline` ("), "{chosen}");
    let other: serde_json::Value = serde_json::from_slice(&fs::read(&cells[1]).unwrap()).unwrap();
    let outcome = differs(&|cell| {
        let at = |cell: &serde_json::Value| {
            let phases = cell["phases"].as_array().unwrap().iter();
            phases.map(|phase| phase["name"].clone()).position(|name| name == "validation").unwrap()
        };
        let (mine, other) = (at(cell), &other["phases"][at(&other)]);
        for part in ["flags", "rewards"] {
            cell["phases"][mine][part] = other[part].clone();
        }
    });
    assert!(outcome.contains(" of `validation`: in the result"), "{outcome}");
    let sums = differs(&|cell| cell["notices"] = serde_json::json!(["altered"]));
    assert!(sums.contains("in no iteration, only in the sums"), "{sums}");
}

#[test]
fn shards_of_another_plan_are_refused_with_the_difference() {
    let root = tempfile::tempdir().unwrap();
    let folders = shards(root.path(), 2);
    let other = root.path().join("other");
    let changed = ["--shard", "2/2", "--set", "phases.baseline.iterations=401"];
    gated(["--out", &text(&other)], &changed);
    let (code, stderr) = said(&merge(&[&folders[0], &other], &root.path().join("out"), &[]));
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("have different plans"), "{stderr}");
    assert!(stderr.contains("phase `baseline` of `cubic`"), "{stderr}");
    let again = gated(["--out", &text(&folders[1])], &changed);
    let (code, stderr) = said(&again);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("holds shard 2/2 of `policies` as it was planned then"), "{stderr}");
}

#[test]
fn a_shard_that_is_run_again_keeps_what_it_did() {
    let root = tempfile::tempdir().unwrap();
    let folder = &shards(root.path(), 2)[1];
    let before = contents(folder);
    let again = gated(["--out", &text(folder)], &["--shard", "2/2"]);
    let (code, stderr) = said(&again);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("8 done before"), "{stderr}");
    assert_same(&contents(folder), &before);
    let cell = fs::read_dir(folder.join("cells")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(cell).unwrap();
    let resumed = gated(["--resume", &text(folder)], &["--shard", "2/2"]);
    assert!(said(&resumed).1.contains("7 done before"), "{:?}", said(&resumed));
    assert_same(&contents(folder), &before);
}

#[test]
fn a_shard_goes_to_its_own_folder_and_says_what_it_did() {
    let root = tempfile::tempdir().unwrap();
    let mut command = experiment(["--threads", "1"], &GATED);
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["data", "scenarios"] {
        fs::create_dir(root.path().join(folder)).unwrap();
        for file in fs::read_dir(project.join(folder)).unwrap().map(Result::unwrap) {
            if file.path().is_file() {
                fs::copy(file.path(), root.path().join(folder).join(file.file_name())).unwrap();
            }
        }
    }
    command.current_dir(root.path()).args(["--shard", "auto"]);
    command.env("CI_NODE_INDEX", "2").env("CI_NODE_TOTAL", "3");
    let output = completed(command);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout, "shard 2/3: 8 cells, results in results/policies/shard-2-of-3\n");
    let folder = root.path().join("results/policies/shard-2-of-3");
    assert_eq!(json(&folder.join("experiment.json"))["shard"], "2/3");
    assert!(!folder.join("comparison.json").exists(), "nothing is compared before the merge");
}

#[test]
fn a_plan_lists_the_cells_and_holds_shards_to_it() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("plan.json");
    let mut command = runner();
    command.args(["plan", "scenarios/policies.yaml"]).args(super::SMALL).args(GATED);
    command.args(["--shards", "3", "-o"]).arg(&file);
    completed(command);
    let plan = json(&file);
    let cells = plan["cells"].as_array().unwrap();
    assert_eq!((cells.len(), plan["digest"].as_str().unwrap().len()), (20, 64));
    for cell in cells {
        let block = cell["block"].as_u64().unwrap();
        assert_eq!(block + 1, cell["seed"].as_u64().unwrap());
        assert_eq!(cell["shard"], format!("{}/3", block % 3 + 1));
    }
    let run = |out: &str, arguments: &[&str]| {
        let (out, file) = (text(&root.path().join(out)), text(&file));
        said(&gated(["--out", &out], &[&["--plan", &file], arguments].concat()))
    };
    assert_eq!(run("one", &["--shard", "1/3"]).0, Some(0));
    let (code, stderr) = run("two", &["--shard", "1/4"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("the plan cuts the work into 3 shards, not 4"), "{stderr}");
    let changed = ["--shard", "1/3", "--set", "loop.exploration_percentage=0.3"];
    let (code, stderr) = run("three", &changed);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("the scenario is not that of the plan"), "{stderr}");
    assert!(stderr.contains("the target of `cubic` differs"), "{stderr}");
    let (code, stderr) = run("four", &["--shard", "1/3", "--set", "matrix.seeds=1..6"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("the cell of seed 6 of `default` is not in the plan"), "{stderr}");
}

#[test]
fn one_world_cannot_be_cut() {
    for arguments in [&["plan", "--shards", "2"][..], &["run", "--shard", "1/2"]] {
        let mut command = runner();
        let output = command.args(arguments).arg("scenarios/baseline.yaml").output().unwrap();
        let (code, stderr) = said(&output);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains("a single simulation, which cannot be cut"), "{stderr}");
    }
}
