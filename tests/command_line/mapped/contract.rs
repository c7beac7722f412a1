//! Answers that are not what the scenario says, counted by kind.

use serde_json::{Value, json};

use super::{Outcome, Trial};
use crate::faults::service::{Reply, Request, Service};

const TEN: &str = "phases:\n  - iterate: { name: p, iterations: 10 }";

/// What the fourth of ten decisions is; the others are right.
fn fourth(
    spoiled: impl Fn(&Request, Value) -> Reply + Send + Sync + 'static,
) -> (Service, Outcome) {
    let service = Service::start(move |request: &Request| {
        if request.path != "/rank" {
            return Reply::Answer(200, "", "{}".to_owned());
        }
        let visit = &request.body["visit"];
        let ranked = json!([
            { "id": "Latte", "p": 0.7 }, { "id": "Cold brew", "p": 0.1 },
            { "id": "Cappucino", "p": 0.1 }, { "id": "Iced mocha", "p": 0.1 },
        ]);
        let right = json!({ "visit": visit, "id": 7, "item": "Latte", "ranked": ranked });
        if request.ranks == 3 {
            spoiled(request, right)
        } else {
            Reply::Answer(200, "", right.to_string())
        }
    });
    let target = format!(
        "  url: {}\n  rank:\n    post: /rank\n    body: {{ visit: \"{{{{ event_id }}}}\" }}\n    \
         take: {{ action: $.item, ranking: {{ path: $.ranked, action: $.id, probability: $.p }}, event: $.id, echo: $.visit }}\n  \
         reward: {{ post: /reward, body: {{ id: \"{{{{ event }}}}\", value: \"{{{{ reward }}}}\" }} }}",
        service.url(),
    );
    let outcome = Trial::new(&target, TEN).run();
    (service, outcome)
}

fn changed(pointer: &str, value: Value, mut answer: Value) -> Reply {
    *answer.pointer_mut(pointer).unwrap() = value;
    Reply::Answer(200, "", answer.to_string())
}

#[test]
fn what_is_not_as_the_scenario_says_is_counted_by_kind_and_not_rewarded() {
    type Spoil = Box<dyn Fn(&Request, Value) -> Reply + Send + Sync>;
    let with = |pointer: &'static str, value: Value| -> Spoil {
        Box::new(move |_, answer| changed(pointer, value.clone(), answer))
    };
    let table: Vec<(&str, Spoil)> = vec![
        ("protocol_json", Box::new(|_, _| Reply::Answer(200, "", "<html>".to_owned()))),
        ("protocol_json", Box::new(|_, _| Reply::Answer(200, "", "{}".to_owned()))),
        ("protocol_json", with("/item", Value::Null)),
        ("protocol_json", with("/ranked", json!("Latte"))),
        ("protocol_json", with("/ranked/1/p", json!("much"))),
        ("protocol_event", with("/visit", json!("another"))),
        ("protocol_event", with("/id", json!(null))),
        ("protocol_action", with("/item", json!("tea"))),
        ("protocol_action", with("/ranked/1/id", json!("tea"))),
        ("protocol_action", with("/ranked/1/id", json!("Latte"))),
        ("protocol_action", with("/ranked", json!([]))),
        ("protocol_probability", with("/ranked/0/p", json!(1.7))),
        ("protocol_probability", with("/ranked/0/p", json!(0.1))),
        ("protocol_http", Box::new(|_, _| Reply::Bytes(b"SSH-2.0\r\n\r\n".to_vec()))),
        ("protocol_too_large", Box::new(|_, _| Reply::Flood(80 << 20))),
        (
            "protocol_encoding",
            Box::new(|_, answer| {
                Reply::Answer(200, "Content-Encoding: br\r\n", answer.to_string())
            }),
        ),
        ("status_503", Box::new(|_, _| Reply::Answer(503, "", "later".to_owned()))),
        ("status_422", Box::new(|_, _| Reply::Answer(422, "", "no".to_owned()))),
    ];
    for (index, (kind, spoil)) in table.into_iter().enumerate() {
        let (service, outcome) = fourth(spoil);
        let failed = format!("rank.{kind}");
        let expected = [("completed".to_owned(), 9), (failed, 1)].into();
        assert_eq!(outcome.outcomes(), expected, "{index} {kind}: {}", outcome.stderr);
        assert_eq!(service.seen_at("/reward").len(), 9, "{index} {kind}");
        outcome.says(if kind.starts_with("protocol") { 3 } else { 0 }, &[]);
    }
}

#[test]
fn a_service_that_never_answers_as_described_says_why() {
    let service = Service::start(|_| Reply::Answer(200, "", r#"{"choice":"Latte"}"#.to_owned()));
    let target =
        format!("  url: {}\n  rank: {{ post: /rank, take: {{ action: $.item }} }}", service.url());
    let rest = "phases:\n  - iterate: { name: p, iterations: 100 }";
    let outcome = Trial::new(&target, rest).run();
    outcome.says(6, &["the first 20 calls failed", "`rank`", "nothing at `$.item`"]);
}

#[test]
fn a_service_that_is_not_there_is_known_before_anything_is_sent() {
    let target = "  url: http://127.0.0.1:9\n  rank: { post: /rank, take: { action: $.item } }";
    let outcome = Trial::new(target, TEN).run();
    outcome.says(6, &["check host and port in `target.url`"]);
    assert!(outcome.read().records.is_empty());
}
