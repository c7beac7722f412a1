//! The OpenAPI document says what the service does.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use learning_loop::LoopOptions;
use server::{Access, Keys, Limits};

use super::contract::{quick, rank_request};
use super::served::Served;

fn document(served: &Served) -> Value {
    served.call("GET", "/swagger", "", b"").json(200)
}

/// Every operation of the contract, v1.0 and the previews.
const OPERATIONS: [(&str, &str); 24] = [
    ("post", "/rank"),
    ("post", "/events/{eventId}/reward"),
    ("post", "/events/{eventId}/activate"),
    ("post", "/multislot/rank"),
    ("post", "/multislot/events/{eventId}/reward"),
    ("post", "/multislot/events/{eventId}/activate"),
    ("get", "/configurations/service"),
    ("put", "/configurations/service"),
    ("post", "/configurations/applyFromEvaluation"),
    ("get", "/configurations/policy"),
    ("put", "/configurations/policy"),
    ("delete", "/configurations/policy"),
    ("get", "/evaluations"),
    ("post", "/evaluations"),
    ("get", "/evaluations/{evaluationId}"),
    ("delete", "/evaluations/{evaluationId}"),
    ("get", "/model"),
    ("put", "/model"),
    ("delete", "/model"),
    ("get", "/model/properties"),
    ("delete", "/logs"),
    ("get", "/logs/properties"),
    ("post", "/logs/interactions"),
    ("post", "/logs/observations"),
];

#[test]
fn the_document_has_every_operation_and_the_service_answers_each() {
    let served = Served::new();
    let document = document(&served);
    let mut declared = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(path) = path.strip_prefix("/personalizer/{version}") else { continue };
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            declared.insert((method.clone(), path.to_owned()));
        }
    }
    let expected = OPERATIONS.map(|(method, path)| (method.to_owned(), path.to_owned()));
    assert_eq!(declared, BTreeSet::from(expected));
    for (method, path) in OPERATIONS {
        let path = path.replace("{eventId}", "e").replace("{evaluationId}", "e");
        let path = format!("/personalizer/v1.1-preview.3{path}");
        let answer = served.call(&method.to_uppercase(), &path, "", b"");
        let code = answer.header("x-ms-error-code").unwrap_or("none").to_owned();
        assert!(code != "ResourceNotFound" && code != "405", "{method} {path}: {code}");
    }
}

/// What is answered to `headers` and `body`, by the key and the limits of a service.
#[test]
fn every_refusal_is_declared() {
    let access = || Access { keys: Keys::new(["key"]), ..Access::default() };
    let keyed = Served::start(LoopOptions::default(), access(), Limits::default());
    let open = Served::new();
    let tight = Limits { upload_bytes: 10, ..Limits::default() };
    let busy = Served::start(LoopOptions::default(), Keys::default(), tight);
    let document = document(&open);
    let (kind, json) = ("Content-Type: application/json\r\n", &br#"{"more":"and more"}"#[..]);
    let packed = format!("{kind}Content-Encoding: br\r\n");
    let refusals: [(&Served, &str, &[u8], u16); 7] = [
        (&keyed, kind, json, 401),
        (&open, "Origin: https://site.example\r\n", b"", 403),
        (&open, "Host: localhost\r\n", b"", 400),
        (&open, "Content-Type: text/plain\r\n", json, 415),
        (&open, &packed, json, 415),
        (&open, kind, b"{", 400),
        (&busy, kind, json, 503),
    ];
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(responses) = operation["responses"].as_object() else { continue };
            assert!(!responses.contains_key("default"), "{method} {path}");
            let at = path.replace("{version}", "v1.0").replace("{eventId}", "e");
            let at = at.replace("{evaluationId}", "e");
            for (served, headers, body, expected) in refusals {
                let answer = served.call(&method.to_uppercase(), &at, headers, body);
                let status = answer.status;
                assert!(responses.contains_key(&status.to_string()), "{method} {path}: {status}");
                if [401, 403].contains(&expected) && path.starts_with("/personalizer") {
                    assert_eq!(status, expected, "{method} {path}");
                }
                if status == 204 {
                    assert!(responses["204"].get("content").is_none(), "{method} {path}");
                }
            }
        }
    }
}

#[test]
fn answers_are_as_the_document_says() {
    let served = Served::new();
    let document = document(&served);
    let check = |name: &str, value: &Value| {
        let mut schemas = boon::Schemas::new();
        let mut compiler = boon::Compiler::new();
        compiler.add_resource("http://loop/swagger", document.clone()).unwrap();
        let place = format!("http://loop/swagger#/components/schemas/{name}");
        let schema = compiler.compile(&place, &mut schemas).unwrap();
        schemas.validate(value, schema).unwrap_or_else(|error| panic!("{error}\n{value}"));
    };
    check("RankRequest", &rank_request("one"));
    check("RankResponse", &served.post("/rank", &rank_request("one")).json(201));
    check("ErrorResponse", &served.post("/rank", &json!({})).json(400));
    check("ServiceConfiguration", &quick());
    let settings = served.put("/configurations/service", &quick()).json(200);
    check("ServiceConfiguration", &settings);
    check("PolicyContract", &served.get("/configurations/policy").json(200));
    check("ModelProperties", &served.get("/model/properties").json(200));
    check("LogsProperties", &served.get("/logs/properties").json(200));
    check("ServiceStatus", &served.call("GET", "/status", "", b"").json(200));
    let contract = json!({"name": "all", "startTime": "2026-01-01T00:00:00Z",
        "endTime": "2026-01-02T00:00:00Z", "policies": [], "enableOfflineExperimentation": true});
    check("EvaluationContract", &contract);
    served.pass(std::time::Duration::from_secs(700));
    let pending = served.post("/evaluations", &contract).json(201);
    check("Evaluation", &pending);
    let id = pending["id"].as_str().unwrap();
    check("Evaluation", &super::evaluations::completed(&served, id));
}
