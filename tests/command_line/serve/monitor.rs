//! What a monitor sees.

use serde_json::json;

use super::contract::rank_request;
use super::served::Served;

#[test]
fn figures_are_counted_by_operation_and_status() {
    let served = Served::new();
    for id in ["a", "b/c"] {
        served.post("/rank", &rank_request(id)).json(201);
    }
    served.post("/rank", &json!({})).refusal(400);
    served.post("/events/b%2Fc/reward", &json!({"value": 1})).is_empty(204);
    served.call("BREW", "/coffee/canary", "", b"");
    let answer = served.call("GET", "/metrics", "", b"");
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let text = answer.text();
    for line in [
        r#"runner_requests_total{operation="POST /rank",status="201"} 2"#,
        r#"runner_requests_total{operation="POST /rank",status="400"} 1"#,
        r#"runner_requests_total{operation="POST /events/{event_id}/reward",status="204"} 1"#,
        r#"runner_requests_total{operation="other unknown",status="404"} 1"#,
        "runner_events_waiting 2",
        "runner_events_ranked 2",
        "runner_rewards 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("canary") && text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn the_status_is_that_of_the_container() {
    let status = Served::new().call("GET", "/status", "", b"").json(200);
    assert_eq!(status["apiStatus"], "Valid");
    assert_eq!(status["apiStatusMessage"], "0 events logged");
}
