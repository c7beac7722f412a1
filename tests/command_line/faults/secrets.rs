//! Secrets reach no output (row 29 of a matrix of faults).

use std::fs;
use std::path::Path;

use super::service::{Reply, Request, Service, answer};
use super::{Outcome, Trial};

const KEY: &str = "canary-key-4f6b1c+/=";
const TOKEN: &str = "canary-token-77aa";

/// Every form in which a canary may be found.
const FORMS: [&str; 6] = [
    "canary-key",
    "canary-token",
    "Y2FuYXJ5LWtleS00ZjZiMWMrLz0",
    "Y2FuYXJ5LXRva2VuLTc3YWE",
    "canary-key-4f6b1c%2B%2F%3D",
    "canary-pass",
];

fn assert_clean(what: &str, text: &str) {
    for form in FORMS {
        assert!(!text.contains(form), "{what} holds {form}:\n{text}");
    }
}

fn assert_folder_clean(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        assert_clean(&path.display().to_string(), &text);
    }
}

fn assert_no_canary(outcome: &Outcome) {
    assert_clean("stdout", &outcome.stdout);
    assert_clean("stderr", &outcome.stderr);
    assert_folder_clean(&outcome.folder);
}

fn trial(service: &Service) -> Trial {
    let target = "key: \"${KEY}\", headers: { authorization: \"Bearer ${TOKEN}\", x-plain: abc }";
    Trial::against(&service.url())
        .target(target)
        .environment("KEY", KEY)
        .environment("TOKEN", TOKEN)
}

/// A service that repeats what it was told, wherever it can.
fn echo(request: &Request) -> String {
    let told = |name: &str| {
        request.headers.iter().find(|header| header.0 == name).map_or("", |header| &header.1)
    };
    let key = told("ocp-apim-subscription-key");
    format!(
        "{key} {} Y2FuYXJ5LWtleS00ZjZiMWMrLz0= canary-key-4f6b1c%2B%2F%3D",
        told("authorization")
    )
}

#[test]
fn secrets_travel_to_the_service_and_nowhere_else() {
    let service = Service::start(|request| {
        let told = echo(request);
        let error = format!(r#"{{"error":{{"code":"BadRequest","message":"{told}"}}}}"#);
        match (request.path.rsplit('/').next().unwrap(), request.ranks % 3) {
            ("rank", 1) => Reply::Answer(400, "", error),
            ("rank", 2) => Reply::Answer(201, "", told),
            ("policy", _) => {
                let policy =
                    format!(r#"{{"name":"{told}","arguments":"--cb_explore_adf {told}"}}"#);
                Reply::Answer(200, "", policy)
            }
            _ => Reply::Right,
        }
    });
    let outcome = trial(&service)
        .phase("iterations: 30 }\n  - apply_policy: { name: mine, arguments: --cb_explore_adf")
        .run();
    let seen = service.seen_at("/rank");
    let sent =
        |name: &str| seen[0].headers.iter().find(|header| header.0 == name).unwrap().1.clone();
    assert_eq!(sent("ocp-apim-subscription-key"), KEY);
    assert_eq!(sent("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(sent("x-plain"), "abc");
    assert_no_canary(&outcome);
    assert!(outcome.folder.join("summary.json").exists());
}

#[test]
fn errors_of_the_preflight_hold_no_secret() {
    for status in [200, 302, 400, 401, 500] {
        let service = Service::start(move |request| {
            let told = echo(request);
            let location = "Location: http://canary-key-4f6b1c@elsewhere/canary-token-77aa\r\n";
            Reply::Answer(status, location, told)
        });
        let outcome = trial(&service).run();
        assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
        assert_no_canary(&outcome);
    }
}

#[test]
fn a_key_that_cannot_be_sent_is_not_shown() {
    let service = Service::start(|_| Reply::Right);
    let outcome = trial(&service).environment("KEY", "canary-key\nx").run();
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    assert_no_canary(&outcome);
    assert!(service.seen().is_empty());
}

#[test]
fn the_password_of_a_proxy_is_not_shown() {
    let proxy = Service::start(|_| Reply::Bytes(answer(502, "", "user:canary-pass")));
    let url = format!("http://user:canary-pass@{}", proxy.address);
    let url: &'static str = Box::leak(url.into_boxed_str());
    let trial = Trial::against("http://service.example").target("proxy: \"${PROXY}\"");
    let outcome = trial.environment("PROXY", url).run();
    assert_eq!(outcome.code, Some(6), "{}", outcome.stderr);
    assert_no_canary(&outcome);
}

#[test]
fn secrets_that_stand_in_the_scenario_are_refused_unseen() {
    for target in [
        "key: canary-key",
        "headers: { X-Api-Key: canary-key }",
        "headers: { authorization: Bearer canary-token }",
        "proxy: \"http://user:canary-pass@localhost:1\"",
    ] {
        let outcome = Trial::against("http://localhost:1").target(target).run();
        outcome.says(2, &["stands in the scenario", "take it from the environment"]);
        assert_clean("stderr", &outcome.stderr);
    }
}
