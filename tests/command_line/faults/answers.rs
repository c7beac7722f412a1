//! Answers that are wrong (rows 6 to 12 of a matrix of faults).

use serde_json::{Value, json};

use super::service::{Reply, Request, Service, rank_only, ranking};
use super::{Outcome, Trial, counted};

/// A run in which the fourth of ten Ranks is answered so.
fn fourth(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> (Service, Outcome) {
    let script =
        move |request: &Request| if request.ranks == 3 { reply(request) } else { Reply::Right };
    let service = Service::start(rank_only(script));
    let outcome = Trial::against(&service.url()).run();
    (service, outcome)
}

fn created(body: impl Into<String>) -> Reply {
    Reply::Answer(201, "", body.into())
}

/// A right answer, spoiled.
fn spoiled(request: &Request, spoil: impl Fn(&mut Value)) -> Reply {
    let mut answer = ranking(request);
    spoil(&mut answer);
    created(answer.to_string())
}

#[test]
fn what_breaks_the_contract_is_counted_by_kind_and_not_rewarded() {
    type Spoil = fn(&Request) -> Reply;
    let table: [(&str, Spoil); 16] = [
        ("json", |_| created("<html>Sign in</html>")),
        ("json", |_| created("")),
        ("json", |_| created("[".repeat(100_000))),
        ("json", |_| {
            Reply::Answer(
                201,
                "Content-Type: text/plain; charset=utf-16\r\n",
                "\u{feff}{".to_owned(),
            )
        }),
        ("json", |request| created(ranking(request).to_string().replace("0.25", "NaN"))),
        ("json", |request| {
            created(ranking(request).to_string().replacen('{', r#"{"eventId":"twice","#, 1))
        }),
        ("json", |request| spoiled(request, |answer| drop(answer["rewardActionId"].take()))),
        ("event", |request| spoiled(request, |answer| answer["eventId"] = json!("another"))),
        ("action", |request| spoiled(request, |answer| answer["rewardActionId"] = json!("tea"))),
        ("action", |request| spoiled(request, |answer| answer["ranking"][3]["id"] = json!("tea"))),
        ("action", |request| {
            spoiled(request, |answer| {
                answer["ranking"][3]["id"] = answer["ranking"][2]["id"].clone();
            })
        }),
        ("action", |request| {
            spoiled(request, |answer| drop(answer["ranking"].as_array_mut().unwrap().pop()))
        }),
        ("probability", |request| {
            spoiled(request, |answer| answer["ranking"][1]["probability"] = json!(0.9))
        }),
        ("probability", |request| {
            spoiled(request, |answer| {
                answer["ranking"][0]["probability"] = json!(0.0);
                answer["ranking"][1]["probability"] = json!(0.5);
            })
        }),
        ("probability", |request| {
            spoiled(request, |answer| answer["ranking"][1]["probability"] = json!(-0.25))
        }),
        ("too_large", |_| Reply::Flood(80 << 20)),
    ];
    for (index, (kind, spoil)) in table.into_iter().enumerate() {
        let (service, outcome) = fourth(spoil);
        let expected = counted([("completed", 9), (&format!("rank.protocol_{kind}"), 1)]);
        assert_eq!(outcome.outcomes(), expected, "{index}: {}", outcome.stderr);
        assert_eq!(service.seen_at("/reward").len(), 9, "{index}: it would learn from a mistake");
        outcome.says(3, &[]);
        assert!(outcome.stdout.contains("p.violations == 0"), "{}", outcome.stdout);
    }
}

#[test]
fn bytes_that_are_no_http_are_a_violation() {
    let (_service, outcome) = fourth(|_| Reply::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()));
    let expected = counted([("completed", 9), ("rank.protocol_http", 1)]);
    assert_eq!(outcome.outcomes(), expected);
}

#[test]
fn statuses_are_counted_and_nothing_is_tried_again_unless_asked() {
    for status in [408, 429, 500, 502, 503, 504] {
        let (service, outcome) = fourth(move |_| Reply::Answer(status, "", String::new()));
        let failed = format!("rank.status_{status}");
        assert_eq!(outcome.outcomes(), counted([("completed", 9), (&failed, 1)]));
        assert_eq!(service.seen_at("/rank").len(), 10);
        outcome.says(0, &[]);
    }
}

#[test]
fn retry_after_is_honoured_where_retries_are_declared() {
    for headers in ["Retry-After: 0\r\n", "Retry-After: -7\r\n", "Retry-After: soon\r\n"] {
        let script = move |request: &Request| match request.ranks {
            3 | 4 => Reply::Answer(429, headers, String::new()),
            _ => Reply::Right,
        };
        let service = Service::start(rank_only(script));
        let outcome = Trial::against(&service.url()).target("retries: { rank: 2 }").run();
        outcome.says(0, &["2 calls were retried"]);
        assert_eq!(outcome.outcomes(), counted([("completed", 10)]));
        let ids: Vec<_> =
            service.seen_at("/rank").iter().map(|rank| rank.body["eventId"].clone()).collect();
        assert_eq!(ids.len(), 12);
        assert!(ids[3] == ids[4] && ids[4] == ids[5], "the event keeps its id: {ids:?}");
        let asked = outcome.stderr.contains("2 of them after the time that the service asked for");
        assert_eq!(asked, headers.contains('0'), "{}", outcome.stderr);
    }
}

#[test]
fn refusals_in_a_row_end_the_run_early() {
    let body = r#"{"error":{"code":"InvalidRankRequest","message":"51 actions"}}"#;
    let script = move |request: &Request| match request.ranks {
        0..5 => Reply::Right,
        _ => Reply::Answer(400, "", body.to_owned()),
    };
    let service = Service::start(rank_only(script));
    let outcome = Trial::against(&service.url()).phase("iterations: 1000").run();
    outcome.says(6, &["20 requests in a row were refused", "InvalidRankRequest: 51 actions"]);
    assert_eq!(outcome.outcomes(), counted([("completed", 5), ("rank.status_400", 20)]));
}

#[test]
fn a_key_that_is_refused_ends_the_run_at_once() {
    for status in [401, 403] {
        let script = move |request: &Request| match request.ranks {
            0..5 => Reply::Right,
            _ => Reply::Answer(status, "", String::new()),
        };
        let service = Service::start(rank_only(script));
        let outcome = Trial::against(&service.url()).run();
        outcome.says(6, &["the service denies access"]);
        assert_eq!(service.seen_at("/rank").len(), 6);
        assert_eq!(outcome.read().records.len(), 6, "what was sent is recorded");
    }
}

#[test]
fn more_errors_than_the_budget_end_the_run() {
    let script = |request: &Request| match request.ranks % 2 {
        0 => Reply::Right,
        _ => Reply::Answer(500, "", "oops".to_owned()),
    };
    let service = Service::start(rank_only(script));
    let phase = "iterations: 100, error_budget: 5%";
    let outcome = Trial::against(&service.url()).phase(phase).run();
    outcome.says(6, &["more than 5 iterations failed (`error_budget`)", "500"]);
    assert_eq!(outcome.outcomes(), counted([("completed", 6), ("rank.status_500", 6)]));
}

/// Each with what the first question is answered, and what is said of it.
#[test]
fn a_service_that_cannot_be_used_is_known_before_anything_is_sent() {
    let table: [(u16, &'static str, &str, &[&str]); 7] = [
        (
            404,
            "",
            "nothing here",
            &["404", "`target.url` is the endpoint without `/personalizer/…`"],
        ),
        (401, "", "", &["401", "wants a key: `key: ${PERSONALIZER_KEY}`"]),
        (403, "", r#"{"error":{"code":"InvalidApiAccess","message":"no"}}"#, &["InvalidApiAccess"]),
        (
            302,
            "Location: http://evil.example/steal\r\n",
            "",
            &[
                "302 Found to `http://evil.example/steal`, which is not followed",
                "would carry the key elsewhere",
            ],
        ),
        (200, "", "<html>Welcome</html>", &["<html>Welcome</html>", "not as Personalizer does"]),
        (200, "", "[]", &["not what the contract says"]),
        (500, "", "boom", &["500", "boom"]),
    ];
    for (status, headers, body, texts) in table {
        let service = Service::start(move |_| Reply::Answer(status, headers, body.to_owned()));
        let outcome = Trial::against(&service.url()).run();
        outcome.says(6, texts);
        outcome.says(6, &[&service.url()]);
        assert!(outcome.read().records.is_empty());
        let seen = service.seen();
        assert!(seen.iter().all(|request| request.method == "GET"), "{seen:?}");
    }
}

#[test]
fn a_service_elsewhere_is_called_where_it_is() {
    let service = Service::start(|request| match request.path.as_str() {
        "/api/decide?x" => unreachable!("a query is refused"),
        "/api/decide" => Reply::Answer(200, "", ranking(request).to_string()),
        path if path.starts_with("/api/feedback/") => Reply::Answer(200, "", "{}".to_owned()),
        _ => Reply::Answer(404, "", String::new()),
    });
    let paths = "paths: { rank: /decide, reward: \"/feedback/{eventId}\", configuration: none, model_properties: none }";
    let trial = Trial::against(&format!("{}/api", service.url())).target(paths);
    let outcome = trial.run();
    outcome.says(0, &[]);
    assert_eq!(outcome.outcomes(), counted([("completed", 10)]));
    assert_eq!(service.seen().len(), 20);
}
