//! Services that let in whom they know: signed calls, sessions that end, ids and tokens in cookies.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{Outcome, Trial};
use crate::faults::service::{Reply, Request, Service};

const PHASES: &str = "phases:\n  - iterate: { name: p, iterations: 60, concurrency: 4 }";

fn ok(body: &Value) -> Reply {
    Reply::Answer(200, "", body.to_string())
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    let found = request.headers.iter().find(|header| header.0 == name);
    found.map_or("", |(_, value)| value)
}

/// What Python's `hmac` makes of lines of a key and a message, in hexadecimal digits.
fn hmac_of_python(key: &str, message: &str) -> String {
    const PROGRAM: &str = "import hashlib, hmac, sys\n\
        print(hmac.new(*(text.encode() for text in sys.argv[1:]), hashlib.sha256).hexdigest())";
    let mut python = Command::new("python3");
    let output = python.args(["-c", PROGRAM, key, message]).stdin(Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The signature is over the time and all of the call, below the path of the service; the key is
/// shown nowhere, and a quote in it ends no template.
#[test]
fn calls_are_signed_with_a_key_that_appears_nowhere() {
    const KEY: &str = "canary'}} key";
    let service = Service::start(|request: &Request| match request.path.as_str() {
        "/api/decide?v=%C3%BC%201" => ok(&json!({ "item": "Latte", "id": 7 })),
        _ => Reply::Answer(400, "", "canary'}} key is wrong".to_owned()),
    });
    let target = format!(
        r#"  url: {}/api
  secrets: {{ signing: "${{SIGNING_KEY}}" }}
  headers:
    X-Timestamp: "{{{{ now.unix }}}}"
    X-Signature: "{{{{ (now.unix ~ ' ' ~ request.method ~ ' ' ~ request.path ~ ' ' ~ request.body) | hmac_sha256(secret.signing) }}}}"
  rank:
    post: /decide
    query: {{ v: "ü 1" }}
    headers: {{ Content-Digest: "sha-256=:{{{{ request.body | sha256('base64') }}}}:" }}
    body: {{ user: "{{{{ context }}}}", at: "{{{{ now }}}}" }}
    take: {{ action: $.item, event: $.id }}
  reward: {{ put: "/outcomes/{{{{ event }}}}", form: {{ r: "{{{{ reward }}}}" }}, status: 400 }}"#,
        service.url()
    );
    let rest = "phases:\n  - iterate: { name: p, iterations: 3 }";
    let trial = || Trial::new(&target, rest).environment("SIGNING_KEY", KEY);
    let shown = trial().check(&["--show-request"]);
    shown.says(0, &["x-timestamp: 1767225600\n", "\"at\":\"2026-01-01T00:00:00"]);
    let calls = |outcome: &Outcome| outcome.stdout.split_once("\nrank").unwrap().1.to_owned();
    assert_eq!(calls(&shown), calls(&trial().check(&["--show-request"])));
    let outcome = trial().run();
    outcome.says(0, &[]);
    assert_eq!(outcome.outcomes(), [("completed".to_owned(), 3)].into());
    let probed = trial();
    let output = probed.command(&["probe"]);
    let probed = probed.outcome(output);
    for text in [&shown.stdout, &outcome.stdout, &outcome.stderr, &probed.stdout, &probed.stderr] {
        assert!(!text.contains("canary"), "{text}");
    }
    let seen = service.seen();
    assert_eq!(seen.len(), 8);
    for request in seen {
        let Request { method, path, text, .. } = &request;
        let at: i64 = header(&request, "x-timestamp").parse().unwrap();
        let message = format!("{at} {method} {path} {text}");
        assert_eq!(header(&request, "x-signature"), hmac_of_python(KEY, &message));
        let written: timestamp::Timestamp = match request.body["at"].as_str() {
            Some(written) => written.parse().unwrap(),
            None => continue,
        };
        assert_eq!(written.unix_micros().div_euclid(1_000_000), at);
    }
}

#[test]
fn what_a_call_says_of_itself_is_for_headers() {
    let target = |body: &str, headers: &str| {
        format!(
            "  url: http://127.0.0.1:9\n  secrets: {{ a: \"${{A}}\" }}\n  headers: {{ {headers} }}\n  \
             rank: {{ post: /r, body: {{ b: \"{body}\" }}, take: {{ action: $.a }} }}"
        )
    };
    for (body, headers, said) in [
        ("{{ request.body }}", "X: y", "`request` has no value here"),
        ("{{ secret.b }}", "X: y", "`secret` has no `b`"),
        ("{{ now.unixms }}", "X: y", "did you mean `now.unix_ms`?"),
        ("x", "X: \"{{ request.url }}\"", "`request` has `method`, `path`, `body`"),
        ("x", "X: \"{{ 'a' | hmac_sha265(secret.a) }}\"", "did you mean `hmac_sha256`?"),
    ] {
        let trial = Trial::new(&target(body, headers), PHASES).environment("A", "canary");
        trial.check(&[]).says(2, &[said]);
    }
    let written = target("x", "X: y").replace("${A}", "canary");
    let refused = Trial::new(&written, PHASES).check(&[]);
    refused.says(2, &["a secret stands in the scenario", "take it from the environment: `a: ${"]);
    assert!(!refused.stderr.contains("canary"), "{}", refused.stderr);
}

/// A service that knows a session until it has answered so many calls in it; the last of them for ever.
fn forgetful(calls: &'static [u64]) -> Service {
    let (session, uses) = (AtomicUsize::new(0), AtomicU64::new(0));
    Service::start(move |request: &Request| {
        if request.path == "/login" {
            uses.store(0, Ordering::SeqCst);
            let current = session.fetch_add(1, Ordering::SeqCst) + 1;
            return ok(&json!({ "token": format!("canary-{current}") }));
        }
        let current = session.load(Ordering::SeqCst);
        let most = calls.get(current - 1).copied().unwrap_or(u64::MAX);
        let is_ours = header(request, "authorization") == format!("Bearer canary-{current}");
        if !is_ours || uses.fetch_add(1, Ordering::SeqCst) >= most {
            return Reply::Answer(401, "", format!("canary-{current} has expired"));
        }
        ok(&json!({ "item": "Latte" }))
    })
}

const IN_SESSION: &str = r#"
  headers: { Authorization: "Bearer {{ session.token }}" }
  session: { post: /login, take: { token: $.token } }
  rank: { post: /rank, take: { action: $.item } }
  reward: { post: /reward, body: { r: "{{ reward }}" } }"#;

/// Of several calls that meet the end of a session at once, one opens the next for all.
#[test]
fn a_session_that_ends_is_opened_anew() {
    for (sessions, concurrency, note) in [(&[30, 7, 29][..], 1, "3 times"), (&[50][..], 8, "once")]
    {
        let service = forgetful(sessions);
        let target = format!("  url: {}{IN_SESSION}", service.url());
        let rest = PHASES.replace("concurrency: 4", &format!("concurrency: {concurrency}"));
        let outcome = Trial::new(&target, &rest).run();
        let note = format!("the session was opened anew {note}: the service answered 401");
        outcome.says(0, &[&note]);
        assert_eq!(outcome.outcomes(), [("completed".to_owned(), 60)].into());
        assert_eq!(service.seen_at("/login").len(), sessions.len() + 1);
        for text in [&outcome.stdout, &outcome.stderr] {
            assert!(!text.contains("canary"), "{text}");
        }
    }
}

/// A new session that is refused as well is an end, not a loop.
#[test]
fn a_service_that_refuses_new_sessions_too_ends_the_run() {
    let service = Service::start(|request: &Request| match request.path.as_str() {
        "/login" => ok(&json!({ "token": "canary" })),
        _ => Reply::Answer(401, "", "no".to_owned()),
    });
    let target = format!("  url: {}{IN_SESSION}", service.url());
    let rest = "phases:\n  - iterate: { name: p, iterations: 60 }";
    let outcome = Trial::new(&target, rest).run();
    outcome.says(6, &["the service denies access: `rank`", "401 Unauthorized: no"]);
    assert_eq!((service.seen_at("/login").len(), service.seen_at("/rank").len()), (2, 2));
}

/// The id of a decision in one cookie of several, and a token for forms in a cookie of the session.
#[test]
fn ids_and_tokens_in_cookies() {
    let service = Service::start(|request: &Request| match request.path.as_str() {
        "/login" => {
            let cookies = "Set-Cookie: sid=canary-sid; Path=/\r\nSet-Cookie: csrf=canary-csrf\r\n";
            Reply::Answer(200, cookies, "<html>".to_owned())
        }
        _ if header(request, "x-csrf") != "canary-csrf" => Reply::Answer(403, "", String::new()),
        "/rank" => {
            let cookies = "Set-Cookie: lang=de\r\nSet-Cookie: decision=d-7.x; HttpOnly\r\n";
            Reply::Answer(200, cookies, json!({ "item": "Latte" }).to_string())
        }
        _ if header(request, "cookie") == "decision=d-7.x; v=1" => ok(&json!({})),
        _ => Reply::Answer(422, "", header(request, "cookie").to_owned()),
    });
    let target = format!(
        r#"  url: {}
  headers: {{ X-Csrf: "{{{{ session.csrf }}}}" }}
  session: {{ get: /login, answer: text, take: {{ csrf: {{ cookie: csrf }} }} }}
  rank: {{ post: /rank, take: {{ action: $.item, event: {{ cookie: decision }} }} }}
  reward:
    post: /reward
    headers: {{ Cookie: "decision={{{{ event }}}}; v={{{{ 1 }}}}" }}
    body: {{ r: "{{{{ reward }}}}" }}"#,
        service.url()
    );
    let outcome = Trial::new(&target, PHASES).run();
    outcome.says(0, &[]);
    assert_eq!(outcome.outcomes(), [("completed".to_owned(), 60)].into());
    let ranks = service.seen_at("/rank");
    assert!(ranks.iter().all(|rank| header(rank, "cookie") == "sid=canary-sid; csrf=canary-csrf"));
    let absent = target.replace("cookie: decision }", "cookie: decisions }");
    Trial::new(&absent, PHASES).run().says(6, &["the answer sets no cookie `decisions`"]);
    let written = target.replace("decision={{ event }}", "decision=canary");
    let refused = Trial::new(&written, PHASES).check(&[]);
    refused.says(2, &["a header that looks like a secret stands in the scenario"]);
}
