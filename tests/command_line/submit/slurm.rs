//! The script for Slurm, run by Bash with a stand-in for `sbatch`; tests/slurm/run has the real one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{HOSTILE, bash, contents, printed, program, project, succeeded, whole};

/// Keeps what `sbatch` gets: its arguments, and the script.
const SBATCH: &str = r#"
number=$(find "$ASKED" -name 'script-*' | wc -l)
printf '%s\n' "$@" > "$ASKED/arguments-$number"
cat > "$ASKED/script-$number"
echo "$((100 + number));cluster"
"#;

/// A command of this name, and the path on which it is found.
fn stand_in(folder: &Path, name: &str, script: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, format!("#!/usr/bin/env bash\n{script}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// What the printed script asks `sbatch` for: arguments and script of each job.
fn asked(root: &Path, folder: &Path, text: &str) -> Vec<(Vec<String>, String)> {
    let asked = root.join("asked");
    fs::create_dir(&asked).unwrap();
    let path = stand_in(root, "sbatch", SBATCH);
    succeeded(&bash(folder, text).env("PATH", path).env("ASKED", &asked).output().unwrap());
    let job = |number: usize| {
        let read = |what: &str| fs::read_to_string(asked.join(format!("{what}-{number}"))).ok();
        let lines = read("arguments")?.lines().map(str::to_owned).collect();
        Some((lines, read("script")?))
    };
    (0..).map_while(job).collect()
}

/// Runs a job's script, as a task of the array.
fn run(folder: &Path, script: &str, task: usize) -> Output {
    bash(folder, script).env("SLURM_ARRAY_TASK_ID", task.to_string()).output().unwrap()
}

#[test]
fn what_slurm_runs_comes_to_the_whole_whatever_things_are_called() {
    let root = tempfile::tempdir().unwrap();
    let (folder, scenario) = project(root.path(), HOSTILE);
    let out = format!("results/{HOSTILE}");
    let arguments = ["--engine", "slurm", "--shards", "3", "--throttle", "2", "--out", &out];
    let text = printed(&folder, &scenario, &[&arguments[..], &["--program", program()]].concat());
    let jobs = asked(root.path(), &folder, &text);
    let [(array, shard), (merge, merging)] = &jobs[..] else { panic!("{jobs:?}") };
    for option in ["--parsable", "--array=1-3%2", "--requeue", "--signal=B:TERM@60", "--time=60"] {
        assert!(array.contains(&option.to_owned()), "{array:?}");
    }
    let log = format!("--output={}/shard-%a.log", out.replace('%', "%%"));
    assert!(array.contains(&log), "{array:?}");
    assert!(merge.contains(&"--dependency=afterany:100".to_owned()), "{merge:?}");
    for task in [3, 1, 2, 2] {
        succeeded(&run(&folder, shard, task));
    }
    succeeded(&run(&folder, merging, 0));
    let expected = whole(&folder, &scenario, &root.path().join("whole"));
    assert_eq!(contents(&folder.join(&out).join("merged")), expected);
    assert!(!folder.join("pwned").exists() && !root.path().join("pwned").exists());
}

/// The script of a shard whose program is a stand-in, in a folder with one for `scontrol`.
fn shard_of(root: &Path, script: &str) -> (String, String) {
    let (folder, scenario) = project(root, "plain");
    stand_in(root, "runner", script);
    let path = stand_in(root, "scontrol", r#"echo "$@" >> "$ASKED""#);
    let stood_in = root.join("runner").display().to_string();
    let arguments = ["--engine", "slurm", "--shards", "3", "--program", &stood_in];
    let text = printed(&folder, &scenario, &arguments);
    (asked(root, &folder, &text).remove(0).1, path)
}

/// Runs the script of a shard, and says how it ended and whether it is to run again.
fn ended(root: &Path, (script, path): &(String, String), code: &str, before: &str) -> (i32, bool) {
    let requeued = root.join("requeued");
    let mut command = bash(root, script);
    command.env("PATH", path).env("ASKED", &requeued).env("CODE", code);
    command.env("SLURM_ARRAY_TASK_ID", "2").env("SLURM_JOB_ID", "7");
    command.env("SLURM_RESTART_COUNT", before);
    let code = command.output().unwrap().status.code().unwrap();
    let asked = fs::read_to_string(&requeued).unwrap_or_default();
    _ = fs::remove_file(&requeued);
    assert!(["", "requeue 7\n"].contains(&asked.as_str()), "{asked}");
    (code, !asked.is_empty())
}

#[test]
fn a_shard_is_tried_again_if_that_can_help_and_three_times() {
    let root = tempfile::tempdir().unwrap();
    let script = shard_of(root.path(), "exit \"$CODE\"");
    for (code, again) in [
        (0, false),
        (1, false),
        (2, false),
        (3, false),
        (4, false),
        (5, false),
        (6, true),
        (7, true),
        (130, true),
        (137, true),
        (143, true),
    ] {
        let found = ended(root.path(), &script, &code.to_string(), "0");
        assert_eq!(found, (code, again));
    }
    assert_eq!(ended(root.path(), &script, "6", "2"), (6, true));
    assert_eq!(ended(root.path(), &script, "6", "3"), (6, false));
}

#[test]
fn a_shard_whose_time_is_nearly_up_stops_and_is_queued_again() {
    let root = tempfile::tempdir().unwrap();
    let running: PathBuf = root.path().join("running");
    succeeded(&Command::new("mkfifo").arg(&running).output().unwrap());
    let stops = "trap 'kill $!; exit 143' TERM\nsleep 60 &\necho > \"$RUNNING\"\nwait\nexit 1";
    let (script, path) = shard_of(root.path(), stops);
    let requeued = root.path().join("requeued");
    let mut command = bash(root.path(), &script);
    command.env("PATH", path).env("ASKED", &requeued).env("RUNNING", &running);
    command.env("SLURM_ARRAY_TASK_ID", "2").env("SLURM_JOB_ID", "7");
    let mut process = command.spawn().unwrap();
    fs::read(&running).unwrap();
    succeeded(&Command::new("kill").arg(process.id().to_string()).output().unwrap());
    assert_eq!(process.wait().unwrap().code(), Some(143));
    assert_eq!(fs::read_to_string(requeued).unwrap(), "requeue 7\n");
}

#[test]
fn what_is_submitted_is_what_is_printed() {
    let root = tempfile::tempdir().unwrap();
    let (folder, scenario) = project(root.path(), "plain");
    let arguments =
        ["submit", &scenario, "--engine", "slurm", "--shards", "3", "--program", "runner"];
    let text = super::runner(&folder).args(arguments).output().unwrap().stdout;
    let asked_by_hand = asked(root.path(), &folder, &String::from_utf8(text).unwrap());
    fs::rename(root.path().join("asked"), root.path().join("by-hand")).unwrap();
    let asked = root.path().join("asked");
    fs::create_dir(&asked).unwrap();
    let path = stand_in(root.path(), "sbatch", SBATCH);
    let mut command = super::runner(&folder);
    command.args(arguments).arg("--submit").env("PATH", path).env("ASKED", &asked);
    let output = command.output().unwrap();
    succeeded(&output);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("array 100, then merge 101 into results/policies/plan-"), "{said}");
    for (number, (_, script)) in asked_by_hand.iter().enumerate() {
        let submitted = fs::read_to_string(asked.join(format!("script-{number}"))).unwrap();
        assert_eq!(&submitted, script);
    }
}
