//! Every operation of v1.0: statuses, bodies, codes.

use std::time::Duration;

use serde_json::{Value, json};

use super::served::{Answer, Served};

pub fn rank_request(event_id: &str) -> Value {
    json!({
        "contextFeatures": [{"timeOfDay": "morning"}, {"user": {"name": "Alice", "visits": 3}}],
        "actions": [
            {"id": "cappuccino", "features": [{"kind": "hot"}]},
            {"id": "cold brew", "features": [{"kind": "cold"}]},
            {"id": "latte", "features": [{"kind": "hot"}]},
        ],
        "excludedActions": [],
        "eventId": event_id,
        "deferActivation": false,
    })
}

/// Settings under which a test need not let hours pass.
pub fn quick() -> Value {
    json!({
        "rewardWaitTime": "PT15S", "defaultReward": 0.0, "rewardAggregation": "earliest",
        "explorationPercentage": 0.2, "modelExportFrequency": "00:00:15", "logRetentionDays": -1,
    })
}

fn probability(ranked: &Value) -> f64 {
    ranked["ranking"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["probability"].as_f64().unwrap())
        .sum()
}

#[test]
fn rank_answers_201_with_a_distribution() {
    let served = Served::new();
    let answer = served.post("/rank", &rank_request("75269AD0-BFEE-4598-8196-C57383D38E10"));
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    let ranked = answer.json(201);
    assert_eq!(ranked["eventId"], "75269AD0-BFEE-4598-8196-C57383D38E10");
    assert_eq!(ranked["rewardActionId"], ranked["ranking"][0]["id"]);
    assert!((probability(&ranked) - 1.0).abs() < 1e-6, "{ranked}");
}

#[test]
fn rank_makes_an_id_and_tolerates_what_it_need_not_know() {
    let served = Served::new();
    let action = json!({"id": "one", "features": [{"a": null}, {"b": 1}], "colour": "red"});
    let request =
        json!({"actions": [action], "eventId": null, "contextFeatures": null, "more": {}});
    let id = served.post("/rank", &request).json(201)["eventId"].as_str().unwrap().to_owned();
    let (digits, time) = id.split_once('-').unwrap();
    assert!(digits.len() == 32 && time.len() == 5, "{id}");
}

#[test]
fn an_excluded_action_stays_in_its_place_with_no_probability() {
    let served = Served::new();
    let mut request = rank_request("excluded");
    request["excludedActions"] = json!(["cappuccino", "no such action"]);
    let ranked = served.post("/rank", &request).json(201);
    assert_eq!(ranked["ranking"][0], json!({"id": "cappuccino", "probability": 0.0}));
    assert_ne!(ranked["rewardActionId"], "cappuccino");
    assert!((probability(&ranked) - 1.0).abs() < 1e-6, "{ranked}");
}

#[test]
fn what_breaks_a_rule_of_rank_is_an_invalid_rank_request() {
    let served = Served::new();
    let action = |id: &str| json!({"id": id, "features": [{"a": 1}]});
    let many: Vec<_> = (0..51).map(|number| action(&number.to_string())).collect();
    for broken in [
        json!({"actions": many}),
        json!({"actions": []}),
        json!({}),
        json!([]),
        json!({"actions": [null]}),
        json!({"actions": [action("")]}),
        json!({"actions": [action(&"x".repeat(257))]}),
        json!({"actions": [{"id": "a", "features": []}]}),
        json!({"actions": [{"id": "a", "features": [{"b": null}]}]}),
        json!({"actions": [{"id": "a", "features": [{"": 1}]}]}),
        json!({"actions": [{"id": "a", "features": [{"b": ["c"]}]}]}),
        json!({"actions": [{"id": "a", "features": ["b"]}]}),
        json!({"actions": [action("a"), action("a")]}),
        json!({"actions": [action("a")], "excludedActions": ["a"]}),
        json!({"actions": [action("a")], "contextFeatures": [null]}),
        json!({"actions": [action("a")], "eventId": ""}),
        json!({"actions": [action("a")], "eventId": "x".repeat(257)}),
        json!({"actions": [action("a")], "eventId": "."}),
        json!({"actions": [action("a")], "eventId": ".."}),
    ] {
        assert_eq!(served.post("/rank", &broken).refusal(400), "InvalidRankRequest", "{broken}");
    }
    let kind = "Content-Type: application/json\r\n";
    for broken in ["", "{", "\u{0}", r#"{"actions":[{"id":"a","features":[{"b":1e999}]}]}"#] {
        let answer = served.call("POST", "/personalizer/v1.0/rank", kind, broken.as_bytes());
        assert_eq!(answer.refusal(400), "InvalidRankRequest", "{broken}");
    }
}

#[test]
fn rewards_are_taken_whoever_they_are_for() {
    let served = Served::new();
    served.post("/rank", &rank_request("known")).json(201);
    for id in ["known", "known", "unknown"] {
        served.post(&format!("/events/{id}/reward"), &json!({"value": 1.0})).is_empty(204);
        served
            .call("POST", &format!("/personalizer/v1.0/events/{id}/activate"), "", b"")
            .is_empty(204);
    }
    served.post("/events/known/reward", &json!({"value": -3, "more": 1})).is_empty(204);
    for broken in [
        json!({}),
        json!({"value": "1.0"}),
        json!({"value": null}),
        json!(1),
        json!({"value": 1e39}),
        json!({"value": -1e308}),
    ] {
        let answer = served.post("/events/known/reward", &broken);
        assert_eq!(answer.refusal(400), "InvalidRewardRequest", "{broken}");
    }
    let long = "x".repeat(257);
    let answer = served.post(&format!("/events/{long}/reward"), &json!({"value": 1}));
    assert_eq!(answer.refusal(400), "InvalidRewardRequest");
    let answer = served.post(&format!("/events/{long}/activate"), &json!({}));
    assert_eq!(answer.refusal(400), "InvalidEventIdToActivate");
}

/// What the loop learned of the event that was ranked as `id` and rewarded at `path`.
fn rewarded(id: &str, path: &str) -> f64 {
    let served = Served::new();
    served.put("/configurations/service", &quick()).json(200);
    served.post("/rank", &rank_request(id)).json(201);
    served.post(&format!("/events/{path}/reward"), &json!({"value": 0.5})).is_empty(204);
    served.pass(Duration::from_secs(60));
    observed_mean(&served)
}

/// The mean reward of everything, as an evaluation observes it.
fn observed_mean(served: &Served) -> f64 {
    let contract = json!({"name": "all", "startTime": "2026-01-01T00:00:00Z",
        "endTime": "2026-01-02T00:00:00Z", "policies": []});
    let id = served.post("/evaluations", &contract).json(201)["id"].as_str().unwrap().to_owned();
    let evaluation = super::evaluations::completed(served, &id);
    let results = evaluation["policyResults"].as_array().unwrap();
    let online = results.iter().find(|result| result["name"] == "online").unwrap();
    online["totalSummary"]["averageReward"].as_f64().unwrap()
}

#[test]
fn an_odd_event_id_is_one_segment_and_then_decoded() {
    for (id, path) in [
        ("a/b ?#é%", "a%2Fb%20%3F%23%C3%A9%25"),
        ("a+b", "a+b"),
        ("a b", "a%20b"),
        ("reward", "reward"),
        ("//", "%2F%2f"),
        ("コーヒー", "%E3%82%B3%E3%83%BC%E3%83%92%E3%83%BC"),
    ] {
        assert!((rewarded(id, path) - 0.5).abs() < 1e-9, "{id}");
    }
    let served = Served::new();
    let answer = served.post("/events/%FF/reward", &json!({"value": 1}));
    assert_eq!(answer.refusal(400), "BadRequest");
}

#[test]
fn slashes_where_endpoint_and_path_meet_do_no_harm() {
    let served = Served::new();
    served.get("//personalizer/v1.0//model/properties").json(200);
    assert_eq!(
        served.post("/events//reward", &json!({"value": 1})).refusal(404),
        "ResourceNotFound"
    );
}

#[test]
fn settings_are_read_in_two_spellings_and_written_in_one() {
    let served = Served::new();
    let fresh = served.get("/configurations/service").json(200);
    assert_eq!(fresh["rewardWaitTime"], "PT10M");
    let stored = served.put("/configurations/service", &quick()).json(200);
    assert_eq!(stored["rewardWaitTime"], "PT15S");
    assert_eq!(stored["modelExportFrequency"], "PT15S");
    assert_eq!(stored["lastConfigurationEditDate"], "2026-01-01T00:00:00Z");
    assert_eq!(served.get("/configurations/service").json(200), stored);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let served = Served::new();
    for key in quick().as_object().unwrap().keys() {
        let mut partial = quick();
        partial.as_object_mut().unwrap().remove(key);
        let answer = served.put("/configurations/service", &partial);
        assert_eq!(answer.refusal(400), "InvalidServiceConfiguration", "{key}");
    }
    for (key, value) in [
        ("rewardWaitTime", json!("15 seconds")),
        ("rewardWaitTime", json!("P3D")),
        ("defaultReward", json!(2)),
        ("rewardAggregation", json!("mode")),
        ("explorationPercentage", json!(1.5)),
        ("logRetentionDays", json!(-2)),
        ("learningMode", json!("online, please")),
    ] {
        let mut broken = quick();
        broken[key] = value;
        let answer = served.put("/configurations/service", &broken);
        assert_eq!(answer.refusal(400), "InvalidServiceConfiguration", "{broken}");
    }
    let mut both = quick();
    both["learningMode"] = json!("Apprentice");
    let answer = served.put("/configurations/service", &both);
    assert_eq!(answer.refusal(400), "InvalidLearningModeServiceConfiguration");
}

#[test]
fn a_policy_is_put_read_and_deleted() {
    let served = Served::new();
    let fresh = served.get("/configurations/policy").json(200);
    let arguments = "--cb_explore_adf --epsilon 0.2 --cb_type ips -l 0.5";
    let policy = json!({"name": "mine", "arguments": arguments});
    let stored = served.put("/configurations/policy", &policy).json(200);
    assert_eq!(stored["name"], "mine");
    assert_eq!(served.get("/configurations/policy").json(200), stored);
    assert_eq!(served.delete("/configurations/policy").json(200), fresh);
    let answer = |arguments: &str| {
        served.put("/configurations/policy", &json!({"name": "n", "arguments": arguments}))
    };
    assert_eq!(answer("--cats 4").refusal(400), "InvalidPolicyConfiguration");
    assert_eq!(answer(&"x".repeat(1025)).refusal(400), "InvalidPolicyContract");
    let nameless = served.put("/configurations/policy", &json!({"arguments": arguments}));
    assert_eq!(nameless.refusal(400), "InvalidPolicyContract");
}

#[test]
fn model_and_log_tell_what_happened_and_forget_it() {
    let served = Served::new();
    served.put("/configurations/service", &quick()).json(200);
    let never =
        json!({"creationTime": "0001-01-01T00:00:00Z", "lastModifiedTime": "0001-01-01T00:00:00Z"});
    assert_eq!(served.get("/model/properties").json(200), never);
    assert_eq!(served.get("/logs/properties").json(200), json!({}));
    served.post("/rank", &rank_request("one")).json(201);
    served.post("/events/one/reward", &json!({"value": 1})).is_empty(204);
    served.pass(Duration::from_secs(60));
    let trained = served.get("/model/properties").json(200);
    assert_eq!(trained["lastModifiedTime"], "2026-01-01T00:00:15Z");
    let model = served.get("/model");
    assert_eq!(model.status, 200);
    assert_eq!(model.header("content-type"), Some("application/octet-stream"));
    assert_eq!(model.header("content-disposition"), Some("attachment; filename=model.vw"));
    let range = served.get("/logs/properties").json(200);
    assert_eq!(range["dateRange"]["from"], "2026-01-01T00:00:00Z");
    served.delete("/logs").is_empty(204);
    assert_eq!(served.get("/logs/properties").json(200), json!({}));
    served.delete("/model").is_empty(204);
    assert_eq!(served.get("/model/properties").json(200), never);
}

#[test]
fn every_version_has_every_operation_and_no_other_version_has_any() {
    let served = Served::new();
    for version in ["v1.0", "v1.1-preview.1", "v1.1-preview.2", "v1.1-preview.3"] {
        served.get(&format!("/personalizer/{version}/model/properties")).json(200);
    }
    for path in
        ["/personalizer/v2.0/model/properties", "/personalizer/v1.0/nothing", "/personalizer/v1.0/"]
    {
        assert_eq!(served.get(path).refusal(404), "ResourceNotFound");
    }
    assert_eq!(served.delete("/rank").refusal(405), "405");
}

#[test]
fn an_answer_has_an_id_and_the_callers_id_where_it_asks_for_it() {
    let served = Served::new();
    let ask =
        |headers: &str| served.call("GET", "/personalizer/v1.0/model/properties", headers, b"");
    let id = |answer: &Answer| answer.header("apim-request-id").unwrap().to_owned();
    let (one, other) = (ask("x-ms-client-request-id: mine\r\n"), ask(""));
    assert_ne!(id(&one), id(&other));
    assert_eq!(one.header("x-ms-client-request-id"), None);
    let asked = ask("x-ms-client-request-id: mine\r\nx-ms-return-client-request-id: true\r\n");
    assert_eq!(asked.header("x-ms-client-request-id"), Some("mine"));
}
