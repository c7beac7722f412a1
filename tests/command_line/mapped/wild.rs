//! Shapes as they are met in the wild: a choice that is marked in a list, a decision with several
//! parts, JSON in a text, envelopes with numbers in texts, batches of one, other codings; and what
//! is said of those that cannot be read.

use serde_json::{Value, json};

use super::{Outcome, Trial};
use crate::faults::service::{Reply, Request, Service};

const DRINKS: [&str; 4] = ["Cappucino", "Cold brew", "Iced mocha", "Latte"];

const PHASES: &str = "phases:\n  - iterate: { name: p, iterations: 20 }";

fn ok(body: &Value) -> Reply {
    Reply::Answer(200, "", body.to_string())
}

fn trial(service: &Service, calls: &str) -> Trial {
    Trial::new(&format!("  url: {}\n{calls}", service.url()), PHASES)
}

/// That all 20 iterations were completed, with this choice and this probability.
#[track_caller]
fn completed(outcome: &Outcome, chosen: &str, probability: Option<f32>) {
    outcome.says(0, &[]);
    assert_eq!(outcome.outcomes(), [("completed".to_owned(), 20)].into());
    let records = outcome.read().records;
    assert!(records.iter().all(|record| record.chosen.as_deref() == Some(chosen)));
    assert!(records.iter().all(|record| record.probability == probability));
}

/// A stateless service expects its whole decision with the reward: the token, the model and the
/// probability. Its answer lists all actions, and a field marks the chosen one.
#[test]
fn a_marked_choice_and_a_decision_of_several_parts() {
    let service = Service::start(|request: &Request| {
        if request.path == "/learn" {
            return Reply::Answer(204, "", String::new());
        }
        let item = |(place, name): (usize, &&str)| json!({ "id": name, "p": 0.25, "selected": place == 2, "token": format!("t-{place}") });
        let items: Vec<Value> = DRINKS.iter().enumerate().map(item).collect();
        ok(&json!({ "items": items, "model": 7 }))
    });
    let calls = r#"  rank:
    post: /decide
    take:
      ranking: { path: $.items, action: $.id, probability: $.p }
      action: "$.items[?@.selected == true].id"
      event: "$.items[?@.selected == true]"
  reward:
    post: /learn
    body: { token: "{{ event.token }}", p: "{{ probability }}", note: "of {{ event.id }}", arm: "{{ action.index }}", r: "{{ reward }}" }"#;
    let shown = trial(&service, calls).check(&["--show-request"]);
    shown.says(0, &[r#"{"token":"<event.token>","p":"<probability>","note":"of <event.id>","#]);
    completed(&trial(&service, calls).run(), "Iced mocha", Some(0.25));
    for learned in service.seen_at("/learn") {
        let Value::Object(mut body) = learned.body else { panic!("{}", learned.text) };
        assert!(body.remove("r").is_some_and(|reward| reward.is_number()));
        let expected = json!({ "token": "t-2", "p": 0.25, "note": "of Iced mocha", "arm": 2 });
        assert_eq!(Value::Object(body), expected);
    }
    let without = calls.replace(", probability: $.p", "");
    let refused = trial(&service, &without).check(&[]);
    refused.says(2, &["`probability` has no value: `take` has none", "`take: { probability: "]);
}

/// A gateway of functions wraps what a function says in a text.
#[test]
fn json_in_a_text() {
    let service = Service::start(|request: &Request| {
        let inner = match request.path.as_str() {
            "/2015-03-31/functions/decide/invocations" => json!({ "item": "Latte", "id": "d-7" }),
            "/broken" => return ok(&json!({ "statusCode": 500, "body": "<html>" })),
            "/other" => return ok(&json!({ "errorMessage": "timed out" })),
            _ => json!({ "error": null }),
        };
        ok(&json!({ "statusCode": 200, "body": inner.to_string() }))
    });
    let calls = r#"  rank:
    post: /2015-03-31/functions/decide/invocations
    answer: { json_in: $.body }
    take: { action: $.item, event: $.id }
  reward:
    post: /2015-03-31/functions/learn/invocations
    answer: { json_in: $.body }
    error: $.error
    body: { body: "{{ {'id': event, 'reward': reward} | tojson }}" }"#;
    completed(&trial(&service, calls).run(), "Latte", None);
    let reward = &service.seen_at("/learn/invocations")[0].body["body"];
    let reward: Value = serde_json::from_str(reward.as_str().unwrap()).unwrap();
    assert_eq!(reward["id"], "d-7");
    let elsewhere = |path: &str| calls.replace("/2015-03-31/functions/decide/invocations", path);
    let broken = trial(&service, &elsewhere("/broken")).run();
    assert_eq!(broken.outcomes(), [("rank.protocol_json".to_owned(), 20)].into());
    broken.says(6, &["the answer is not JSON", "<html>"]);
    let other = trial(&service, &elsewhere("/other")).run();
    other.says(6, &["the answer has no text at `$.body`: {\"errorMessage\":\"timed out\"}"]);
}

/// JSON of protocol buffers: numbers in texts, in camel case, within envelopes. The answer is that
/// to a batch of one.
#[test]
fn an_envelope_with_numbers_in_texts_and_a_batch_of_one() {
    let service = Service::start(|request: &Request| {
        if request.path.ends_with("/Log") {
            let is_right = request.body["outcome"]["value"].is_string();
            return if is_right { ok(&json!({})) } else { Reply::Answer(400, "", String::new()) };
        }
        let batch = &request.body["requests"][0];
        assert_eq!(batch["candidates"][3], json!({ "candidateId": 3, "name": "Latte" }));
        let selection = json!({ "candidateId": "3", "confidence": "25%", "rank": "1" });
        let decision = json!({ "requestId": batch["requestId"], "selection": selection });
        ok(&json!({ "result": { "decisions": [decision], "decisionToken": "dG9rZW4rLw==" } }))
    });
    let calls = r#"  headers: { Content-Type: application/json }
  actions: { candidateId: "{{ action.index }}", name: "{{ action.id }}" }
  rank:
    post: /bandit.v1.BanditService/BatchDecide
    body: { requests: [{ requestId: "{{ event_id }}", candidates: "{{ actions }}" }] }
    take:
      action: { path: "$.result.decisions[0].selection.candidateId", by: index }
      probability: { path: "$.result.decisions[0].selection.confidence", scale: percent }
      echo: "$.result.decisions[0].requestId"
      event: $.result.decisionToken
  reward:
    post: /bandit.v1.BanditService/Log
    body: { decisionToken: "{{ event }}", outcome: { value: "{{ reward | string }}" } }"#;
    completed(&trial(&service, calls).run(), "Latte", Some(0.25));
    assert!(service.seen_at("/Log").iter().all(|log| log.body["decisionToken"] == "dG9rZW4rLw=="));
    let fraction = calls.replace(", scale: percent", "");
    trial(&service, &fraction).run().says(6, &["is \"25%\": say `scale: percent`"]);
}

/// Arrays of pairs, and a distribution beside the names that it is of.
#[test]
fn pairs_and_parallel_lists() {
    let service = Service::start(|request: &Request| match request.path.as_str() {
        "/pairs" => {
            ok(&json!({ "arms": [["Latte", 0.5], ["Cold brew", 0.5]], "picked": [["Latte"]] }))
        }
        _ => ok(&json!({ "probs": [0.1, 0.2, 0.3, 0.4], "arm": 3 })),
    });
    let pairs = r#"  rank:
    post: /pairs
    take: { ranking: { path: $.arms, action: "$[0]", probability: "$[1]" }, action: "$.picked[0][0]" }"#;
    completed(&trial(&service, pairs).run(), "Latte", Some(0.5));
    let lists = "  rank:
    post: /lists
    take: { ranking: { path: $.probs, action: key, probability: $ }, action: { path: $.arm, by: index } }";
    completed(&trial(&service, lists).run(), "Latte", Some(0.4));
}

/// What compresses without being asked is read where it can be, and is never taken for JSON.
#[test]
fn codings_that_nobody_asked_for() {
    let service = Service::start(|request: &Request| {
        let (coding, body) = match request.path.as_str() {
            "/zstd" => ("zstd", zstd_frames::frame(br#"{"item":"Latte"}"#)),
            _ => ("br", b"\x0b\x07\x80{\"item\":\"Latte\"}\x03".to_vec()),
        };
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {length}\r\n\r\n"
        );
        Reply::Pieces(vec![[head.into_bytes(), body].concat()])
    });
    let call = |path: &str| format!("  rank: {{ post: {path}, take: {{ action: $.item }} }}");
    completed(&trial(&service, &call("/zstd")).run(), "Latte", None);
    let brotli = trial(&service, &call("/br")).run();
    assert_eq!(brotli.outcomes(), [("rank.protocol_encoding".to_owned(), 20)].into());
    brotli.says(6, &["compressed as `br`, which is not read", "Accept-Encoding: identity"]);
}

/// Each with what is said of it, by a run and by a probe.
#[test]
fn what_cannot_be_read_is_said_in_full() {
    let table: [(&str, u16, &str, &str, &str); 8] = [
        ("$.item", 200, "", r#"{"item":"Latte","p":NaN}"#, "is not JSON, which has no `NaN`"),
        ("$.item", 200, "", r#"{"p":-Infinity}"#, "is not JSON, which has no `Infinity`"),
        ("$.item", 200, "", "data: {\"item\":\"Latte\"}\n\n", "line 1 column 1): data: {\"item\""),
        ("$.item", 200, "", "{\"item\":\"Latte\"}\n{}", "trailing characters at line 2 column 1"),
        ("$.item", 200, "", r#"{"item":"LATTE"}"#, "`LATTE` was not sent, but `Cappucino`, `Cold"),
        ("$.item", 200, "", r#"{"item":[1e400]}"#, "number out of range"),
        (
            "$.item",
            307,
            "Location: /decide/?token=canary\r\n",
            "",
            "307 Temporary Redirect to `/decide/`, which is not followed",
        ),
        ("{ path: $.arm, by: index }", 200, "", r#"{"arm":4}"#, "`4` was not sent, but `0`, `1`"),
    ];
    for (action, status, headers, body, said) in table {
        let service = Service::start(move |_| Reply::Answer(status, headers, body.to_owned()));
        let call = format!("  rank: {{ post: /decide, take: {{ action: {action} }} }}");
        let outcome = trial(&service, &call).run();
        outcome.says(6, &[said]);
        let probed = trial(&service, &call);
        let output = probed.command(&["probe"]);
        let probed = probed.outcome(output);
        probed.says(6, &[said]);
        assert!(!format!("{}{}", probed.stdout, probed.stderr).contains("canary"));
    }
}
