//! What was acknowledged is still there after `kill -9` at any moment.
//!
//! `RUNNER_KILLS` says how often the server is killed, ten times if it does not; `just
//! kills` kills it a hundred times.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use seed::{PhaseKey, Purpose, Seed};
use serde_json::{Value, json};

use super::contract::{quick, rank_request};
use super::program::Program;

const CALLERS: usize = 4;

/// What the server said that it did.
#[derive(Debug, Default)]
struct Acknowledged {
    /// The chosen actions, by event.
    ranked: HashMap<String, String>,
    rewarded: HashMap<String, f64>,
}

/// A connection that is kept, until the server is gone.
pub struct Caller(BufReader<TcpStream>);

impl Caller {
    pub fn new(program: &Program) -> Self {
        Self(BufReader::new(TcpStream::connect(&program.address).unwrap()))
    }

    /// The answer, if the server lived to give it.
    pub fn call(&mut self, method: &str, path: &str, body: &Value) -> Option<(u16, Vec<u8>)> {
        let body = body.to_string();
        let head = format!(
            "{method} /personalizer/v1.0{path} HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.0.get_mut().write_all((head + &body).as_bytes()).ok()?;
        self.answer()
    }

    fn answer(&mut self) -> Option<(u16, Vec<u8>)> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        let status = line.split(' ').nth(1)?.parse().ok()?;
        let mut length = 0;
        loop {
            line.clear();
            self.0.read_line(&mut line).ok().filter(|read| *read > 0)?;
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).ok()?;
        Some((status, body))
    }
}

/// Calls until the server is gone, and remembers what it said.
fn visit(mut caller: Caller, name: &str, said: &Mutex<Acknowledged>, count: &AtomicUsize) {
    for number in 0.. {
        let id = format!("{name}-{number}");
        let Some((status, body)) = caller.call("POST", "/rank", &rank_request(&id)) else { return };
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
        let ranked: Value = serde_json::from_slice(&body).unwrap();
        let chosen = ranked["rewardActionId"].as_str().unwrap().to_owned();
        said.lock().unwrap().ranked.insert(id.clone(), chosen);
        count.fetch_add(1, Ordering::SeqCst);
        let value = f64::from(number) / 8.0;
        let path = format!("/events/{id}/reward");
        let Some((status, _)) = caller.call("POST", &path, &json!({"value": value})) else {
            return;
        };
        assert_eq!(status, 204);
        said.lock().unwrap().rewarded.insert(id, value);
        count.fetch_add(1, Ordering::SeqCst);
    }
}

/// Lets callers call until `after` answers, and kills the server.
fn killed_after(after: usize, round: usize, program: Program, said: &Mutex<Acknowledged>) {
    let count = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let name = format!("{round}-{caller}");
            let (caller, count) = (Caller::new(&program), &count);
            scope.spawn(move || visit(caller, &name, said, count));
        }
        while count.load(Ordering::SeqCst) < after {
            std::thread::park_timeout(std::time::Duration::from_millis(1));
        }
        program.end("-KILL");
    });
}

/// Every event that the server knows, by its id.
fn known(program: &Program) -> HashMap<String, Value> {
    let log = program.body("/log.dsjson?open=true");
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.map(|event| (event["EventId"].as_str().unwrap().to_owned(), event)).collect()
}

fn check(program: &Program, said: &Acknowledged) {
    let known = known(program);
    for (id, chosen) in &said.ranked {
        let event = known.get(id).unwrap_or_else(|| panic!("event `{id}` is lost"));
        let at = usize::try_from(event["_labelIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(event["c"]["_multi"][at]["_tag"], *chosen, "{event}");
    }
    for (id, value) in &said.rewarded {
        let observed = &known[id]["o"];
        assert_eq!(observed[0]["v"], *value, "reward of `{id}`: {observed}");
        assert_eq!(observed.as_array().unwrap().len(), 1);
    }
}

fn state(folder: &Path) -> Program {
    Program::start(&["--state", folder.to_str().unwrap()], &[])
}

#[test]
fn nothing_acknowledged_is_lost_however_often_the_server_is_killed() {
    let rounds = std::env::var("RUNNER_KILLS").map_or(10, |count| count.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let said = Mutex::new(Acknowledged::default());
    for round in 0..rounds {
        let program = state(folder.path());
        check(&program, &said.lock().unwrap());
        let address = u64::try_from(round).unwrap();
        let mut draws = Seed(round as u64).draws(PhaseKey::new("kill"), address, Purpose::Visitor);
        let after = usize::try_from(draws.below(200)).unwrap();
        killed_after(after, round, program, &said);
    }
    let said = said.into_inner().unwrap();
    check(&state(folder.path()), &said);
    println!(
        "{rounds} kills, {} events and {} rewards kept",
        said.ranked.len(),
        said.rewarded.len()
    );
    assert!(!said.ranked.is_empty() || rounds == 0);
}

#[test]
fn settings_policy_and_evaluations_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let program = state(folder.path());
    let mut caller = Caller::new(&program);
    let mut call =
        |method: &str, path: &str, body: &Value| caller.call(method, path, body).unwrap();
    assert_eq!(call("PUT", "/configurations/service", &quick()).0, 200);
    let policy =
        json!({"name": "mine", "arguments": "--cb_explore_adf --epsilon 0.2 --cb_type dr"});
    assert_eq!(call("PUT", "/configurations/policy", &policy).0, 200);
    let contract = json!({"name": "kept", "startTime": "2026-01-01T00:00:00Z",
        "endTime": "2099-01-01T00:00:00Z", "policies": [], "enableOfflineExperimentation": true});
    assert_eq!(call("POST", "/evaluations", &contract).0, 201);
    program.end("-KILL");
    let program = state(folder.path());
    let get = |path: &str| program.get(&format!("/personalizer/v1.0{path}"), "");
    assert!(get("/configurations/service").contains(r#""rewardWaitTime":"PT15S""#));
    assert!(get("/configurations/policy").contains(r#""name":"mine""#));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !get("/evaluations").contains(r#""status":"completed""#) {
        assert!(std::time::Instant::now() < deadline, "{}", get("/evaluations"));
    }
    let (code, stderr) = program.end("-TERM");
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("note: the state was not closed"), "{stderr}");
    let (_, stderr) = state(folder.path()).end("-TERM");
    assert!(!stderr.contains("note"), "{stderr}");
}

#[test]
fn two_servers_cannot_have_one_state() {
    let folder = tempfile::tempdir().unwrap();
    let program = state(folder.path());
    let (code, stderr) =
        super::program::refused(&["--port", "0", "--state", folder.path().to_str().unwrap()]);
    assert_eq!(code, Some(7));
    assert!(stderr.contains("another process is using it"), "{stderr}");
    drop(program);
}

#[test]
fn what_is_no_state_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("loop.redb"), "no database at all").unwrap();
    let (code, stderr) =
        super::program::refused(&["--port", "0", "--state", folder.path().to_str().unwrap()]);
    assert_eq!(code, Some(7));
    assert!(stderr.contains("cannot be used"), "{stderr}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_acknowledges_nothing() {
    let folder = tempfile::tempdir().unwrap();
    drop(state(folder.path()));
    let blocks = 200;
    let limit = format!("ulimit -f {blocks}; trap '' XFSZ; exec \"$0\" \"$@\"");
    let program =
        Program::start_with("sh", &["-c", &limit], &["--state", folder.path().to_str().unwrap()]);
    let mut caller = Caller::new(&program);
    let mut kept = Acknowledged::default();
    let (mut number, mut refused) = (0, None);
    while refused.is_none() {
        let id = format!("event-{number}");
        let (status, body) = caller.call("POST", "/rank", &rank_request(&id)).unwrap();
        let ranked: Value = serde_json::from_slice(&body).unwrap();
        match status {
            201 => {
                kept.ranked.insert(id, ranked["rewardActionId"].as_str().unwrap().to_owned());
            }
            _ => refused = Some((status, ranked)),
        }
        number += 1;
        assert!(number < 100_000, "the limit is too high");
    }
    let (status, body) = refused.unwrap();
    assert_eq!((status, &body["error"]["code"]), (503, &json!("503")));
    assert!(program.get("/status", "").starts_with("HTTP/1.1 503"));
    let (code, stderr) = program.end("-TERM");
    assert_eq!(code, Some(7), "{stderr}");
    check(&state(folder.path()), &kept);
    println!("{} events were kept before the disk was full", kept.ranked.len());
}
