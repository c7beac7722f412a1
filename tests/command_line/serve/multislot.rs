//! Several slots of one event.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::contract::{quick, rank_request};
use super::served::{Answer, Served};

const BASE: &str = "/personalizer/v1.1-preview.1/multislot";

fn request(event_id: &str) -> Value {
    let mut request = rank_request(event_id);
    request.as_object_mut().unwrap().remove("excludedActions");
    request["slots"] = json!([
        {"id": "top", "features": [{"size": "large"}], "baselineAction": "latte"},
        {"id": "side", "features": null, "excludedActions": ["latte"], "baselineAction": "cold brew"},
    ]);
    request
}

const POLICY: &str = "--ccb_explore_adf --epsilon 0.2 -q ::";

/// A loop whose learning policy fills slots.
fn serving() -> Served {
    let served = Served::new();
    let policy = json!({"name": "slots", "arguments": POLICY});
    served.put("/configurations/policy", &policy).json(200);
    served
}

fn rank(served: &Served, request: &Value) -> Answer {
    served.post(&format!("{BASE}/rank"), request)
}

#[test]
fn every_slot_gets_an_action_of_its_own() {
    let served = serving();
    let mut tops = BTreeSet::new();
    for number in 0..40 {
        let ranked = rank(&served, &request(&format!("event-{number}"))).json(201);
        assert_eq!(ranked["eventId"], format!("event-{number}"));
        let slots = ranked["slots"].as_array().unwrap();
        let of = |at: usize| slots[at]["rewardActionId"].as_str().unwrap().to_owned();
        assert_eq!((&slots[0]["id"], &slots[1]["id"]), (&json!("top"), &json!("side")));
        assert!(of(0) != of(1) && of(1) != "latte", "{ranked}");
        tops.insert(of(0));
    }
    assert_eq!(tops.len(), 3, "it explores");
}

#[test]
fn an_apprentice_shows_every_baseline() {
    let served = serving();
    let mut settings = quick();
    served.put("/configurations/service", &settings).json(200);
    settings["learningMode"] = json!("Apprentice");
    served.put("/configurations/service", &settings).json(200);
    for number in 0..10 {
        let slots = rank(&served, &request(&format!("event-{number}"))).json(201)["slots"].clone();
        let shown = [&slots[0]["rewardActionId"], &slots[1]["rewardActionId"]];
        assert_eq!(shown, ["latte", "cold brew"]);
    }
}

#[test]
fn slots_are_rewarded_apart_and_learned_from() {
    let served = serving();
    let mut settings = quick();
    settings["defaultReward"] = json!(-1.0);
    served.put("/configurations/service", &settings).json(200);
    rank(&served, &request("one")).json(201);
    let mut deferred = request("two");
    deferred["deferActivation"] = json!(true);
    rank(&served, &deferred).json(201);
    let reward = |id: &str, slot: &str, value: f64| {
        let body = json!({"reward": [{"slotId": slot, "value": value}]});
        served.post(&format!("{BASE}/events/{id}/reward"), &body)
    };
    reward("one", "top", 0.5).is_empty(204);
    reward("one", "bottom", 1.0).is_empty(204);
    reward("unknown", "top", 1.0).is_empty(204);
    for id in ["", &"x".repeat(257)] {
        assert_eq!(reward("one", id, 1.0).refusal(400), "InvalidRewardRequest");
    }
    served.call("POST", &format!("{BASE}/events/two/activate"), "", b"").is_empty(204);
    served.pass(Duration::from_secs(60));
    let overview = served.call("GET", "/overview", "", b"").json(200);
    let recent = overview["recent"].as_array().unwrap();
    let rewards: Vec<_> =
        recent.iter().rev().map(|event| event["reward"].as_f64().unwrap()).collect();
    assert_eq!(rewards, [0.5, -1.0], "those of the first slots");
    assert_ne!(overview["model"]["lastModifiedTime"], "0001-01-01T00:00:00Z");
}

#[test]
fn slots_that_cannot_be_filled_are_refused() {
    let served = serving();
    let slot = |id: &str, baseline: &str, excluded: &[&str]| json!({"id": id, "baselineAction": baseline, "excludedActions": excluded});
    for slots in [
        json!([]),
        json!(null),
        json!([slot("", "latte", &[])]),
        json!([slot("a", "latte", &[]), slot("a", "cold brew", &[])]),
        json!([slot("a", "latte", &[]), slot("b", "latte", &[])]),
        json!([slot("a", "tea", &[])]),
        json!([slot("a", "latte", &["latte"])]),
        json!([slot("a", "latte", &["tea"])]),
        json!([
            slot("a", "latte", &[]),
            slot("b", "cold brew", &[]),
            slot("c", "cappuccino", &[]),
            slot("d", "tea", &[])
        ]),
    ] {
        let mut broken = request("broken");
        broken["slots"] = slots;
        assert_eq!(rank(&served, &broken).refusal(400), "InvalidRankRequest", "{broken}");
    }
}

#[test]
fn a_loop_that_fills_no_slots_says_what_to_set() {
    let served = Served::new();
    let refused = rank(&served, &request("one"));
    assert!(refused.text().contains("--ccb_explore_adf --epsilon 0.2"), "{}", refused.text());
    assert_eq!(refused.refusal(400), "InvalidMultiSlotApiAccess");
    let mut settings = quick();
    settings["isAutoOptimizationEnabled"] = json!(true);
    served.put("/configurations/service", &settings).json(200);
    let policy = json!({"name": "slots", "arguments": POLICY});
    served.put("/configurations/policy", &policy).json(200);
    assert_eq!(rank(&served, &request("one")).refusal(400), "InvalidMultiSlotApiAccess");
    settings["isAutoOptimizationEnabled"] = json!(false);
    served.put("/configurations/service", &settings).json(200);
    rank(&served, &request("one")).json(201);
    settings["isAutoOptimizationEnabled"] = json!(true);
    let refused = served.put("/configurations/service", &settings);
    assert_eq!(refused.refusal(403), "ProblemTypeIncompatibleWithAutoOptimization");
}

#[test]
fn its_default_policy_fills_slots_too() {
    let served = serving();
    let policy = served.delete("/configurations/policy").json(200);
    let expected = "--ccb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::";
    assert_eq!(policy["arguments"], expected);
    served.post("/rank", &rank_request("single")).json(201);
}
