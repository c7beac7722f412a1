//! Services of other shapes: errors in answers with status 200, lists of scores, distributions from
//! which the client draws, decisions in headers and in plain text, repeated fields.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use serde_json::json;

use super::Trial;
use crate::faults::service::{Reply, Request, Service};

const DRINKS: [&str; 4] = ["Cappucino", "Cold brew", "Iced mocha", "Latte"];

fn phases(iterations: u32) -> String {
    format!("phases:\n  - iterate: {{ name: p, iterations: {iterations} }}")
}

/// A GraphQL server says what went wrong with status 200, to questions and to mutations.
#[test]
fn an_answer_of_success_may_say_that_the_call_failed() {
    let service = Service::start(|request: &Request| {
        let number = request.body["variables"]["n"].as_u64().unwrap();
        let is_reward = request.body["query"].as_str().unwrap().starts_with("mutation");
        let error =
            json!({ "data": null, "errors": [{ "message": "rate limited, TOKEN-canary" }] });
        let right = json!({ "data": { "pick": { "sku": "Latte" } }, "errors": [] });
        let fails = if is_reward { number % 5 == 1 } else { number.is_multiple_of(5) };
        let body = if fails { error } else { right }.to_string();
        let chunk = format!("{:x}; ext=1\r\n{body}\r\n0\r\nX-Trailer: t\r\n\r\n", body.len());
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked \r\n\r\n";
        Reply::Pieces(vec![head.into(), chunk.into_bytes()])
    });
    let target = format!(
        "  url: {}\n  headers: {{ X-Key: \"${{TOKEN}}\" }}\n  rank:\n    post: /graphql\n    error: $.errors\n    \
         body: {{ query: \"query {{ pick }}\", variables: {{ n: \"{{{{ iteration }}}}\" }} }}\n    \
         take: {{ action: $.data.pick.sku }}\n  reward:\n    post: /graphql\n    error: $.errors\n    \
         body: {{ query: \"mutation {{ learn }}\", variables: {{ n: \"{{{{ iteration }}}}\" }} }}",
        service.url(),
    );
    let trial = Trial::new(&target, &phases(20)).environment("TOKEN", "TOKEN-canary");
    let outcome = trial.run();
    let expected = [("completed", 12), ("rank.refused", 4), ("reward.refused", 4)];
    assert_eq!(outcome.outcomes(), expected.map(|(name, count)| (name.to_owned(), count)).into());
    outcome.says(0, &[]);
    // One that always fails says what the service said, without secrets.
    let always = target.replace("{ n: \"{{ iteration }}\" }", "{ n: 0 }");
    let outcome = Trial::new(&always, &phases(30)).environment("TOKEN", "TOKEN-canary").run();
    outcome.says(6, &["`rank`: the answer has [{\"message\":\"rate limited, ", "at `$.errors`"]);
    assert!(!outcome.stderr.contains("canary"), "{}", outcome.stderr);
}

/// What `$.status` does not call `ok` failed; without a word for it the excerpt of the answer helps.
#[test]
fn an_answer_without_what_is_taken_is_shown() {
    let body = json!({ "status": "degraded", "reason": "warming up" }).to_string();
    let service = Service::start(move |_| Reply::Answer(200, "", body.clone()));
    let target = |error: &str| {
        format!(
            "  url: {}\n  rank: {{ post: /rank, {error}take: {{ action: $.item }} }}",
            service.url()
        )
    };
    let plain = Trial::new(&target(""), &phases(30)).run();
    plain.says(6, &["nothing at `$.item`: {\"reason\":\"warming up\""]);
    let told =
        Trial::new(&target("error: { path: $.status, unless: [ok, 1] }, "), &phases(30)).run();
    told.says(6, &["the answer has \"degraded\" at `$.status`"]);
}

/// A model server: scores in the order of the actions, in a list of lists; the reward is a GET
/// whose fields repeat.
#[test]
fn scores_by_place_and_fields_that_repeat() {
    let service = Service::start(|request: &Request| {
        if request.path.starts_with("/learn") {
            return Reply::Answer(202, "Location: /jobs/1\r\n", String::new());
        }
        let rows = request.body["instances"].as_array().unwrap();
        assert_eq!(rows[0].as_array().unwrap().len(), 10, "{rows:?}");
        Reply::Answer(200, "", json!({ "predictions": [[-1.5, "2.5e0", 0, 1]] }).to_string())
    });
    let target = format!(
        "  url: {}\n  rank:\n    post: /v1/models/coffee:predict\n    \
         body: {{ instances: [\"{{{{ context | one_hot }}}}\"] }}\n    \
         take: {{ ranking: {{ path: \"$.predictions[0]\", action: key, score: $ }} }}\n  \
         reward:\n    get: /learn\n    query:\n      arm: \"{{{{ action }}}}\"\n      \
         offered: [\"{{{{ action_ids }}}}\"]\n      \"tags[]\": [load test, 1, \"{{{{ context.weather }}}}\"]\n      \
         json: \"{{{{ action_ids }}}}\"\n    status: 202",
        service.url(),
    );
    let outcome = Trial::new(&target, &phases(5)).run();
    outcome.says(0, &["`take` has no probability"]);
    assert!(
        outcome.read().records.iter().all(|record| record.chosen.as_deref() == Some(DRINKS[1]))
    );
    let seen = service.seen();
    let reward = seen.iter().find(|seen| seen.method == "GET").unwrap();
    let repeated = "/learn?arm=Cold%20brew&offered=Cappucino&offered=Cold%20brew&offered=Iced%20mocha\
        &offered=Latte&tags%5B%5D=load%20test&tags%5B%5D=1&tags%5B%5D=";
    assert!(reward.path.starts_with(repeated), "{}", reward.path);
    assert!(reward.path.ends_with(
        "&json=%5B%22Cappucino%22%2C%22Cold%20brew%22%2C%22Iced%20mocha%22%2C%22Latte%22%5D"
    ));
}

/// A policy that decides nothing: it gives a distribution in percent by name, and the caller draws.
/// It answers in HTTP/1.0, compressed without a header of zlib, and with a byte order mark.
#[test]
fn a_distribution_to_draw_from() {
    let service = Service::start(|request: &Request| {
        if request.path == "/outcome" {
            return Reply::Bytes(b"HTTP/1.0 200 OK\r\n\r\n".to_vec());
        }
        let body = json!({ "p": { "Latte": "70", "Cappucino": 30, "Cold brew": 0.0 } }).to_string();
        let text = format!("\u{feff}{body} \n");
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::fast());
        raw.write_all(text.as_bytes()).unwrap();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&raw.finish().unwrap()).unwrap();
        let head = b"HTTP/1.0 200 OK\r\nContent-Encoding: deflate, gzip\r\n\r\n".to_vec();
        Reply::Bytes([head, gzip.finish().unwrap()].concat())
    });
    let target = format!(
        "  url: {}\n  rank:\n    post: /policy\n    form: {{ arms: [\"{{{{ action_ids }}}}\"], k: 1 }}\n    \
         take: {{ ranking: {{ path: $.p, action: key, probability: {{ path: $, scale: percent }}, choose: draw }} }}\n  \
         reward: {{ post: /outcome, form: {{ arm: \"{{{{ action }}}}\", r: \"{{{{ reward }}}}\" }} }}",
        service.url(),
    );
    let run = || Trial::new(&target, &phases(200)).run();
    let outcome = run();
    outcome.says(0, &[]);
    let records = outcome.read().records;
    let of = |drink: &str, probability: f32| {
        let chosen = |record: &&record::IterationRecord| record.chosen.as_deref() == Some(drink);
        assert!(
            records.iter().filter(chosen).all(|record| record.probability == Some(probability))
        );
        records.iter().filter(chosen).count()
    };
    let (latte, cappucino) = (of("Latte", 0.7), of("Cappucino", 0.3));
    assert_eq!(latte + cappucino, 200);
    // The binomial deviation is 6.5.
    assert!((110..170).contains(&latte), "{latte}");
    assert_eq!(
        service.seen_at("/policy")[0].text,
        "arms=Cappucino&arms=Cold%20brew&arms=Iced%20mocha&arms=Latte&k=1"
    );
    let chosen = |of: &[record::IterationRecord]| {
        of.iter().map(|record| record.chosen.clone()).collect::<Vec<_>>()
    };
    assert_eq!(chosen(&run().read().records), chosen(&records), "draws follow the seed");
}

/// An edge that answers without a body: everything stands in headers, also such as every service
/// sends. Its session is a token in a header.
#[test]
fn a_decision_in_headers() {
    let service = Service::start(|request: &Request| {
        let authorized =
            request.headers.iter().any(|(name, value)| name == "x-auth" && value == "t-1");
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/token") => Reply::Answer(204, "X-Auth-Token: t-1\r\n", String::new()),
            _ if !authorized => Reply::Answer(401, "", String::new()),
            ("GET", _) => Reply::Bytes(
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nServer: 3 \r\nX-LogP:  -0.5 \r\n\
                  Date: id-9\r\nConnection: close\r\n\r\n"
                    .to_vec(),
            ),
            ("DELETE", "/visits/id-9?value=1.0" | "/visits/id-9?value=0.0") => Reply::Answer(204, "", String::new()),
            _ => Reply::Answer(404, "", String::new()),
        }
    });
    let target = format!(
        "  url: {}\n  session: {{ post: /token, take: {{ token: {{ header: X-Auth-Token }} }} }}\n  \
         headers: {{ X-Auth: \"{{{{ session.token }}}}\", Expect: 100-continue }}\n  \
         rank:\n    get: /edge\n    query: {{ offer: [a, b] }}\n    take:\n      \
         action: {{ header: server, by: index }}\n      event: {{ header: Date }}\n      \
         probability: {{ header: X-LogP, scale: log }}\n  \
         reward: {{ delete: \"/visits/{{{{ event }}}}\", query: {{ value: \"{{{{ reward }}}}\" }} }}",
        service.url(),
    );
    let outcome = Trial::new(&target, &phases(10)).run();
    outcome.says(0, &[]);
    let records = outcome.read().records;
    assert!(records.iter().all(|record| record.chosen.as_deref() == Some("Latte")));
    let near = |p: f32| (p - (-0.5_f32).exp()).abs() < 1e-6;
    assert!(records.iter().all(|record| record.probability.is_some_and(near)));
    let missing = target.replace("{ header: Date }", "{ header: X-Id }");
    let outcome = Trial::new(&missing, &phases(1)).run();
    assert_eq!(outcome.outcomes(), [("rank.protocol_event".to_owned(), 1)].into());
}

/// A service that answers in plain text, refuses every third call for a moment, in both forms of
/// `Retry-After`, and closes its connections.
#[test]
fn a_decision_in_a_text_after_a_retry() {
    let calls = AtomicU64::new(0);
    let service = Service::start(move |_| {
        match calls.fetch_add(1, Ordering::SeqCst) % 6 {
        0 => {
            Reply::Answer(429, "Retry-After: 0\r\nContent-Type: text/html\r\n", "later".to_owned())
        }
        3 => Reply::Answer(429, "Retry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\n", String::new()),
        _ => Reply::Bytes(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: 8 \r\n\r\n Latte \n"
                .to_vec(),
        ),
    }
    });
    let target = format!(
        "  url: {}\n  tags: {{ build: b1 }}\n  retries: {{ rank: 1 }}\n  rank: {{ get: /choose, answer: text, take: {{ action: $ }} }}",
        service.url(),
    );
    let rest = phases(8) + "\nexpect: [\"{build: b1}.iterations == 8\"]";
    let outcome = Trial::new(&target, &rest).run();
    outcome.says(0, &["4 calls were retried, 4 of them after the time that the service asked for"]);
    assert!(outcome.read().records.iter().all(|record| record.chosen.as_deref() == Some("Latte")));
}

/// Mistakes are found before anything is sent.
#[test]
fn what_cannot_be_taken_is_refused() {
    let take = |take: &str| {
        let target = format!("  url: http://127.0.0.1:9\n  rank: {{ post: /rank, take: {take} }}");
        Trial::new(&target, &phases(1)).check(&[])
    };
    let refused = |text: &str, says: &[&str]| take(text).says(2, says);
    refused(
        "{ ranking: { path: $.p, action: key } }",
        &["names and places have no order", "`score: $`"],
    );
    // The probability of what is most probable is not that of the choice.
    refused(
        "{ ranking: { path: $.p, action: key, probability: $ } }",
        &["nothing says which of the actions is chosen", "`choose: draw`"],
    );
    refused(
        "{ ranking: { path: $.p, choose: draw } }",
        &["a draw needs the probabilities", "`probability: $.p`"],
    );
    refused(
        "{ action: $.a, ranking: { path: $.p, probability: $.q, choose: draw } }",
        &["so none is drawn"],
    );
    refused(
        "{ action: { path: $.a, header: X-A } }",
        &["a value has one of `path`, `header` and `cookie`"],
    );
    refused("{ action: { header: \"X A\" } }", &["`X A` is not the name of a header"]);
    refused("{ action: $.a, probability: { path: $.p, scale: percents } }", &["`percent`"]);
    let fields = "  url: http://127.0.0.1:9\n  rank: { get: /rank, query: { a: [], b: [{ c: 1 }] }, take: { action: $ } }";
    Trial::new(fields, &phases(1)).check(&[]).says(2, &["`b`"]);
}
