//! Policies that are programs. The programs here are of the shell, so that they need nothing.

use std::fs;
use std::path::Path;

use super::{LOOP, completed, run, text, write_scenario};
use crate::folders::contents;

/// Answers `hello`, then does `rank` for each `rank` and `learn` for each `learn`.
fn program(folder: &Path, name: &str, rank: &str, learn: &str) {
    let script = format!(
        r#"read -r line
echo '{{"type":"hello","name":"{name}"}}'
while read -r line; do
  case "$line" in
    '{{"type":"rank"'*) {rank} ;;
    '{{"type":"learn"'*) {learn} ;;
    '{{"type":"end"'*) exit 0 ;;
  esac
done
"#
    );
    fs::write(folder.join(format!("{name}.sh")), script).unwrap();
}

const FIRST: &str = r#"echo '{"probabilities":[0.7,0.1,0.1,0.1]}'"#;
const OK: &str = r#"echo '{"ok":true}'"#;

fn matrix(policies: &[&str]) -> String {
    let lines = policies.join("\n    ");
    format!("{LOOP}matrix:\n  seeds: 1..3\n  policies:\n    {lines}\n")
}

#[test]
fn a_program_plays_beside_others_at_any_number_of_threads_and_in_shards() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    program(here, "mine", FIRST, OK);
    let policies = [
        "mine: { command: [sh, mine.sh] }",
        "pairs: '--cb_explore_adf --epsilon 0.2 -q ::'",
        "ucb: { lin_ucb: { alpha: 1.0 } }",
    ];
    let path = write_scenario(here, &matrix(&policies));
    completed(here, &[&path, "--out", "one", "--threads", "1", "--quiet"]);
    completed(here, &[&path, "--out", "two", "--threads", "2", "--quiet"]);
    let whole = contents(&here.join("one"));
    assert!(whole == contents(&here.join("two")), "threads change bytes");
    for shard in ["1/3", "2/3", "3/3"] {
        let out = format!("part-{}", &shard[..1]);
        completed(here, &[&path, "--out", &out, "--shard", shard, "--quiet"]);
    }
    completed(here, &["merge", "part-1", "part-2", "part-3", "--out", "merged"]);
    assert!(whole == contents(&here.join("merged")), "shards change bytes");
}

/// Every line in both directions is as the JSON Schema says.
#[test]
fn what_is_said_is_what_the_schema_describes() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let heard = |answer: &str| format!("printf '%s\\n' \"$line\" >> said; {answer} | tee -a said");
    program(here, "mine", &heard(FIRST), &heard(OK));
    let policy = "5s, learning_policy: { command: [sh, mine.sh] } }";
    let path = write_scenario(here, &LOOP.replace("5s }", policy));
    completed(here, &[&path, "--out", "run", "--quiet", "--set", "phases.learn.iterations=200"]);
    let printed = completed(here, &["schema", "--policy-program"]);
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    let schema = serde_json::from_slice(&printed.stdout).unwrap();
    compiler.add_resource("protocol.json", schema).unwrap();
    let index = compiler.compile("protocol.json", &mut schemas).unwrap();
    let said = fs::read_to_string(here.join("said")).unwrap();
    let own = [
        r#"{"type":"hello","protocol":1,"seed":42}"#,
        r#"{"type":"hello","name":"mine"}"#,
        r#"{"type":"end"}"#,
        r#"{"error":"no model"}"#,
        r#"{"type":"hello","name":"mine","saves":true}"#,
        r#"{"type":"save"}"#,
        r#"{"state":"{}"}"#,
        r#"{"type":"load","state":"{}"}"#,
    ];
    assert!(said.lines().count() > 400);
    for line in said.lines().chain(own) {
        let line = serde_json::from_str(line).unwrap();
        if let Err(error) = schemas.validate(&line, index) {
            panic!("{line}: {error}");
        }
    }
    let wrong = serde_json::json!({ "probabilities": [2] });
    assert!(schemas.validate(&wrong, index).is_err());
}

/// The program learns what was chosen, and how it was rewarded.
#[test]
fn a_program_is_told_every_event_once_with_its_probability_and_reward() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    program(here, "mine", FIRST, r#"printf '%s\n' "$line" >> learned; echo '{"ok":true}'"#);
    let extra = LOOP.replace("5s }", "5s, learning_policy: { command: [sh, mine.sh] } }");
    let path = write_scenario(here, &extra);
    completed(here, &[&path, "--out", "run", "--quiet"]);
    let log = fs::read_to_string(here.join("learned")).unwrap();
    let mut learned = Vec::new();
    for line in log.lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        learned.extend(message["events"].as_array().unwrap().clone());
    }
    let mut reader = csv::Reader::from_path(here.join("run/events.csv")).unwrap();
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (id, chosen, reward) = (column("event_id"), column("chosen"), column("reward"));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert!(learned.len() > 400, "{}", learned.len());
    for event in &learned {
        let row = rows.iter().find(|row| row[id] == *event["id"].as_str().unwrap()).unwrap();
        let place = usize::try_from(event["chosen"].as_u64().unwrap()).unwrap();
        assert_eq!(event["actions"][place]["id"].as_str().unwrap(), &row[chosen]);
        assert_eq!(event["reward"].as_f64().unwrap(), row[reward].parse::<f64>().unwrap());
        let probability = event["probability"].as_f64().unwrap();
        let expected = if place == 0 { 0.7 } else { 0.1 };
        assert!((probability - expected).abs() < 1e-6, "{event}");
        assert!(event["context"].is_object() && event["actions"][0]["features"].is_object());
    }
    let mut ids: Vec<&str> = learned.iter().map(|event| event["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), learned.len());
}

/// What a program answers or does to `rank`, and what is said about it.
const MISBEHAVIOURS: [(&str, &str); 15] = [
    (r#"echo '{"probabilities":[0.5,0.2,0.1,0.1]}'"#, "the probabilities must sum to 1, found 0.9"),
    (
        r#"echo '{"probabilities":[NaN,0.5,0.25,0.25]}'"#,
        "probabilities must be numbers, found `NaN`, which JSON does not have",
    ),
    (r#"echo '{"probabilities":[1.5,-0.5,0,0]}'"#, "probability 1 must be from 0 to 1, found 1.5"),
    (
        r#"echo '{"probabilities":[-0.5,0.5,0.5,0.5]}'"#,
        "probability 1 must be from 0 to 1, found -0.5",
    ),
    ("exec >&-; sleep 9", "the program closed its stdin or stdout, and did not end"),
    // The child outlives it, and holds its pipes open.
    ("sleep 9 & exit 3", "the program ended (exit status: 3)"),
    (
        r#"printf '{"probabilities":[1,0,0,0]}\n{"probabilities":[0,1,0,0]}\n'"#,
        r#"expected one line for each request, found one more: `{"probabilities":[0,1,0,0]}`"#,
    ),
    (
        r#"echo '{"probabilities":[0.5,0.5]}'"#,
        "expected 4 probabilities, one for each action, found 2",
    ),
    ("sleep 9", "no answer within `timeout: 2s`"),
    ("exit 3", "the program ended (exit status: 3)"),
    ("kill -9 $$", "the program ended (signal: 9 (SIGKILL))"),
    ("echo hello", r#"expected `{"probabilities":[…]}`, found `hello`"#),
    ("head -c 5000000 /dev/zero | tr '\\0' x; echo", "the answer is longer than 4194304 bytes"),
    (r"printf '\377\n'", "the answer is not UTF-8"),
    (r#"echo '{"error":"no model yet"}'"#, "the program says: no model yet"),
];

#[test]
fn a_program_that_misbehaves_is_an_error_of_its_cell_that_names_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    program(here, "good", FIRST, OK);
    for (rank, message) in MISBEHAVIOURS {
        program(here, "bad", &format!("echo trouble >&2; {rank}"), OK);
        let policies =
            ["good: { command: [sh, good.sh] }", "bad: { command: [sh, bad.sh], timeout: 2s }"];
        let path = write_scenario(here, &matrix(&policies));
        let out = here.join("out");
        // A program misbehaves at once.
        let few = ["--set", "phases.learn.iterations=60", "--set", "matrix.seeds=1..2"];
        let arguments = [&path, "--out", "out", "--threads", "2", "--quiet"];
        let output = run(here, &[&arguments[..], &few].concat());
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{rank}: {stderr}");
        assert!(stderr.contains("2 of 4 cells failed"), "{stderr}");
        // What is said too often is known when the next line is to be sent.
        let number = if rank.contains("printf '{") { 3 } else { 2 };
        let line =
            format!("the policy `sh bad.sh`: line {number}, the answer to `rank` of event `");
        assert!(stderr.contains(&line) && stderr.contains(message), "{rank}: {stderr}");
        assert!(stderr.contains("stderr: trouble"), "{stderr}");
        // The cells of the other policy are there, and a program that is mended is run.
        program(here, "bad", FIRST, OK);
        completed(here, &[&[&path, "--resume", "out", "--quiet"][..], &few].concat());
        fs::remove_dir_all(out).unwrap();
    }
}

#[test]
fn what_goes_wrong_before_and_after_ranks_is_told_too() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let cases = [
        (
            "[nosuch-program]",
            "",
            "",
            "it cannot be started: No such file or directory (os error 2), in the folder `",
        ),
        (
            "[sh, -c, 'echo hi; cat']",
            "",
            "",
            r#"line 1, the answer to `hello`: expected `{"type":"hello","name":"…"}`, found `hi`"#,
        ),
        ("[sh, bad.sh]", FIRST, "echo no", r#"expected `{"ok":true}`, found `no`"#),
        (
            "[sh, bad.sh]",
            r#"echo '{"probabilities":[0.7,0.1,0.1,0.1]}'; [ -e twice ] || echo more; touch twice"#,
            OK,
            // As the answer to the next line, or before it is sent.
            "`more`",
        ),
    ];
    for (command, rank, learn, message) in cases {
        program(here, "bad", rank, learn);
        let policy = format!("5s, learning_policy: {{ command: {command} }} }}");
        let path = write_scenario(here, &LOOP.replace("5s }", &policy));
        let output = run(here, &[&path, "--out", "out", "--quiet"]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(6), "{command}: {stderr}");
        assert!(stderr.contains(message), "{command}: {stderr}");
        fs::remove_dir_all(here.join("out")).unwrap();
    }
}

/// The program kills the runner, once, while lines wait for it that were sent ahead. A run that goes
/// on from there, and a matrix, end as those that nothing happened to.
#[test]
fn a_run_that_is_killed_with_lines_sent_ahead_is_resumed_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let count = "asked=$((asked + 1))";
    let kill = "[ $asked -lt 300 ] || [ -e spared ] || { touch spared; kill -9 $PPID; }";
    program(here, "mine", &format!("{count}; {kill}; {FIRST}"), OK);
    let alone = "loop: { reward_wait_time: 5s, model_export_frequency: 5s, learning_policy: \
                 { command: [sh, mine.sh] } }\n";
    let beside = matrix(&["mine: { command: [sh, mine.sh] }", "ucb: { lin_ucb: { alpha: 1.0 } }"]);
    for scenario in [alone, &beside] {
        let path = write_scenario(here, scenario);
        fs::write(here.join("spared"), "").unwrap();
        completed(here, &[&path, "--out", "whole", "--quiet"]);
        fs::remove_file(here.join("spared")).unwrap();
        let killed = run(here, &[&path, "--out", "killed", "--quiet"]);
        assert_eq!(killed.status.code(), None, "{}", text(&killed.stderr));
        completed(here, &[&path, "--resume", "killed", "--quiet"]);
        let [whole, killed] = ["whole", "killed"].map(|out| repeatable(&here.join(out)));
        assert!(whole == killed, "{:?}", whole.keys().zip(killed.keys()).collect::<Vec<_>>());
        ["whole", "killed"].iter().for_each(|out| fs::remove_dir_all(here.join(out)).unwrap());
    }
}

/// The contents of a results folder that do not depend on when the run was made.
fn repeatable(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let mut files = contents(folder);
    files.retain(|name, _| !name.ends_with("manifest.json"));
    files
}

/// Evaluates a program beside other policies, applies it, and returns to the policy before it.
const PHASES: &str = "  - evaluate:
      policies:
        mine: { command: [sh, mine.sh] }
        again: { command: [sh, mine.sh] }
        ucb: { lin_ucb: {} }
        broken: { command: [sh, broken.sh] }
      apply: mine
  - iterate: { name: more, iterations: 200, concurrency: 4, rate: 20/s }
  - apply_policy: { name: other, arguments: { command: [sh, mine.sh], timeout: 7s } }
  - iterate: { name: last, iterations: 200, concurrency: 4, rate: 20/s }
";

#[test]
fn a_program_is_evaluated_and_applied_in_phases_with_the_same_bytes_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    program(here, "mine", FIRST, OK);
    program(here, "broken", "exit 3", OK);
    let path = write_scenario(here, &format!("{PHASES}{LOOP}"));
    for (out, threads) in [("one", "1"), ("two", "2")] {
        completed(here, &[&path, "--out", out, "--threads", threads, "--quiet"]);
    }
    // The manifest of a run says when it was made.
    let made = ["one", "two"].map(|out| {
        let mut files = contents(&here.join(out));
        files.retain(|name, _| !name.ends_with("manifest.json"));
        files
    });
    assert!(made[0] == made[1], "the bytes differ");
    let shown = completed(here, &["show", "one"]);
    let shown = text(&shown.stdout);
    assert!(shown.contains("policy `broken` was not judged"), "{shown}");
    let events = fs::read_to_string(here.join("one/events.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(events.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (phase, probability) = (column("phase"), column("probability"));
    for row in reader.records().map(Result::unwrap).filter(|row| row[phase] != *"learn") {
        let probability = row[probability].parse::<f64>().unwrap();
        let of_mine = [0.7, 0.1].iter().any(|one| (one - probability).abs() < 1e-6);
        assert!(of_mine, "{row:?}");
    }
}

#[test]
fn a_program_is_served_while_a_run_lasts() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    program(here, "mine", FIRST, OK);
    let policy = "5s, learning_policy: { command: [sh, mine.sh] } }";
    let path = write_scenario(here, &LOOP.replace("5s }", policy));
    let served = fs::read_to_string(&path).unwrap();
    let served = served.replace("target: embedded", "target: served").replace("20/s", "2000/s");
    fs::write(&path, served).unwrap();
    completed(here, &[&path, "--out", "run", "--quiet"]);
    let events = fs::read_to_string(here.join("run/events.csv")).unwrap();
    assert_eq!(events.lines().count(), 601);
    assert!(events.lines().skip(1).all(|line| line.contains(",0.7") || line.contains(",0.1")));
}

#[test]
fn a_service_elsewhere_starts_no_program() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let policy = "{ command: [sh, mine.sh] }";
    for phase in [
        format!("  - apply_policy: {{ name: mine, arguments: {policy} }}\n"),
        format!("  - evaluate: {{ policies: {{ mine: {policy} }} }}\n"),
    ] {
        let path = write_scenario(here, &phase);
        let text_of = fs::read_to_string(&path).unwrap();
        fs::write(&path, text_of.replace("embedded", "{ url: 'http://127.0.0.1:9' }")).unwrap();
        let output = run(here, &["check", &path]);
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("names a program, which a service does not start"), "{stderr}");
    }
}
