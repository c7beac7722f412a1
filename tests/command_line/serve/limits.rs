//! Callers that are large, many, slow or broken.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use learning_loop::{LoopLimits, LoopOptions};
use server::{Keys, Limits};

use super::contract::rank_request;
use super::served::Served;

const JSON: &str = "Content-Type: application/json\r\n";
const RANK: &str = "/personalizer/v1.0/rank";

fn limited(limits: Limits) -> Served {
    Served::start(LoopOptions::default(), Keys::default(), limits)
}

#[test]
fn a_body_that_is_too_large_is_not_read() {
    let served = Served::new();
    let head = format!(
        "POST {RANK} HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 100000000\r\n\r\n"
    );
    let answer = served.send(head.as_bytes());
    assert_eq!(answer.refusal(400), "PayloadSizeExceeded");
}

#[test]
fn a_body_that_does_not_say_how_large_it_is_is_read_so_far() {
    let served = Served::new();
    let head = format!(
        "POST {RANK} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n"
    );
    let mut stream = served.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 65536], b"\r\n".to_vec()].concat();
    // The service answers and closes while the caller still writes.
    while stream.write_all(&chunk).is_ok() {}
    let mut answer = Vec::new();
    // What was on its way may end in a reset, which may take the answer with it.
    let _reset = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    assert!(text.is_empty() || text.contains("PayloadSizeExceeded"), "{text}");
    served.get("/model/properties").json(200);
}

#[test]
fn deep_json_and_other_types_are_refused() {
    let served = Served::new();
    let deep = format!(r#"{{"actions":{}"#, "[".repeat(100_000));
    assert_eq!(served.call("POST", RANK, JSON, deep.as_bytes()).refusal(400), "InvalidRankRequest");
    let body = rank_request("typed").to_string();
    for kind in
        ["", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"]
    {
        assert_eq!(served.call("POST", RANK, kind, body.as_bytes()).refusal(415), "415");
    }
}

#[test]
fn headers_beyond_measure_are_refused() {
    let served = Served::new();
    let large = format!("X-Large: {}\r\n", "x".repeat(400_000));
    assert_eq!(served.call("GET", RANK, &large, b"").status, 431);
    let many = "X: y\r\n".repeat(1000);
    assert_eq!(served.call("GET", RANK, &many, b"").status, 431);
}

#[test]
fn who_never_ends_its_headers_is_left() {
    let served = limited(Limits { header_time: Duration::from_millis(50), ..Limits::default() });
    let mut stream = served.connect();
    stream.write_all(b"GET /personalizer/v1.0/rank HTTP/1.1\r\nHost: lo").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
}

#[test]
fn the_oldest_idle_connection_gives_way_to_a_new_one() {
    let served = limited(Limits { connections: 2, ..Limits::default() });
    let mut half = served.connect();
    half.write_all(b"GET /status HTTP/1.1\r\nHost: lo").unwrap();
    let mut kept = served.connect();
    kept.write_all(b"GET /swagger HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    kept.read_exact(&mut [0; 12]).unwrap();
    served.get("/model/properties").json(200);
    let mut rest = Vec::new();
    assert!(half.read_to_end(&mut rest).is_err() || rest.is_empty(), "it was closed");
}

/// Attackers who open all connections that there are, and leave each in the middle.
#[test]
fn clients_that_stop_in_the_middle_do_not_keep_others_out() {
    let head = format!("POST {RANK} HTTP/1.1\r\nHost: localhost\r\n{JSON}");
    let half_a_body = format!("{head}Content-Length: 100\r\n\r\n{{");
    for beginning in ["", "POST / HTTP/1.1\r\nHost: lo", half_a_body.as_str()] {
        let served = limited(Limits { connections: 4, ..Limits::default() });
        let hold = |_| {
            let mut stream = served.connect();
            stream.write_all(beginning.as_bytes()).unwrap();
            stream
        };
        let _held: Vec<_> = (0..12).map(hold).collect();
        let is_answered = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // A client is slow after a second.
                while !is_answered.load(Ordering::SeqCst) {
                    served.pass(Duration::from_millis(100));
                    std::thread::park_timeout(std::time::Duration::from_millis(1));
                }
            });
            served.post("/rank", &rank_request("good")).json(201);
            is_answered.store(true, Ordering::SeqCst);
        });
    }
}

#[test]
fn large_answers_are_compressed_for_those_who_accept_it() {
    let served = Served::new();
    for number in 0..40 {
        served.post("/rank", &rank_request(&number.to_string())).json(201);
    }
    let ask = |accept: &str| served.call("GET", "/log.dsjson?open=true", accept, b"");
    let plain = ask("");
    assert_eq!(plain.header("content-encoding"), None);
    for refused in ["Accept-Encoding: br\r\n", "Accept-Encoding: gzip;q=0\r\n"] {
        assert_eq!(ask(refused).header("content-encoding"), None, "{refused}");
    }
    let packed = ask("Accept-Encoding: br;q=1, gzip;q=0.5\r\n");
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.header("vary").unwrap().to_lowercase().contains("accept-encoding"));
    let mut text = String::new();
    let chunks = packed.dechunked();
    flate2::read::GzDecoder::new(&*chunks).read_to_string(&mut text).unwrap();
    let lines = |text: &str| text.lines().filter(|line| line.starts_with('{')).count();
    assert_eq!((lines(&text), lines(&plain.text())), (40, 40));
}

/// What is no feature takes no multiplications, but memory.
#[test]
fn values_that_are_no_features_have_a_bound() {
    let served = Served::new();
    for value in ["{}", r#"{"_x":1}"#, r#"{"x":null}"#, r#"{"x":{}}"#, r#"{"x":[0,0]}"#] {
        let many = vec![value; 60_000].join(",");
        let request = rank_request("many").to_string();
        let start = request.find(r#""contextFeatures":["#).unwrap() + 19;
        let body = format!("{}{many},{}", &request[..start], &request[start..]);
        let answer = served.call("POST", RANK, JSON, body.as_bytes());
        assert!(answer.text().contains("values at most"), "{}", answer.text());
        assert_eq!(answer.refusal(400), "InvalidRankRequest");
    }
}

#[test]
fn rewards_of_one_event_have_a_bound() {
    let options = LoopOptions {
        policy: learner::LearningPolicy::parse(protocol::DEFAULT_SLOTS_POLICY).unwrap().into(),
        ..LoopOptions::default()
    };
    let served = Served::start(options, Keys::default(), Limits::default());
    let reward = |count: usize| {
        let one = serde_json::json!({"slotId": "s", "value": 1});
        served.post("/multislot/events/e/reward", &serde_json::json!({"reward": vec![one; count]}))
    };
    reward(1000).is_empty(204);
    // More than the queue has room for would wait without end.
    for count in [1001, 100_000] {
        let answer = reward(count);
        assert!(answer.text().contains(&format!("found {count}")), "{}", answer.text());
        assert_eq!(answer.refusal(400), "InvalidRewardRequest");
    }
    served.post("/rank", &rank_request("one")).json(201);
}

#[test]
fn pending_evaluations_have_a_bound() {
    let served = Served::new();
    let contract = serde_json::json!({"name": "n", "startTime": "2026-01-01T00:00:00Z",
        "endTime": "2026-01-02T00:00:00Z", "policies": [], "enableOfflineExperimentation": true});
    let refused = (0..2000).find_map(|_| {
        let answer = served.post("/evaluations", &contract);
        (answer.status != 201).then_some(answer)
    });
    let answer = refused.expect("there is a limit");
    assert!(answer.text().contains("which is the limit"), "{}", answer.text());
    assert_eq!(answer.refusal(400), "InvalidEvaluationContract");
}

#[test]
fn a_gzip_body_is_read_and_other_encodings_are_refused_by_name() {
    let served = Served::new();
    let pack = |body: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let gzip = format!("{JSON}Content-Encoding: gzip\r\n");
    let body = pack(rank_request("packed").to_string().as_bytes());
    assert_eq!(served.call("POST", RANK, &gzip, &body).json(201)["eventId"], "packed");
    let bomb = pack(&vec![b' '; 8 << 20]);
    assert_eq!(served.call("POST", RANK, &gzip, &bomb).refusal(400), "PayloadSizeExceeded");
    assert_eq!(served.call("POST", RANK, &gzip, b"{}").refusal(400), "BadRequest");
    let behind = [&body[..], b"more"].concat();
    assert_eq!(served.call("POST", RANK, &gzip, &behind).refusal(400), "BadRequest");
    for (encodings, named) in [
        ("Content-Encoding: br\r\n", "`br`"),
        ("Content-Encoding: gzip, gzip\r\n", "`gzip, gzip`"),
        ("Content-Encoding: gzip\r\nContent-Encoding: br\r\n", "`gzip, br`"),
    ] {
        let other = served.call("POST", RANK, &format!("{JSON}{encodings}"), &body);
        assert_eq!(other.status, 415);
        assert!(other.text().contains(named), "{}", other.text());
    }
}

#[test]
fn all_bodies_together_have_a_budget() {
    let served = limited(Limits { upload_bytes: 1000, ..Limits::default() });
    let body = format!(r#"{{"more":"{}"}}"#, "x".repeat(2000));
    let answer = served.call("POST", RANK, JSON, body.as_bytes());
    assert_eq!(answer.refusal(503), "503");
    served.post("/rank", &rank_request("small")).json(201);
}

#[test]
fn a_rank_that_takes_too_much_work_is_refused_and_says_by_how_much() {
    let (rank_work, model_bytes) = (4_000_000, 1 << 26);
    let limits =
        LoopLimits { rank_work, model_bytes, event_bytes: 1 << 30, ..LoopLimits::CONTRACT };
    let options = LoopOptions { limits, ..LoopOptions::default() };
    let served = Served::start(options, Keys::default(), Limits::default());
    let mut request = rank_request("large");
    let features = (0..10_000).map(|number| (format!("f{number}"), serde_json::json!(1)));
    request["contextFeatures"] = serde_json::json!([features.collect::<serde_json::Map<_, _>>()]);
    let answer = served.post("/rank", &request);
    assert!(answer.text().contains("the limit is 4000000"), "{}", answer.text());
    assert_eq!(answer.refusal(400), "InvalidRankRequest");
    let policy = |arguments: &str| {
        let body = serde_json::json!({"name": "p", "arguments": arguments});
        served.put("/configurations/policy", &body)
    };
    for arguments in
        ["-b 28", "--bag 1000", &format!("--interactions {}", ":".repeat(200)), "-b 22 --cover 3"]
    {
        let answer = policy(&format!("--cb_explore_adf {arguments}"));
        assert_eq!(answer.refusal(400), "InvalidPolicyConfiguration", "{arguments}");
    }
    policy("--cb_explore_adf -b 20 --cubic :::").json(200);
}

#[test]
fn garbage_is_answered_and_forgotten() {
    let served = Served::new();
    assert_eq!(served.send(b"\x16\x03\x01\x02\x00\x01\r\n\r\n").status, 400);
    served.get("/model/properties").json(200);
}

#[test]
fn what_is_in_flight_is_finished_before_the_end() {
    let served = Served::new();
    let body = rank_request("in flight").to_string();
    let head = format!(
        "POST {RANK} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n{JSON}Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = served.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let mut goon = [0; 25];
    stream.read_exact(&mut goon).unwrap();
    assert_eq!(&goon, b"HTTP/1.1 100 Continue\r\n\r\n");
    let address = served.address;
    let stopping = std::thread::spawn(move || served.stop());
    while std::net::TcpStream::connect(address).is_ok() {}
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    stopping.join().unwrap();
}
