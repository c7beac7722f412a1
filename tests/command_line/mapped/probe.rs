//! What `runner check --show-request` and `runner probe` show.

use serde_json::json;

use super::Trial;
use crate::faults::service::{Reply, Request, Service};

const REST: &str = "phases:\n  - iterate: { name: learn, iterations: 10 }";

fn target(url: &str) -> String {
    format!(
        "  url: {url}\n  headers: {{ Authorization: \"Bearer ${{TOKEN}}\" }}\n  \
         session: {{ post: /login, body: {{ password: \"${{TOKEN}}\" }}, take: {{ id: $.id }} }}\n  \
         rank:\n    post: \"/decide?session={{{{ session.id }}}}\"\n    \
         body: {{ user: \"{{{{ context }}}}\", vector: \"{{{{ context | one_hot }}}}\", visit: \"{{{{ event_id }}}}\" }}\n    \
         take: {{ action: $.item, event: $.id }}\n  \
         reward: {{ put: \"/outcomes/{{{{ event }}}}\", form: {{ value: \"{{{{ reward }}}}\" }} }}"
    )
}

#[test]
fn check_shows_the_vectors_the_consequences_and_the_first_calls_without_secrets() {
    let trial =
        Trial::new(&target("http://127.0.0.1:9"), REST).environment("TOKEN", "canary-token");
    let outcome = trial.check(&["--show-request"]);
    outcome.says(
        0,
        &[
            "vectors of `context`, 10 columns: name=",
            "`take` has no probability",
            "POST http://127.0.0.1:9/decide?session=<session.id>",
            "authorization: [redacted]",
            "content-type: application/json",
            "\"vector\":[",
            "PUT http://127.0.0.1:9/outcomes/<event>",
            "content-type: application/x-www-form-urlencoded",
            "value=1.0",
        ],
    );
    assert!(!outcome.stdout.contains("canary"), "{}", outcome.stdout);
}

#[test]
fn the_first_request_of_personalizer_is_shown() {
    let trial = Trial::new("  url: http://127.0.0.1:9\n  key: ${TOKEN}", REST);
    let outcome = trial.environment("TOKEN", "canary-token").check(&["--show-request"]);
    outcome.says(
        0,
        &[
            "POST http://127.0.0.1:9/personalizer/v1.0/rank",
            "ocp-apim-subscription-key: [redacted]",
            "{\"contextFeatures\":",
            "/reward",
            "{\"value\":1.0}",
        ],
    );
}

#[test]
fn a_probe_explains_each_step_and_what_failed() {
    let service = Service::start(|request: &Request| match request.path.as_str() {
        "/login" => Reply::Answer(200, "", json!({ "id": "canary-session" }).to_string()),
        path if path.starts_with("/decide") => {
            let item = if path.ends_with("canary-session") { "Latte" } else { "tea" };
            Reply::Answer(200, "", json!({ "item": item, "id": 7 }).to_string())
        }
        _ => Reply::Answer(500, "", "canary-session is broken".to_owned()),
    });
    let trial = Trial::new(&target(&service.url()), REST).environment("TOKEN", "canary-token");
    let output = trial.command(&["probe"]);
    let outcome = trial.outcome(output);
    outcome.says(
        6,
        &[
            "who prefers `",
            "POST http://127.0.0.1",
            "answered 200 after",
            "chose `Latte` (index 3), with what probability is not given",
            "PUT http://127.0.0.1",
            "/outcomes/7",
            "reward: `reward`",
            "500",
        ],
    );
    let all = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(!all.contains("canary"), "{all}");
}
