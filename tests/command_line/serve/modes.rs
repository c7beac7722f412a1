//! Apprentices, and loops that optimize themselves.

use std::time::Duration;

use serde_json::{Value, json};

use super::contract::{quick, rank_request};
use super::served::Served;

fn visits(served: &Served, events: std::ops::Range<u32>) {
    for number in events {
        let id = format!("event-{number}");
        let ranked = served.post("/rank", &rank_request(&id)).json(201);
        let value = u8::from(ranked["rewardActionId"] == "latte");
        served.post(&format!("/events/{id}/reward"), &json!({"value": value})).is_empty(204);
    }
}

#[test]
fn an_apprentice_serves_the_baseline_and_says_how_well_it_imitates() {
    let served = Served::new();
    let mut settings = quick();
    served.put("/configurations/service", &settings).json(200);
    settings["learningMode"] = json!("Apprentice");
    assert_eq!(
        served.put("/configurations/service", &settings).json(200)["learningMode"],
        "Apprentice"
    );
    for number in 0..20 {
        let id = format!("event-{number}");
        let ranked = served.post("/rank", &rank_request(&id)).json(201);
        assert_eq!(ranked["rewardActionId"], "cappuccino");
        served.post(&format!("/events/{id}/reward"), &json!({"value": 0.5})).is_empty(204);
    }
    served.pass(Duration::from_secs(60));
    let overview = served.call("GET", "/overview", "", b"").json(200);
    let apprentice = &overview["apprentice"];
    assert_eq!(apprentice["events"], 20);
    assert_eq!(apprentice["baselineAverageReward"], 0.5);
    let imitated = apprentice["imitated"].as_f64().unwrap();
    assert_eq!(apprentice["rewardAchieved"].as_f64().unwrap(), imitated / 20.0);
}

fn auto(served: &Served) -> Vec<Value> {
    let all = served.get("/evaluations").json(200);
    let is_auto = |one: &&Value| one["evaluationType"] == "Auto";
    all.as_array().unwrap().iter().filter(is_auto).cloned().collect()
}

/// The loop's own evaluation, once it has ended.
fn concluded(served: &Served) -> Value {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let found = auto(served);
        if let Some(one) = found.iter().find(|one| one["status"] != "pending") {
            return one.clone();
        }
        assert!(std::time::Instant::now() < deadline, "{found:?}");
    }
}

#[test]
fn a_loop_that_optimizes_itself_applies_what_is_convincingly_better() {
    let served = Served::new();
    let mut settings = quick();
    settings["isAutoOptimizationEnabled"] = json!(true);
    settings["autoOptimizationFrequency"] = json!("P7D");
    settings["autoOptimizationStartDate"] = json!("2026-01-01T01:00:00Z");
    served.put("/configurations/service", &settings).json(200);
    visits(&served, 0..600);
    served.pass(Duration::from_secs(1800));
    served.get("/model/properties").json(200);
    assert!(auto(&served).is_empty(), "it is not due yet");
    served.pass(Duration::from_secs(1800));
    let one = concluded(&served);
    assert_eq!(one["status"], "optimalPolicyApplied", "{}", one["optimalPolicy"]);
    assert_eq!(served.get("/configurations/policy").json(200)["name"], one["optimalPolicy"]);
    served.pass(Duration::from_secs(6 * 24 * 3600));
    served.get("/model/properties").json(200);
    assert_eq!(auto(&served).len(), 1, "once a week");
}
