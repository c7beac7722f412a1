//! What is sent and answered beside usual JSON: texts in bodies, codings, numbers as ids, costs.

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

#[track_caller]
fn completed(outcome: &Outcome, chosen: &str) {
    outcome.says(0, &[]);
    assert_eq!(outcome.outcomes(), [("completed".to_owned(), 20)].into());
    let records = outcome.read().records;
    assert!(records.iter().all(|record| record.chosen.as_deref() == Some(chosen)));
}

/// An endpoint of a model takes a line of CSV, a bulk interface lines of JSON.
#[test]
fn a_body_that_is_a_text() {
    let service = Service::start(|request: &Request| {
        let media = request.headers.iter().find(|header| header.0 == "content-type");
        let media = media.map_or("", |header| header.1.as_str());
        match (request.path.as_str(), media) {
            ("/invocations", "text/csv") => {
                let numbers = request.text.split(',').map(str::parse::<f64>);
                let is_vector =
                    numbers.collect::<Result<Vec<_>, _>>().is_ok_and(|of| of.len() == 10);
                assert!(is_vector, "{}", request.text);
                Reply::Answer(200, "Content-Type: text/csv\r\n", "3,0.25\n".to_owned())
            }
            ("/_bulk", "text/plain; charset=utf-8") => {
                let lines: Vec<&str> = request.text.split('\n').collect();
                let read = |line: &str| serde_json::from_str::<Value>(line).unwrap();
                assert!(read(lines[0])["index"].is_string() && read(lines[1])["name"].is_string());
                assert_eq!((lines.len(), lines[2]), (3, ""));
                ok(&json!({ "item": "Latte" }))
            }
            _ => Reply::Answer(415, "", media.to_owned()),
        }
    });
    let csv = r#"  rank:
    post: /invocations
    headers: { Content-Type: text/csv }
    text: "{{ context | one_hot | join(',') }}"
    answer: text
    take: { action: { path: $, by: index } }"#;
    let refused = trial(&service, csv).run();
    refused.says(6, &["the action `3,0.25` was not sent"]);
    let json = csv.replace("    answer: text\n", "");
    let remedy = "its `Content-Type` is `text/csv`: `answer: text` takes it as it is";
    trial(&service, &json).run().says(6, &[remedy]);
    let lines = r#"  rank:
    post: /_bulk
    text: "{{ {'index': event_id} | tojson }}\n{{ context | tojson }}\n"
    take: { action: $.item }"#;
    completed(&trial(&service, lines).run(), "Latte");
    for (second, first) in [("body: {}", "body"), ("form: { a: b }", "form")] {
        let both = lines.replace("    take", &format!("    {second}\n    take"));
        let said = format!("a call has a `{first}` or a `text`, not both");
        trial(&service, &both).check(&[]).says(2, &[&said]);
    }
}

/// A context in one segment of a path.
#[test]
fn a_context_in_base64() {
    let service = Service::start(|request: &Request| {
        let segment = request.path.strip_prefix("/decide/").unwrap();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        assert!(segment.len() > 40 && segment.chars().all(is_plain), "{segment}");
        ok(&json!({ "item": "Latte" }))
    });
    let calls = "  rank: { get: \"/decide/{{ context | base64url }}\", take: { action: $.item } }";
    completed(&trial(&service, calls).run(), "Latte");
    let unknown = calls.replace("base64url", "base46url");
    trial(&service, &unknown).check(&[]).says(2, &["did you mean `base64url`?"]);
}

/// Ids that are numbers are sent as numbers wherever they stand, and found in answers as either.
#[test]
fn ids_that_are_numbers() {
    let service = Service::start(|request: &Request| {
        if request.path == "/learn" {
            assert_eq!(request.body, json!({ "arm": 12, "same": 12, "text": "arm 12" }));
            return ok(&json!({}));
        }
        assert_eq!(request.body["arms"], json!([11, 12, 13, "Latte"]));
        assert_eq!(request.body["items"][1]["id"], 12);
        ok(&json!({ "arm": "12" }))
    });
    let calls = r#"  ids: { Cappucino: 11, "Cold brew": 12, "Iced mocha": 13 }
  rank:
    post: /decide
    body: { arms: "{{ action_ids }}", items: "{{ actions }}" }
    take: { action: $.arm }
  reward: { post: /learn, body: { arm: "{{ action.id }}", same: "{{ action }}", text: "arm {{ action }}" } }"#;
    completed(&trial(&service, calls).run(), "Cold brew");
    let twice = calls.replace("\"Iced mocha\": 13", "\"Iced mocha\": \"12\"");
    trial(&service, &twice).check(&[]).says(2, &["are both `12` at the service"]);
}

/// A number that JSON libraries round would be another id when it is sent back.
#[test]
fn an_id_that_would_not_come_back_as_it_was() {
    for (id, is_kept) in [
        ("18446744073709551615", true),
        ("-9223372036854775808", true),
        ("18446744073709551616", false),
        ("1180591620717411315769", false),
    ] {
        let service = Service::start(move |request: &Request| match request.path.as_str() {
            "/decide" => {
                let body = format!(r#"{{"item":"Latte","id":{id}}}"#);
                Reply::Answer(200, "", body)
            }
            _ if request.text.contains(id) => ok(&json!({})),
            _ => Reply::Answer(404, "", request.text.clone()),
        });
        let calls = "  rank: { post: /decide, take: { action: $.item, event: $.id } }\n  \
                     reward: { post: /learn, body: { id: \"{{ event }}\" } }";
        let outcome = trial(&service, calls).run();
        if is_kept {
            completed(&outcome, "Latte");
        } else {
            assert_eq!(outcome.outcomes(), [("rank.protocol_event".to_owned(), 20)].into());
            outcome.says(6, &["a number of more than 64 bits"]);
        }
    }
}

/// Where costs are answered, the cheapest action is the best.
#[test]
fn costs_instead_of_scores() {
    let service = Service::start(|_| {
        let costs = DRINKS.iter().zip([0.5, -1.0, 2.0, 0.0]);
        ok(&json!({ "costs": costs.collect::<std::collections::BTreeMap<_, _>>() }))
    });
    let calls = "  rank: { post: /r, take: { ranking: { path: $.costs, action: key, cost: $ } } }";
    completed(&trial(&service, calls).run(), "Cold brew");
    let both = calls.replace("cost: $ ", "cost: $, score: $ ");
    let said = "a ranking has a `score` or a `cost`, not both";
    trial(&service, &both).check(&[]).says(2, &[said]);
    let elsewhere = calls.replace("cost: $ ", "cost: $.c ");
    trial(&service, &elsewhere).run().says(6, &["the answer has nothing at `$.c`"]);
}

/// What is no JSON says what it is.
#[test]
fn answers_of_other_kinds() {
    for (headers, body, said) in [
        (
            "Content-Type: text/html; charset=utf-8\r\n",
            "<html>",
            "its `Content-Type` is `text/html`",
        ),
        ("Content-Type: application/xml\r\n", "<a/>", "its `Content-Type` is `application/xml`"),
        ("Content-Type: text/event-stream\r\n", "data: {}\n\n", "is `text/event-stream`"),
        ("Content-Type: application/json\r\n", "", "has no body, where JSON was expected"),
        ("", " \n", "has no body, where JSON was expected"),
    ] {
        let service = Service::start(move |_| Reply::Answer(200, headers, body.to_owned()));
        let calls = "  rank: { post: /r, take: { action: $.item } }";
        trial(&service, calls).run().says(6, &[said]);
    }
}

/// JSON behind a guard, in a call of a function, in an event of a stream and in Base64; and CSV.
#[test]
fn json_in_something_else() {
    for (body, made, action) in [
        (")]}'\n{\"item\":\"Latte\"}", "{{ body[5:] }}", "$.item"),
        ("callback({\"item\":\"Latte\"});", "{{ body[9:-2] }}", "$.item"),
        (
            "event: decision\ndata: {\"item\":\"Latte\"}\n\n",
            "{{ (body | split('data: '))[1] }}",
            "$.item",
        ),
        ("eyJpdGVtIjoiTGF0dGUifQ==", "{{ body | base64_decode }}", "$.item"),
        ("Latte,0.25\n", "{{ body | trim | split(',') }}", "$[0]"),
        (
            "<r><item>Latte</item></r>",
            "{{ { 'item': (body | split('item>'))[1][:-2] } }}",
            "$.item",
        ),
    ] {
        let service = Service::start(move |_| Reply::Answer(200, "", body.to_owned()));
        let calls = format!(
            "  rank:\n    post: /r\n    answer: {{ value: \"{made}\" }}\n    take: {{ action: \"{action}\" }}"
        );
        completed(&trial(&service, &calls).run(), "Latte");
        let elsewhere = calls.replace(made, "{{ body[1:] }}");
        let said = ["`answer` makes no JSON of it: ", &body[..4]];
        trial(&service, &elsewhere).run().says(6, &said);
    }
    let service = Service::start(|_| Reply::Answer(200, "", String::new()));
    for (answer, said) in [
        ("value: \"{{ text }}\"", "variables here are `body`"),
        ("value: \"{{ body | base64_decod }}\"", "did you mean `base64_decode`?"),
        ("value: \"{{ body\"", "unexpected end of"),
        ("value: \"{{ body }}\", json_in: $.a", "in a `value` or by `json_in`, not both"),
    ] {
        let calls =
            format!("  rank: {{ post: /r, answer: {{ {answer} }}, take: {{ action: $.a }} }}");
        trial(&service, &calls).check(&[]).says(2, &[said]);
    }
}
