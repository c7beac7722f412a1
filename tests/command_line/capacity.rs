//! `runner capacity`: limits of serving and of learning, in virtual worlds.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::faults::service::{Reply, Service};

const NOISE: [&str; 8] =
    ["--vary", "reward.noise", "--from", "0", "--to", "0.5", "--resolution", "5%"];

/// A search over the tutorial, cut down; the folder of its results is `out`.
fn capacity(folder: &Path, target: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let is_inside = target.contains("embedded");
    let learning = "loop: { reward_wait_time: 1s, model_export_frequency: 1s }\n";
    let learning = if is_inside { learning } else { "" };
    let scenario = format!(
        "version: 1\nname: limited\ndatasets: {{ users: \"{}\", actions: \"{}\" }}\n\
         context: [name, weather, timeofday]\ntarget: {target}\n{learning}phases:\n  \
         - iterate: {{ name: learn, iterations: 2000, rate: 100/s, concurrency: 16 }}\n",
        data.join("users.json").display(),
        data.join("coffee.json").display(),
    );
    let path = folder.join("limited.yaml");
    fs::write(&path, scenario).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.arg("capacity").arg(&path).args(["--allow-paths", "--quiet", "--out"]);
    command.arg(folder.join("out")).args(arguments).env("NO_COLOR", "1").stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout) + &text(output.stderr))
}

/// Rewards are flipped with the probability that is varied: at one half nothing is learned.
#[test]
fn the_noise_up_to_which_a_loop_learns_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let until = "success_rate[last 25%] >= 0.32";
    let question = [&["--until", until][..], &NOISE].concat();
    let (code, text) = capacity(folder.path(), "embedded", &question);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("`learn.success_rate[last 25%] >= 0.32` holds up to reward.noise = 0."),
        "{text}"
    );
    assert!(text.contains("at 95 % confidence"), "{text}");
    let out = folder.path().join("out");
    let mut rows = csv::Reader::from_path(out.join("capacity.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert!(rows.iter().any(|row| &row[4] == "holds") && rows.iter().any(|row| &row[4] == "fails"));
    let picture = fs::read_to_string(out.join("capacity.svg")).unwrap();
    assert!(picture.starts_with("<svg"));
    assert!(picture.contains("limit 0."), "{picture}");
    let (code, text) = capacity(folder.path(), "embedded", &question);
    assert!(code == Some(2) && text.contains("is not empty"), "{text}");
}

#[test]
fn a_requirement_is_a_verdict() {
    for (requirement, expected) in [("0.01", 0), ("0.49", 3)] {
        let folder = tempfile::tempdir().unwrap();
        let until = ["--until", "learn.success_rate[last 25%] >= 0.32", "--require", requirement];
        let arguments = [&until[..], &NOISE].concat();
        let (code, text) = capacity(folder.path(), "embedded", &arguments);
        assert_eq!(code, Some(expected), "{text}");
    }
}

#[test]
fn what_fails_from_the_start_is_no_capacity() {
    let folder = tempfile::tempdir().unwrap();
    let target = "{ embedded: { latency: { rank: 10ms } } }";
    let (code, text) = capacity(folder.path(), target, &["--until", "rank.p99 < 1us"]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("does not hold at phases.learn.rate = 100/s"), "{text}");
    assert!(text.contains("2 runs in 2 searches") && text.contains("with `--from`"), "{text}");
}

#[test]
fn what_holds_to_the_end_has_no_limit_there() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--until", "rank.p99 < 1s", "--to", "200/s", "--repeats", "1"];
    let (code, text) = capacity(folder.path(), "embedded", &arguments);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("no limit found") && text.contains("= 200/s, the largest"), "{text}");
}

/// All mistakes of a question are told, each once.
#[test]
fn every_mistake_of_a_question_is_told_once() {
    for (arguments, expected) in [
        (
            &["--until", "rank.p98x < 50", "--vary", "phases.lern.think_time"][..],
            &["rank.p98x < 50", "has no item `lern`", "add `--from`"][..],
        ),
        (
            &["--until", "rank.p99 < 1s", "--vary", "reward.nois", "--from", "0"],
            &["unknown key `nois`", "did you mean `noise`?", "add `--to`"],
        ),
        (
            &["--until", "rank.p99 < 1s", "--vary", "reward.noise", "--from", "0", "--to", "2"],
            &["`noise` must be a number from 0 to 1"],
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (code, text) = capacity(folder.path(), "embedded", arguments);
        assert_eq!(code, Some(2), "{text}");
        for expected in expected {
            assert_eq!(text.matches(expected).count(), 1, "{expected}\n{text}");
        }
        assert!(!folder.path().join("out").exists());
    }
}

#[test]
fn mistakes_are_told_before_anything_is_sent() {
    let service = Service::start(|_| Reply::Right);
    let target = format!("{{ url: \"{}\" }}", service.url());
    for (arguments, expected) in [
        (&["--until", "rank.p99 < 50"][..], "write a duration"),
        (&["--until", "rank.p99 < 50ms", "--vary", "reward.noise"], "add `--from`"),
        (&["--until", "rank.p99 < 50ms", "--from", "0/s"], "add `--to`"),
        (&["--until", "rank.p99 < 50ms", "--to", "90%"], "is not above"),
        (&["--until", "rank.p99 < 50ms", "--resolution", "2"], "expected a percentage"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (code, text) = capacity(folder.path(), &target, arguments);
        assert!(code == Some(2) && text.contains(expected), "{expected}\n{text}");
    }
    assert!(service.seen().is_empty());
}
