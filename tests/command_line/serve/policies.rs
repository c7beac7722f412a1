//! Linear policies and programs as what a served loop learns with, over restarts.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::contract::{quick, rank_request};
use super::killed::Caller;
use super::program::{Program, refused};

/// Counts what it learned, and saves the count; the event `die` ends it, `lie` gets an answer
/// that is none. Every line that it reads is in the file `said` of its folder.
const COUNTER: &str = r#"
n=0
while read -r line; do
  printf '%s\n' "$line" >> said
  case "$line" in
    '{"type":"hello"'*) echo '{"type":"hello","name":"counter"SAVES}' ;;
    *'"id":"die"'*) echo trouble >&2; exit 3 ;;
    *'"id":"lie"'*) echo '{"probabilities":[1,1,1]}' ;;
    '{"type":"rank"'*) echo '{"probabilities":[0.5,0.25,0.25]}' ;;
    '{"type":"learn"'*) n=$((n + 1)); echo '{"ok":true}' ;;
    '{"type":"save"'*) echo "{\"state\":\"$n\"}" ;;
    '{"type":"load"'*) n=${line#*'"state":"'}; n=${n%%'"'*}; echo '{"ok":true}' ;;
    *) exit 0 ;;
  esac
done
"#;

/// The settings of a service whose learning policy is the counter.
fn settings(folder: &Path, saves: bool) -> String {
    let script = COUNTER.replace("SAVES", if saves { r#","saves":true"# } else { "" });
    fs::write(folder.join("counter.sh"), script).unwrap();
    let path = folder.join("loop.yaml");
    let text = "reward_wait_time: 1s\nmodel_export_frequency: 1s\n\
                learning_policy: { command: [sh, counter.sh] }\n";
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn rank(caller: &mut Caller, id: &str) -> (u16, Value) {
    let (status, body) = caller.call("POST", "/rank", &rank_request(id)).unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

/// Ranks and rewards events, and remembers them as acknowledged.
fn visit(caller: &mut Caller, ids: &[&str]) {
    for id in ids {
        assert_eq!(rank(caller, id).0, 201, "{id}");
        let path = format!("/events/{id}/reward");
        assert_eq!(caller.call("POST", &path, &json!({"value": 0.5})).unwrap().0, 204);
    }
}

/// Waits until something holds of what the program was told.
fn until(folder: &Path, what: &str, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let said = fs::read_to_string(folder.join("said")).unwrap_or_default();
        let lines: Vec<Value> =
            said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if holds(&lines) {
            return lines;
        }
        assert!(Instant::now() < deadline, "{what}: {said}");
        std::thread::park_timeout(std::time::Duration::from_millis(1));
    }
}

/// The ids of the events in the `learn` lines that a process received.
fn learned(lines: &[Value]) -> Vec<String> {
    let events = lines.iter().filter(|line| line["type"] == "learn");
    let events = events.flat_map(|line| line["events"].as_array().unwrap());
    events.map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

/// The lines to the last process.
fn last_process(lines: &[Value]) -> &[Value] {
    let hello = lines.iter().rposition(|line| line["type"] == "hello");
    &lines[hello.unwrap_or_default()..]
}

#[test]
fn a_served_program_that_dies_or_lies_is_started_again_as_it_was() {
    for saves in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let settings = settings(here, saves);
        let program = Program::start(&["--settings", &settings, "--log", "json"], &[]);
        let mut caller = Caller::new(&program);
        visit(&mut caller, &["a", "b", "c"]);
        until(here, "learned", |lines| learned(lines).len() == 3);
        for (wrong, processes) in [("die", 2), ("lie", 3)] {
            let (status, body) = rank(&mut caller, wrong);
            assert_eq!((status, &body["error"]["code"]), (503, &json!("503")), "{body}");
            let message = body["error"]["message"].as_str().unwrap();
            assert!(!message.contains("counter.sh") && !message.contains("trouble"), "{message}");
            let all = |lines: &[Value]| {
                let count = lines.iter().filter(|line| line["type"] == "hello").count();
                count == processes && learned(last_process(lines)).len() >= 3
            };
            let lines = until(here, "started again", all);
            assert_eq!(learned(last_process(&lines))[..3], ["a", "b", "c"]);
            let deadline = Instant::now() + Duration::from_secs(60);
            while rank(&mut caller, &format!("after-{wrong}")).0 != 201 {
                assert!(Instant::now() < deadline, "it stays away");
            }
        }
        // What was acknowledged is learned once.
        let (code, stderr) = program.end("-TERM");
        assert_eq!(code, Some(0), "{stderr}");
        assert!(
            stderr.contains("exit status: 3") && stderr.contains("stderr: trouble"),
            "{stderr}"
        );
        assert!(stderr.contains("the probabilities must sum to 1, found 3"), "{stderr}");
        assert!(stderr.contains("the learning policy was started again"), "{stderr}");
    }
}

#[test]
fn a_served_program_is_the_same_after_kill_9() {
    for saves in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let settings = settings(here, saves);
        let state = here.join("state").display().to_string();
        let arguments = ["--settings", &settings, "--state", &state];
        let program = Program::start(&arguments, &[]);
        let mut caller = Caller::new(&program);
        visit(&mut caller, &["a", "b", "c"]);
        until(here, "learned", |lines| learned(lines).len() == 3);
        // A snapshot, by which a program is asked for what it learned.
        let (code, stderr) = program.end("-TERM");
        assert_eq!(code, Some(0), "{stderr}");
        let program = Program::start(&arguments, &[]);
        let mut caller = Caller::new(&program);
        visit(&mut caller, &["d", "e"]);
        let before = until(here, "learned", |lines| learned(lines).contains(&"e".to_owned()));
        program.end("-KILL");
        let program = Program::start(&arguments, &[]);
        let all = |lines: &[Value]| {
            lines.len() > before.len() && learned(last_process(lines)).contains(&"e".to_owned())
        };
        let lines = until(here, "learned again", all);
        let last = last_process(&lines);
        let loads: Vec<&Value> = last.iter().filter(|line| line["type"] == "load").collect();
        if saves {
            assert_eq!(loads.len(), 1, "{last:?}");
            assert!(learned(last).ends_with(&["d".to_owned(), "e".to_owned()]), "{last:?}");
            assert!(!learned(last).contains(&"a".to_owned()), "{last:?}");
        } else {
            assert!(loads.is_empty(), "{last:?}");
            assert_eq!(learned(last), ["a", "b", "c", "d", "e"]);
        }
        let mut caller = Caller::new(&program);
        assert_eq!(rank(&mut caller, "after").0, 201);
        drop(program);
        // The state alone starts no program.
        let (code, stderr) = refused(&["--port", "0", "--state", &state]);
        assert_eq!(code, Some(7), "{stderr}");
        assert!(stderr.contains("its learning policy is a program"), "{stderr}");
    }
}

#[test]
fn requests_start_only_the_program_that_the_service_was_started_with() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(&["--settings", &settings(folder.path(), true)], &[]);
    let mut caller = Caller::new(&program);
    let mut put = |policy: &Value| caller.call("PUT", "/configurations/policy", policy).unwrap();
    let other = json!({"name": "o", "arguments": r#"{"command":["touch","owned"]}"#});
    let (status, body) = put(&other);
    let body = String::from_utf8(body).unwrap();
    assert!(status == 400 && body.contains("InvalidPolicyConfiguration"), "{body}");
    assert!(!folder.path().join("owned").exists());
    assert_eq!(put(&json!({"name": "v", "arguments": "--cb_explore_adf --epsilon 0.1"})).0, 200);
    let own = r#"{"command":["sh","counter.sh"],"timeout":"5000ms"}"#;
    let (status, body) = put(&json!({"name": "c", "arguments": own}));
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    assert_eq!(rank(&mut caller, "after").0, 201);
}

#[test]
fn a_program_that_cannot_be_started_is_not_served() {
    let policy = "{ command: [nosuch-program] }";
    let (code, stderr) = refused(&["--port", "0", "--policy", policy]);
    assert_eq!(code, Some(6), "{stderr}");
    assert!(stderr.contains("it cannot be started"), "{stderr}");
}

#[test]
fn a_served_linear_policy_decides_the_same_after_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state").display().to_string();
    let arguments = ["--policy", "{ lin_ucb: { alpha: 0.5 } }", "--state", &state];
    let program = Program::start(&arguments, &[]);
    let mut caller = Caller::new(&program);
    let settings = quick();
    assert_eq!(caller.call("PUT", "/configurations/service", &settings).unwrap().0, 200);
    let ids: Vec<String> = (0..40).map(|number| format!("e-{number}")).collect();
    for id in &ids {
        let chosen = rank(&mut caller, id).1["rewardActionId"] == "latte";
        let value = json!({"value": f64::from(u8::from(chosen))});
        assert_eq!(caller.call("POST", &format!("/events/{id}/reward"), &value).unwrap().0, 204);
    }
    // Learns the log at once, and serves what was learned.
    let policy = json!({"name": "n", "arguments": r#"{"lin_ucb":{"alpha":0.25}}"#});
    assert_eq!(caller.call("PUT", "/configurations/policy", &policy).unwrap().0, 200);
    let served = rank(&mut caller, "before").1;
    let model = caller.call("GET", "/model", &json!({})).unwrap().1;
    program.end("-KILL");
    let program = Program::start(&arguments, &[]);
    let mut caller = Caller::new(&program);
    assert_eq!(rank(&mut caller, "before").1["ranking"], served["ranking"]);
    assert!(caller.call("GET", "/model", &json!({})).unwrap().1 == model);
}
