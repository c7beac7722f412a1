//! Offline evaluations run beside the loop.

use std::time::Duration;

use serde_json::{Value, json};

use super::contract::{quick, rank_request};
use super::served::Served;

/// The evaluation, once it is no longer pending.
pub fn completed(served: &Served, id: &str) -> Value {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let evaluation = served.get(&format!("/evaluations/{id}")).json(200);
        if evaluation["status"] != "pending" {
            assert_eq!(evaluation["status"], "completed");
            return evaluation;
        }
        assert!(std::time::Instant::now() < deadline, "still pending");
    }
}

fn contract(name: &str) -> Value {
    json!({
        "name": name, "startTime": "2026-01-01T00:00:00", "endTime": "2026-01-02T00:00:00.0000000+00:00",
        "policies": [{"name": "ips", "arguments": "--cb_explore_adf --epsilon 0.2 --cb_type ips"}],
    })
}

#[test]
fn an_evaluation_is_pending_then_completed_then_gone() {
    let served = Served::new();
    served.put("/configurations/service", &quick()).json(200);
    for number in 0..40 {
        let id = format!("event-{number}");
        let ranked = served.post("/rank", &rank_request(&id)).json(201);
        let value = u8::from(ranked["rewardActionId"] == "latte");
        served.post(&format!("/events/{id}/reward"), &json!({"value": value})).is_empty(204);
    }
    served.pass(Duration::from_secs(60));
    let answer = served.post("/personalizer/v1.1-preview.1/evaluations", &contract("mine"));
    let pending = answer.json(201);
    let id = pending["id"].as_str().unwrap();
    let location = format!("/personalizer/v1.1-preview.1/evaluations/{id}");
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!((&pending["status"], &pending["policyResults"]), (&json!("pending"), &json!([])));
    let evaluation = completed(&served, id);
    let names: Vec<_> =
        evaluation["policyResults"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
    assert_eq!(names, ["online", "baseline1", "baselineRand", "ips"]);
    assert_eq!(evaluation["policyResults"][0]["totalSummary"]["ipsEstimatorDenominator"], 40.0);
    assert_eq!(served.get("/evaluations").json(200), json!([evaluation]));
    let apply = json!({"evaluationId": id, "policyName": "IPS"});
    served
        .post("/personalizer/v1.1-preview.1/configurations/applyFromEvaluation", &apply)
        .is_empty(204);
    assert_eq!(served.get("/configurations/policy").json(200)["name"], "ips");
    served.delete(&format!("/evaluations/{id}")).is_empty(204);
    assert_eq!(served.get(&format!("/evaluations/{id}")).refusal(404), "EvaluationNotFound");
    let answer = served.post("/configurations/applyFromEvaluation", &apply);
    assert_eq!(answer.refusal(404), "EvaluationNotFound");
}

#[test]
fn an_evaluation_of_nothing_completes_with_names_alone() {
    let served = Served::new();
    let id = served.post("/evaluations", &contract("nothing")).json(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let evaluation = completed(&served, &id);
    assert_eq!(evaluation["policyResults"][0]["summary"], json!([]));
    let unknown = json!({"evaluationId": id, "policyName": "baseline1"});
    let answer = served.post("/configurations/applyFromEvaluation", &unknown);
    assert_eq!(answer.refusal(404), "LearningSettingsNotFound");
}

#[test]
fn evaluations_that_cannot_be_are_refused() {
    let served = Served::new();
    let with = |key: &str, value: Value| {
        let mut contract = contract("broken");
        contract[key] = value;
        served.post("/evaluations", &contract).refusal(400)
    };
    let policy = contract("")["policies"][0].clone();
    assert_eq!(with("startTime", json!("yesterday")), "InvalidEvaluationContract");
    assert_eq!(with("endTime", json!("2025-01-01T00:00:00Z")), "InvalidEvaluationContract");
    assert_eq!(with("policies", json!([policy, policy])), "DuplicateCustomPolicyNames");
    let many: Vec<_> =
        (0..11).map(|n| json!({"name": n.to_string(), "arguments": policy["arguments"]})).collect();
    assert_eq!(with("policies", json!(many)), "MaximumEvaluationCustomPoliciesExceeded");
}
