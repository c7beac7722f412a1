//! What is called before and after a run, and what is not called.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::Trial;
use crate::faults::service::{Reply, Request, Service};

fn choice(request: &Request) -> Reply {
    let _ = request;
    Reply::Answer(200, "", json!({ "item": "Latte" }).to_string())
}

fn paths(service: &Service) -> Vec<String> {
    service.seen().iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect()
}

#[test]
fn setup_and_teardown_surround_the_run_and_are_what_reset_means() {
    let service = Service::start(|request: &Request| match request.path.as_str() {
        "/campaigns" => {
            assert_eq!(request.body["arms"].as_array().unwrap().len(), 4);
            assert_eq!(request.body["size"], json!(10));
            Reply::Answer(201, "", json!({ "campaign": { "id": "c1" } }).to_string())
        }
        "/campaigns/c1" => Reply::Answer(204, "", String::new()),
        "/campaigns/c1/predict" => choice(request),
        _ => Reply::Answer(404, "", String::new()),
    });
    let target = format!(
        "  url: {}\n  setup:\n    - {{ post: /campaigns, status: 201, \
         body: {{ arms: \"{{{{ action_ids }}}}\", size: \"{{{{ columns | length }}}}\" }}, take: {{ id: $.campaign.id }} }}\n  \
         teardown:\n    - {{ delete: \"/campaigns/{{{{ setup.id }}}}\" }}\n  \
         rank: {{ post: \"/campaigns/{{{{ setup.id }}}}/predict\", take: {{ action: $.item }} }}",
        service.url(),
    );
    let rest = "phases:\n  - iterate: { name: a, iterations: 2 }\n  - reset\n  \
                - iterate: { name: b, iterations: 1 }";
    let outcome = Trial::new(&target, rest).run();
    outcome.says(0, &["there is no `reward` call"]);
    let (create, delete, predict) =
        ("POST /campaigns", "DELETE /campaigns/c1", "POST /campaigns/c1/predict");
    let expected = [create, predict, predict, delete, create, predict, delete];
    assert_eq!(paths(&service), expected);
    let folder = outcome.read();
    assert!(folder.records.iter().all(|record| record.reward.is_some()));
    assert!(folder.records.iter().all(|record| record.reward_latency.is_none()));
}

#[test]
fn a_setup_that_fails_is_known_before_anything_is_sent() {
    let service = Service::start(|request: &Request| match request.path.as_str() {
        "/campaigns" => Reply::Answer(409, "", "it exists".to_owned()),
        _ => choice(request),
    });
    let target = format!(
        "  url: {}\n  setup: [{{ post: /campaigns }}]\n  rank: {{ post: /rank, take: {{ action: $.item }} }}",
        service.url(),
    );
    let outcome = Trial::new(&target, "phases:\n  - iterate: { name: a, iterations: 2 }").run();
    outcome.says(6, &["`setup[0]`", "409", "it exists"]);
    assert_eq!(paths(&service), ["POST /campaigns"]);
}

#[test]
fn a_session_goes_with_every_call_and_appears_nowhere() {
    let service = Service::start(|request: &Request| {
        let header = |name: &str| {
            request.headers.iter().find(|header| header.0 == name).map(|header| header.1.clone())
        };
        if request.path == "/login" {
            assert_eq!(request.body["password"], "canary-password");
            let cookie = "Set-Cookie: sid=canary-cookie; HttpOnly\r\n";
            return Reply::Answer(200, cookie, json!({ "access": "canary-token" }).to_string());
        }
        let is_ours = header("authorization").as_deref() == Some("Bearer canary-token")
            && header("cookie").as_deref() == Some("sid=canary-cookie");
        match (is_ours, request.path.as_str()) {
            (false, _) => Reply::Answer(400, "", "no session".to_owned()),
            (true, "/rank") if request.ranks == 1 => {
                Reply::Answer(400, "", "canary-token canary-cookie canary-password".to_owned())
            }
            (true, "/rank") => choice(request),
            (true, _) => Reply::Answer(500, "", "canary-token is not known".to_owned()),
        }
    });
    let target = format!(
        "  url: {}\n  headers: {{ Authorization: \"Bearer {{{{ session.token }}}}\" }}\n  \
         session: {{ post: /login, body: {{ user: me, password: \"${{PASSWORD}}\" }}, take: {{ token: $.access }} }}\n  \
         teardown: [{{ post: /bye }}]\n  \
         rank: {{ post: /rank, take: {{ action: $.item }} }}",
        service.url(),
    );
    let rest = "phases:\n  - iterate: { name: a, iterations: 3 }";
    let outcome = Trial::new(&target, rest).environment("PASSWORD", "canary-password").run();
    outcome.says(0, &["`teardown[0]`", "[redacted] is not known"]);
    let expected = [("completed".to_owned(), 2), ("rank.status_400".to_owned(), 1)].into();
    assert_eq!(outcome.outcomes(), expected);
    let mut texts = vec![outcome.stdout.clone(), outcome.stderr.clone()];
    for entry in std::fs::read_dir(&outcome.folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        texts.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    for text in texts {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn a_service_is_told_of_conversions_alone() {
    let service = Service::start(|request: &Request| match request.path.as_str() {
        "/rank" => choice(request),
        _ => Reply::Answer(200, "", String::new()),
    });
    let target = format!(
        "  url: {}\n  rank: {{ get: \"/rank\", take: {{ action: $.item }} }}\n  \
         reward: {{ post: \"/converted?value={{{{ reward | int }}}}\", when: reward > 0 }}",
        service.url(),
    );
    let rest = "phases:\n  - iterate: { name: a, iterations: 200 }";
    let outcome = Trial::new(&target, rest).run();
    outcome.says(0, &[]);
    let records = outcome.read().records;
    let right = records.iter().filter(|record| record.reward == Some(1.0)).count();
    let timed = records.iter().filter(|record| record.reward_latency.is_some()).count();
    assert!(right > 0 && right < 200);
    assert_eq!((service.seen_at("/converted?value=1").len(), timed), (right, right));
}

#[test]
fn an_answer_that_is_compressed_unasked_is_read() {
    let service = Service::start(|_| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(br#"{"item":"Latte"}"#).unwrap();
        let body = encoder.finish().unwrap();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Reply::Bytes([head.into_bytes(), body].concat())
    });
    let target =
        format!("  url: {}\n  rank: {{ post: /rank, take: {{ action: $.item }} }}", service.url());
    let outcome = Trial::new(&target, "phases:\n  - iterate: { name: a, iterations: 5 }").run();
    assert_eq!(outcome.outcomes(), [("completed".to_owned(), 5)].into());
}

#[test]
fn the_environment_is_no_template() {
    let service = Service::start(|request: &Request| match request.body["note"].as_str() {
        Some("{{ event_id }}") => choice(request),
        _ => Reply::Answer(400, "", request.text.clone()),
    });
    let target = format!(
        "  url: {}\n  rank: {{ post: /rank, body: {{ note: \"${{NOTE}}\" }}, take: {{ action: $.item }} }}",
        service.url()
    );
    let rest = "phases:\n  - iterate: { name: a, iterations: 2 }";
    let outcome = Trial::new(&target, rest).environment("NOTE", "{{ event_id }}").run();
    assert_eq!(outcome.outcomes(), [("completed".to_owned(), 2)].into());
}

#[test]
fn values_keep_their_types() {
    let service = Service::start(choice);
    let target = format!(
        "  url: {}\n  rank:\n    post: /rank\n    body:\n      whole: \"{{{{ context }}}}\"\n      \
         n: \"{{{{ iteration }}}}\"\n      text: \"n={{{{ iteration }}}}\"\n      \
         fixed: [1, 1.5, true, null, plain]\n      ids: \"{{{{ action_ids }}}}\"\n      \
         json: \"{{{{ context | tojson }}}}\"\n      mixed: \"c={{{{ context }}}}\"\n    \
         take: {{ action: $.item }}",
        service.url()
    );
    let outcome = Trial::new(&target, "phases:\n  - iterate: { name: a, iterations: 1 }").run();
    outcome.says(0, &[]);
    let body = service.seen()[0].body.clone();
    let context = &body["whole"];
    assert!(context["weather"].is_string() && context.as_object().unwrap().len() == 3, "{body}");
    assert_eq!((&body["n"], &body["text"]), (&json!(0), &json!("n=0")));
    assert_eq!(body["fixed"], json!([1, 1.5, true, null, "plain"]));
    assert_eq!(body["ids"].as_array().unwrap().len(), 4);
    let parsed = |text: &Value, after: &str| -> Value {
        serde_json::from_str(text.as_str().unwrap().strip_prefix(after).unwrap()).unwrap()
    };
    assert_eq!((&parsed(&body["json"], ""), &parsed(&body["mixed"], "c=")), (context, context));
}
