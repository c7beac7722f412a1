//! Services of several hosts: decisions at one, outcomes and tokens at others.

use serde_json::json;

use super::Trial;
use crate::faults::service::{Reply, Request, Service};

const PHASES: &str = "phases:\n  - iterate: { name: p, iterations: 20 }";

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    let found = request.headers.iter().find(|header| header.0 == name);
    found.map_or("", |(_, value)| value)
}

/// Each host gets its calls alone, below its own path, with its own name and the same headers.
#[test]
fn calls_go_to_their_hosts() {
    let tokens = Service::start(|_| Reply::Answer(200, "", json!({ "t": "canary" }).to_string()));
    let outcomes = Service::start(|request: &Request| match header(request, "x-token") {
        "canary" => Reply::Answer(202, "", String::new()),
        _ => Reply::Answer(400, "", String::new()),
    });
    let decisions = Service::start(|request: &Request| match header(request, "x-token") {
        "canary" => Reply::Answer(200, "", json!({ "item": "Latte", "id": 7 }).to_string()),
        _ => Reply::Answer(400, "", String::new()),
    });
    let (url, elsewhere, auth) = (decisions.url(), outcomes.url(), tokens.url());
    let target = format!(
        "  url: {url}/api\n  headers: {{ X-Token: \"{{{{ session.t }}}}\", X-Path: \"{{{{ request.path }}}}\" }}\n  \
         session: {{ url: {auth}, post: /token, take: {{ t: $.t }} }}\n  \
         rank: {{ post: /decide, take: {{ action: $.item, event: $.id }} }}\n  \
         reward: {{ url: {elsewhere}/v1/, post: /log, body: {{ id: \"{{{{ event }}}}\" }} }}"
    );
    let shown = Trial::new(&target, PHASES).check(&["--show-request"]);
    shown.says(0, &[&format!("POST {url}/api/decide"), &format!("POST {elsewhere}/v1/log")]);
    let outcome = Trial::new(&target, PHASES).run();
    outcome.says(0, &[]);
    assert_eq!(outcome.outcomes(), [("completed".to_owned(), 20)].into());
    for (service, path, count) in
        [(&tokens, "/token", 1), (&decisions, "/api/decide", 20), (&outcomes, "/v1/log", 20)]
    {
        let seen = service.seen();
        assert_eq!((seen.len(), service.seen_at(path).len()), (count, count), "{path}");
        let host = service.address.to_string();
        assert!(seen.iter().all(|request| header(request, "host") == host));
    }
    assert!(outcomes.seen().iter().all(|request| header(request, "x-path") == "/v1/log"));
    let trial = Trial::new(&target, PHASES);
    let output = trial.command(&["probe"]);
    let steps = [format!("POST {auth}/token"), format!("POST {elsewhere}/v1/log")];
    trial.outcome(output).says(0, &[&steps[0], &steps[1], "was taken"]);
}

/// A host that cannot be reached is known before the first decision.
#[test]
fn every_host_is_reached_before_a_run() {
    let decisions =
        Service::start(|_| Reply::Answer(200, "", json!({ "item": "Latte" }).to_string()));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let target = |reward: &str| {
        format!(
            "  url: {}\n  rank: {{ post: /decide, take: {{ action: $.item }} }}\n  reward: {{ {reward} }}",
            decisions.url()
        )
    };
    let outcome =
        Trial::new(&target(&format!("url: \"http://{closed}\", post: /log")), PHASES).run();
    outcome.says(6, &[&format!("http://{closed}")]);
    assert!(decisions.seen().is_empty());
    let absolute = Trial::new(&target("post: \"http://a.example/log\""), PHASES).check(&[]);
    absolute.says(2, &["write the host as `url` of the call"]);
    let user = Trial::new(&target("url: \"http://me:canary@a.example\", post: /log"), PHASES);
    let refused = user.check(&[]);
    refused.says(2, &[]);
    assert!(!format!("{}{}", refused.stdout, refused.stderr).contains("canary"));
}
