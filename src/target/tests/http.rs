//! The HTTP target against a server of canned answers on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use clock::WallClock;
use plan::{ConnectionPlan, Header, HttpPlan, Retries, Secret};
use protocol::{RankRequest, RankableAction};
use record::{FailureKind, Violation};
use seed::{PhaseKey, Seed};
use target::{CallAddress, CallError, HttpTarget, RankAnswer, Target};

const KEY: &str = "canary-4f6b1c";

/// What the server saw of one request.
struct Seen {
    line: String,
    key: Option<String>,
    body: String,
}

/// Answers every connection's requests with `answer`, and tells what it saw.
fn serve(answer: String) -> (String, Receiver<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if let Some(seen) = read_request(&stream) {
                stream.write_all(answer.as_bytes()).unwrap();
                if sender.send(seen).is_err() {
                    return;
                }
            }
        }
    });
    (address, receiver)
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn read_request(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut seen = Seen { line: line.trim_end().to_owned(), key: None, body: String::new() };
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "ocp-apim-subscription-key" => seen.key = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    seen.body = String::from_utf8(body).unwrap();
    Some(seen)
}

fn target(url: &str) -> HttpTarget {
    let key = Some(Secret::new(KEY));
    let plan = HttpPlan { key, ..scenario::usual_service(url) };
    HttpTarget::new(&plan, Seed(42), WallClock::start_now()).unwrap()
}

fn rank_request() -> RankRequest {
    let action = |id: &str| RankableAction { id: id.into(), features: [].into() };
    RankRequest {
        context_features: [].into(),
        actions: [action("a"), action("b")].into(),
        excluded_actions: Vec::new(),
        event_id: Some("e".into()),
        defer_activation: false,
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future)
}

fn address() -> CallAddress {
    CallAddress { phase: PhaseKey::new("p"), iteration: 0 }
}

fn rank_against(answer: String) -> CallError {
    let (url, _seen) = serve(answer);
    block_on(target(&url).rank(address(), &rank_request())).unwrap_err()
}

#[test]
fn rank_sends_the_contract_and_reads_the_answer() {
    let body = concat!(
        r#"{"ranking":[{"id":"b","probability":0.9},{"id":"a","probability":0.1}],"#,
        r#""eventId":"e","rewardActionId":"b"}"#,
    );
    let (url, seen) = serve(answer("201 Created", body));
    let response = block_on(target(&url).rank(address(), &rank_request())).unwrap();
    let RankAnswer::Contract(response) = response else { panic!("{response:?}") };
    assert_eq!(&*response.reward_action_id, "b");
    let seen = seen.recv().unwrap();
    assert_eq!(seen.line, "POST /personalizer/v1.0/rank HTTP/1.1");
    assert_eq!(seen.key.as_deref(), Some(KEY));
    let sent = concat!(
        r#"{"contextFeatures":[],"actions":[{"id":"a","features":[]},{"id":"b","features":[]}],"#,
        r#""excludedActions":[],"eventId":"e","deferActivation":false}"#,
    );
    assert_eq!(seen.body, sent);
}

#[test]
fn an_event_id_travels_in_one_encoded_segment() {
    let (url, seen) = serve(answer("204 No Content", ""));
    let target = target(&format!("{url}/"));
    block_on(target.reward(address(), &"a/b ?#é".into(), 1.0)).unwrap();
    let seen = seen.recv().unwrap();
    let line = "POST /personalizer/v1.0/events/a%2Fb%20%3F%23%C3%A9/reward HTTP/1.1";
    assert_eq!(seen.line, line);
    assert_eq!(seen.body, r#"{"value":1.0}"#);
}

#[test]
fn failures_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused = block_on(target(&format!("http://{closed}")).model_properties()).unwrap_err();
    assert_eq!(refused.kind, FailureKind::Connect, "{refused}");
    let cut = rank_against(answer("201 Created", "{}").replace("Length: 2", "Length: 50"));
    assert!(matches!(cut.kind, FailureKind::Transport), "{cut}");
    let garbage = rank_against(answer("201 Created", "<html>"));
    assert_eq!(garbage.kind, FailureKind::Protocol(Violation::Json));
    assert!(garbage.message.contains("<html>"), "{garbage}");
    let quota = rank_against(answer("429 Too Many Requests", ""));
    assert_eq!(quota.kind, FailureKind::Status(429));
}

#[test]
fn a_refusal_says_why_and_no_error_says_the_key() {
    let body = r#"{"error":{"code":"InvalidRankRequest","message":"51 actions"}}"#;
    let refused = rank_against(answer("400 Bad Request", body));
    let (origin, why) = refused.message.split_at(refused.message.find(": ").unwrap());
    assert!(origin.starts_with("http://127.0.0.1:"), "{origin}");
    assert_eq!(why, ": 400 Bad Request: InvalidRankRequest: 51 actions");
    let elsewhere = rank_against(answer("302 Found\r\nLocation: http://127.0.0.1:1/", ""));
    assert_eq!(elsewhere.kind, FailureKind::Status(302), "redirects would carry the key elsewhere");
    for error in [refused, elsewhere] {
        assert!(!format!("{error} {error:?}").contains(KEY));
    }
}

/// Answers the requests of each connection in turn with its replies, and closes it after the last
/// of them; an empty reply is none. Tells of each request which connection it came on.
fn serve_connections<const N: usize>(replies: [Vec<String>; N]) -> (String, Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for (number, replies) in replies.iter().enumerate() {
            let (mut stream, _) = listener.accept().unwrap();
            for reply in replies {
                if read_request(&stream).is_none() {
                    break;
                }
                sender.send(number).unwrap();
                stream.write_all(reply.as_bytes()).unwrap();
            }
        }
    });
    (address, receiver)
}

/// An answer after which the connection is kept.
fn kept(headers: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn model(headers: &str) -> String {
    let time = "2020-01-01T00:00:00Z";
    kept(headers, &format!("{{\"creationTime\":\"{time}\",\"lastModifiedTime\":\"{time}\"}}"))
}

fn ranked() -> String {
    let body = concat!(
        r#"{"ranking":[{"id":"b","probability":0.9},{"id":"a","probability":0.1}],"#,
        r#""eventId":"e","rewardActionId":"b"}"#,
    );
    kept("", body)
}

/// No answer: the connection is closed.
fn none() -> String {
    String::new()
}

/// What becomes of two questions, and of two Ranks.
async fn twice<A>(mut call: impl AsyncFnMut() -> Result<A, CallError>) -> Result<A, CallError> {
    call().await.unwrap_or_else(|error| panic!("the first call: {error}"));
    call().await
}

/// A service closes a kept connection while the next request is sent on it. An idempotent request is
/// repeated once on a new connection. If that is closed as well, the call has failed.
#[test]
fn a_question_is_repeated_on_a_new_connection() {
    let (url, seen) = serve_connections([vec![model(""), none()], vec![model("")]]);
    let target = target(&url);
    block_on(twice(async || target.model_properties().await)).unwrap();
    assert_eq!(seen.iter().take(3).collect::<Vec<_>>(), [0, 0, 1]);
    let note = "1 call was made again: the service had closed the connection that it kept";
    assert_eq!(target.take_notes(), [note]);
    assert!(target.take_notes().is_empty());

    let (url, seen) = serve_connections([vec![model(""), none()], vec![none()], vec![model("")]]);
    let target = patient(&url, 0);
    let failed = block_on(twice(async || target.model_properties().await)).unwrap_err();
    assert_eq!(failed.kind, FailureKind::Transport);
    assert_eq!(seen.iter().take(3).collect::<Vec<_>>(), [0, 0, 1]);
}

/// A target of which questions are retried so often.
fn patient(url: &str, questions: u32) -> HttpTarget {
    let plan = scenario::usual_service(url);
    let retries = Retries { questions, ..plan.retries };
    HttpTarget::new(&HttpPlan { retries, ..plan }, Seed(42), WallClock::start_now()).unwrap()
}

/// Some of an answer came, so that the service took the call.
#[test]
fn an_answer_that_began_is_not_asked_for_again() {
    let (url, seen) =
        serve_connections([vec![model(""), "HTTP/1.1 2".to_owned()], vec![model("")]]);
    let target = patient(&url, 0);
    let failed = block_on(twice(async || target.model_properties().await)).unwrap_err();
    assert_eq!(failed.kind, FailureKind::Transport);
    assert_eq!(seen.iter().take(2).collect::<Vec<_>>(), [0, 0]);
    assert!(target.take_notes().is_empty());
}

/// The service may have taken it: only one that can tell a call from its repetition gets it twice.
#[test]
fn a_rank_is_repeated_where_it_has_a_key() {
    let (url, seen) = serve_connections([vec![ranked(), none()], vec![ranked()]]);
    let target = target(&url);
    let rank = async |target: &HttpTarget| target.rank(address(), &rank_request()).await;
    let failed = block_on(twice(async || rank(&target).await)).unwrap_err();
    assert_eq!(failed.kind, FailureKind::Transport);
    assert!(failed.message.contains("may have taken the call"), "{failed}");
    assert_eq!(seen.iter().take(2).collect::<Vec<_>>(), [0, 0]);

    let (url, seen) = serve_connections([vec![ranked(), none()], vec![ranked()]]);
    let plan = scenario::usual_service(&url);
    let key =
        Header { name: "Idempotency-Key".to_owned(), value: Secret::new("k"), is_secret: false };
    let plan = HttpPlan { headers: vec![key], ..plan };
    let target = HttpTarget::new(&plan, Seed(42), WallClock::start_now()).unwrap();
    block_on(twice(async || rank(&target).await)).unwrap();
    assert_eq!(seen.iter().take(3).collect::<Vec<_>>(), [0, 0, 1]);
}

/// What is not plain HTTP/1.1 goes through another client, here through a proxy: an idempotent call is
/// repeated once and counted there too, and a Rank is not.
#[test]
fn a_question_is_repeated_through_a_proxy() {
    let through = |proxy: &str| {
        let plan = scenario::usual_service("http://service.example");
        let proxy = Some(Secret::new(proxy));
        let connection = ConnectionPlan { proxy, ..plan.connection };
        HttpTarget::new(&HttpPlan { connection, ..plan }, Seed(42), WallClock::start_now()).unwrap()
    };
    let (proxy, seen) = serve_connections([vec![model(""), none()], vec![model("")]]);
    let target = through(&proxy);
    block_on(twice(async || target.model_properties().await)).unwrap();
    assert_eq!(seen.iter().take(3).collect::<Vec<_>>(), [0, 0, 1]);
    let note = "1 call was made again: the service had closed its connection";
    assert_eq!(target.take_notes(), [note]);

    let (proxy, seen) = serve_connections([vec![ranked(), none()], vec![ranked()]]);
    let target = through(&proxy);
    let failed = block_on(twice(async || target.rank(address(), &rank_request()).await));
    assert_eq!(failed.unwrap_err().kind, FailureKind::Transport);
    assert_eq!(seen.iter().take(2).collect::<Vec<_>>(), [0, 0]);
    assert!(target.take_notes().is_empty());
}

/// What the plan retries is repeated at once, and costs none of the retries.
#[test]
fn a_rank_is_repeated_where_it_may_be_retried() {
    let (url, seen) = serve_connections([vec![ranked(), none()], vec![ranked()]]);
    let plan = scenario::usual_service(&url);
    let retries = Retries { rank: 1, ..plan.retries };
    let plan = HttpPlan { retries, ..plan };
    let target = HttpTarget::new(&plan, Seed(42), WallClock::start_now()).unwrap();
    block_on(twice(async || target.rank(address(), &rank_request()).await)).unwrap();
    assert_eq!(seen.iter().take(3).collect::<Vec<_>>(), [0, 0, 1]);
    let note = "1 call was made again: the service had closed the connection that it kept";
    assert_eq!(target.take_notes(), [note]);
}

/// A service says `Keep-Alive: timeout=…`: near the end of that time, a new connection is opened.
#[test]
fn a_connection_is_not_used_when_the_service_is_about_to_close_it() {
    let short = || model("Keep-Alive: timeout=1\r\n");
    let (url, seen) = serve_connections([vec![short(), short()], vec![short()]]);
    let target = target(&url);
    block_on(twice(async || target.model_properties().await)).unwrap();
    assert_eq!(seen.iter().take(2).collect::<Vec<_>>(), [0, 1]);
}
