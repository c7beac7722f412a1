//! Models leave one service signed, and enter another.

use std::time::Duration;

use learning_loop::LoopOptions;
use serde_json::json;
use server::{Keys, Limits};

use super::contract::{quick, rank_request};
use super::served::{Answer, Served};

const MODEL: &str = "/personalizer/v1.1-preview.3/model";

/// A service that has seen forty visitors who like latte.
fn taught(served: &Served) {
    served.put("/configurations/service", &quick()).json(200);
    for number in 0..40 {
        let id = format!("event-{number}");
        let ranked = served.post("/rank", &rank_request(&id)).json(201);
        let value = u8::from(ranked["rewardActionId"] == "latte");
        served.post(&format!("/events/{id}/reward"), &json!({"value": value})).is_empty(204);
    }
    served.pass(Duration::from_secs(60));
}

fn put(served: &Served, body: &[u8]) -> Answer {
    served.call("PUT", MODEL, "Content-Type: application/octet-stream\r\n", body)
}

#[test]
fn a_signed_model_is_served_by_another_service() {
    let (school, other) = (Served::new(), Served::new());
    taught(&school);
    let signed = school.call("GET", &format!("{MODEL}?signed=true"), "", b"");
    assert_eq!(signed.header("content-disposition"), Some("attachment; filename=model.vw.zip"));
    assert_eq!(signed.header("last-modified"), Some("Thu, 01 Jan 2026 00:00:15 GMT"));
    put(&other, &signed.body).is_empty(204);
    assert_eq!(other.get("/model/properties").json(200)["creationTime"], "2026-01-01T00:00:00Z");
    let plain = school.call("GET", &format!("{MODEL}?signed=false"), "", b"");
    assert_eq!(plain.body, other.get("/model").body);
    for id in ["a", "b", "c"] {
        let request = rank_request(id);
        let answers = [&school, &other].map(|served| served.post("/rank", &request).json(201));
        assert_eq!(answers[0], answers[1]);
    }
}

#[test]
fn what_was_not_signed_here_is_refused() {
    let served = Served::new();
    let signed = served.call("GET", &format!("{MODEL}?signed=true"), "", b"").body;
    let keys = Keys::new(["another key"]);
    let other = Served::start(LoopOptions::default(), keys, Limits::default());
    let headers = "Ocp-Apim-Subscription-Key: another key\r\n";
    let answer = other.call("PUT", MODEL, headers, &signed);
    assert_eq!(answer.refusal(400), "InvalidModelImportSignature");
    for garbage in [&b""[..], b"PK", &signed[..signed.len() - 7]] {
        assert_eq!(put(&served, garbage).refusal(400), "InvalidModelImportFormat");
    }
    let asked = served.call("GET", &format!("{MODEL}?signed=perhaps"), "", b"");
    assert_eq!(asked.refusal(400), "BadRequest");
}

#[test]
fn a_model_that_explores_otherwise_is_refused() {
    let served = Served::new();
    let signed = served.call("GET", &format!("{MODEL}?signed=true"), "", b"").body;
    let mut settings = quick();
    settings["explorationPercentage"] = json!(0.5);
    served.put("/configurations/service", &settings).json(200);
    let answer = put(&served, &signed);
    assert_eq!(answer.refusal(400), "InvalidModelImportFormat");
    assert!(answer.text().contains("explorationPercentage"), "{}", answer.text());
}

/// A model in the format of VW moves from one service to another, unsigned.
#[test]
fn a_model_of_vw_is_asked_for_and_taken() {
    let (school, other) = (Served::new(), Served::new());
    taught(&school);
    let model = school.call("GET", &format!("{MODEL}?format=vw"), "", b"").body;
    assert_eq!(&model[4..10], b"9.11.9");
    put(&other, &model).is_empty(204);
    for id in ["a", "b", "c"] {
        let request = rank_request(id);
        let answers = [&school, &other].map(|served| served.post("/rank", &request).json(201));
        assert_eq!(answers[0], answers[1]);
    }
    assert_eq!(other.call("GET", &format!("{MODEL}?format=vw"), "", b"").body, model);
    let asked = school.call("GET", &format!("{MODEL}?format=onnx"), "", b"");
    assert_eq!(asked.refusal(400), "BadRequest");
    let truncated = put(&school, &model[..model.len() - 1]);
    assert_eq!(truncated.refusal(400), "InvalidModelImportFormat");
}
