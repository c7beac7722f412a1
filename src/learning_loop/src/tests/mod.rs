//! The rules of the service, with their times spelled out: seconds since the loop began.

mod evaluations;
mod linear;
#[cfg(unix)]
mod programs;
mod rank;
mod replay;
mod settings;
mod slots;
mod vw_model;

use std::time::Duration;

use std::sync::Arc;

use super::interaction::Choice;
use super::*;
use learner::LearningPolicy;
use protocol::{
    DEFAULT_POLICY, ErrorCode, Evaluation, LearningMode, LogsProperties, PolicyContract,
    RETRAINING_HORIZON, RankRequest, RankResponse, RewardAggregation, RewardRequest,
    ServiceConfiguration, WireDuration,
};
use timestamp::Timestamp;

fn at(seconds: f64) -> Timestamp {
    Timestamp::VIRTUAL_START + Duration::from_secs_f64(seconds)
}

/// Rewards count for 10 s, models are exported every 15 s.
fn configuration() -> ServiceConfiguration {
    ServiceConfiguration {
        reward_wait_time: WireDuration(Duration::from_secs(10)),
        model_export_frequency: WireDuration(Duration::from_secs(15)),
        ..ServiceConfiguration::default()
    }
}

fn fresh(configuration: ServiceConfiguration) -> LearningLoop {
    let options = LoopOptions { configuration, ..LoopOptions::default() };
    LearningLoop::new(options, at(0.0))
}

/// Learns quickly.
const EAGER: &str = "--cb_explore_adf --epsilon 0.2 --cb_type mtr -q ::";

fn eager() -> LearningLoop {
    let policy = LearningPolicy::parse(EAGER).unwrap();
    let configuration = configuration();
    LearningLoop::new(
        LoopOptions { configuration, policy: policy.into(), ..LoopOptions::default() },
        at(0.0),
    )
}

fn request(event_id: &str) -> RankRequest {
    let json = r#"{
        "contextFeatures": [{"weather": "Snowy"}, {"user": {"name": "Alice"}}],
        "actions": [
            {"id": "Latte", "features": [{"type": "hot"}]},
            {"id": "Mocha", "features": [{"type": "cold"}]},
            {"id": "Espresso", "features": [{"type": "hot", "roast": "dark"}]}
        ]
    }"#;
    RankRequest { event_id: Some(event_id.into()), ..serde_json::from_str(json).unwrap() }
}

fn rank(learning_loop: &mut LearningLoop, event_id: &str, seconds: f64) -> RankResponse {
    learning_loop.rank(&request(event_id), at(seconds)).unwrap()
}

fn reward(learning_loop: &mut LearningLoop, event_id: &str, value: f64, seconds: f64) {
    learning_loop.reward(&event_id.into(), RewardRequest { value }, at(seconds)).unwrap();
}

/// The loop as bytes.
fn snapshot(learning_loop: &mut LearningLoop) -> Vec<u8> {
    let mut bytes = Vec::new();
    learning_loop.write_snapshot(&mut bytes).unwrap();
    bytes
}

/// The joined lines that nobody has taken yet.
fn take_lines(learning_loop: &mut LearningLoop, everything: bool, seconds: f64) -> Vec<String> {
    let lines = String::from_utf8(learning_loop.take_joined(everything, at(seconds))).unwrap();
    assert!(lines.is_empty() || lines.ends_with('\n'));
    lines.lines().map(str::to_owned).collect()
}

/// The joined line of the only event that closed by then.
fn only_line(learning_loop: &mut LearningLoop, seconds: f64) -> serde_json::Value {
    let lines = take_lines(learning_loop, false, seconds);
    assert_eq!(lines.len(), 1, "{lines:?}");
    serde_json::from_str(&lines[0]).unwrap()
}

fn cost(learning_loop: &mut LearningLoop, seconds: f64) -> f64 {
    only_line(learning_loop, seconds)["_label_cost"].as_f64().unwrap()
}

/// A loop that has learned from some events, and serves what it learned at 15 s.
fn taught() -> LearningLoop {
    let mut learning_loop = eager();
    let event_ids: Vec<_> = (0..40).map(|number| format!("lesson-{number}")).collect();
    let chosen = event_ids.iter().map(|id| rank(&mut learning_loop, id, 0.0).reward_action_id);
    let chosen: Vec<_> = chosen.collect();
    for (event_id, chosen) in event_ids.iter().zip(chosen) {
        reward(&mut learning_loop, event_id, f64::from(u8::from(*chosen == *"Mocha")), 1.0);
    }
    learning_loop
}

fn probabilities(response: &RankResponse) -> Vec<f32> {
    response.ranking.iter().map(|action| action.probability).collect()
}

#[test]
fn the_joined_line_is_what_vw_reads() {
    let mut learning_loop = fresh(configuration());
    let mut request = request("one");
    let context = r#"[{"weather":"Snowy","_text":"a b"},{"user":{"age":30,"_x":1}}]"#;
    request.context_features = serde_json::from_str(context).unwrap();
    let chosen = learning_loop.rank(&request, at(0.0)).unwrap();
    reward(&mut learning_loop, "one", 1.0, 1.0);
    let lines = take_lines(&mut learning_loop, false, 10.0);
    let (order, index) = match &*chosen.reward_action_id {
        "Latte" => ("[1,2,3]", 0),
        "Mocha" => ("[2,1,3]", 1),
        _ => ("[3,2,1]", 2),
    };
    let expected = format!(
        concat!(
            r#"{{"_label_cost":-1.0,"_label_probability":0.33333334,"_label_Action":{},"#,
            r#""_labelIndex":{},"o":[{{"v":1.0,"EventId":"one","ActionTaken":false}}],"#,
            r#""Timestamp":"2026-01-01T00:00:00Z","Version":"1","EventId":"one","a":{},"#,
            r#""c":{{"FromUrl":[{{"weather":"Snowy"}},{{"user":{{"age":30}}}}],"_multi":["#,
            r#"{{"_tag":"Latte","i":{{"constant":1,"id":"Latte"}},"j":[{{"type":"hot"}}]}},"#,
            r#"{{"_tag":"Mocha","i":{{"constant":1,"id":"Mocha"}},"j":[{{"type":"cold"}}]}},"#,
            r#"{{"_tag":"Espresso","i":{{"constant":1,"id":"Espresso"}},"#,
            r#""j":[{{"type":"hot","roast":"dark"}}]}}]}},"#,
            r#""p":[0.33333334,0.33333334,0.33333334],"VWState":{{"m":"N/A"}},"#,
            r#""_original_label_cost":-1.0}}"#,
        ),
        index + 1,
        index,
        order,
    );
    assert_eq!(lines, [expected]);
}

#[test]
fn a_reward_counts_strictly_inside_the_window() {
    for (seconds, expected) in [(0.0, -1.0), (9.999_999, -1.0), (10.0, 0.0), (11.0, 0.0)] {
        let mut learning_loop = fresh(configuration());
        rank(&mut learning_loop, "one", 0.0);
        reward(&mut learning_loop, "one", 1.0, seconds);
        assert_eq!(cost(&mut learning_loop, 20.0), expected, "at {seconds} s");
    }
}

#[test]
fn an_event_is_joined_when_its_window_closes_and_not_before() {
    let mut learning_loop = fresh(configuration());
    rank(&mut learning_loop, "one", 0.0);
    reward(&mut learning_loop, "one", 1.0, 1.0);
    assert!(take_lines(&mut learning_loop, false, 9.999_999).is_empty());
    assert_eq!(take_lines(&mut learning_loop, false, 10.0).len(), 1);
    assert!(take_lines(&mut learning_loop, true, 30.0).is_empty(), "each line once");
}

#[test]
fn open_windows_are_taken_as_they_stand_and_only_once() {
    let mut learning_loop = fresh(configuration());
    rank(&mut learning_loop, "one", 0.0);
    rank(&mut learning_loop, "two", 5.0);
    assert_eq!(take_lines(&mut learning_loop, true, 6.0).len(), 2);
    reward(&mut learning_loop, "one", 1.0, 7.0);
    assert!(take_lines(&mut learning_loop, true, 30.0).is_empty());
    assert_ne!(learning_loop.model_properties(at(30.0)).last_modified_time, Timestamp::NEVER);
}

#[test]
fn without_a_reward_the_default_counts() {
    let mut learning_loop = fresh(ServiceConfiguration { default_reward: -0.5, ..configuration() });
    rank(&mut learning_loop, "one", 0.0);
    assert_eq!(cost(&mut learning_loop, 10.0), 0.5);
}

#[test]
fn no_reward_costs_zero_and_not_minus_zero() {
    let mut learning_loop = fresh(configuration());
    rank(&mut learning_loop, "one", 0.0);
    let lines = take_lines(&mut learning_loop, false, 10.0);
    assert!(lines[0].starts_with(r#"{"_label_cost":0.0,"#), "{}", lines[0]);
}

#[test]
fn several_rewards_become_one_as_configured() {
    for (how, expected) in [(RewardAggregation::Earliest, -0.25), (RewardAggregation::Sum, -1.75)] {
        let mut learning_loop =
            fresh(ServiceConfiguration { reward_aggregation: how, ..configuration() });
        rank(&mut learning_loop, "one", 0.0);
        for (value, seconds) in [(0.25, 1.0), (1.0, 2.0), (0.5, 9.0), (9.0, 10.0)] {
            reward(&mut learning_loop, "one", value, seconds);
        }
        assert_eq!(cost(&mut learning_loop, 10.0), expected, "{how:?}");
    }
}

#[test]
fn rewards_of_unknown_events_are_ignored_and_those_that_no_cost_represents_are_refused() {
    let mut learning_loop = fresh(configuration());
    reward(&mut learning_loop, "nobody", 1.0, 0.0);
    for value in [f64::NAN, f64::INFINITY, 1e39, -1e308, f64::from(f32::MAX) * 1.000_001] {
        let request = RewardRequest { value };
        let error = learning_loop.reward(&"nobody".into(), request, at(0.0)).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRewardRequest, "{value}");
    }
    reward(&mut learning_loop, "nobody", f64::from(f32::MAX), 0.0);
}

#[test]
fn a_sum_of_the_largest_rewards_is_clamped() {
    let sum = RewardAggregation::Sum;
    let mut learning_loop =
        fresh(ServiceConfiguration { reward_aggregation: sum, ..configuration() });
    rank(&mut learning_loop, "one", 0.0);
    for _ in 0..3 {
        reward(&mut learning_loop, "one", -f64::from(f32::MAX), 1.0);
    }
    assert_eq!(cost(&mut learning_loop, 10.0), 3.402_823_5e38);
}

#[test]
fn an_event_that_is_not_activated_is_skipped() {
    let mut learning_loop = fresh(configuration());
    let deferred = RankRequest { defer_activation: true, ..request("one") };
    learning_loop.rank(&deferred, at(0.0)).unwrap();
    reward(&mut learning_loop, "one", 1.0, 1.0);
    learning_loop.activate(&"one".into(), at(10.0)).unwrap();
    let line = only_line(&mut learning_loop, 10.0);
    assert_eq!(line["_skipLearn"], true);
    assert_eq!(line["_label_cost"], 0.0);
    assert_eq!(learning_loop.model_properties(at(60.0)).creation_time, Timestamp::NEVER);
}

#[test]
fn an_activated_event_is_joined_like_any_other() {
    let mut learning_loop = fresh(configuration());
    let deferred = RankRequest { defer_activation: true, ..request("one") };
    learning_loop.rank(&deferred, at(0.0)).unwrap();
    reward(&mut learning_loop, "one", 1.0, 1.0);
    learning_loop.activate(&"one".into(), at(9.0)).unwrap();
    let line = only_line(&mut learning_loop, 10.0);
    assert_eq!(line["_label_cost"], -1.0);
    assert!(line.get("_skipLearn").is_none());
    assert_eq!(line["o"][1]["ActionTaken"], true);
}

#[test]
fn activating_what_needs_it_not_has_no_effect() {
    let mut learning_loop = fresh(configuration());
    rank(&mut learning_loop, "one", 0.0);
    for event_id in ["one", "nobody"] {
        learning_loop.activate(&event_id.into(), at(1.0)).unwrap();
    }
    assert_eq!(only_line(&mut learning_loop, 10.0)["o"], serde_json::json!([]));
}

#[test]
fn a_repeated_id_is_answered_and_learned_once() {
    let mut learning_loop = fresh(configuration());
    let first = rank(&mut learning_loop, "one", 0.0);
    assert_eq!(rank(&mut learning_loop, "one", 1.0), first);
    assert_eq!(take_lines(&mut learning_loop, false, 12.0).len(), 1);
    rank(&mut learning_loop, "one", 13.0);
    assert!(take_lines(&mut learning_loop, true, 30.0).is_empty());
}

#[test]
fn models_are_served_at_multiples_of_the_export_frequency() {
    let mut learning_loop = taught();
    let untrained = vec![1.0 / 3.0; 3];
    assert_eq!(probabilities(&rank(&mut learning_loop, "a", 14.999_999)), untrained);
    let last = |inner: &mut LearningLoop, seconds| inner.model_properties(at(seconds));
    assert_eq!(last(&mut learning_loop, 14.999_999).creation_time, Timestamp::NEVER);
    assert_ne!(probabilities(&rank(&mut learning_loop, "b", 15.0)), untrained);
    assert_eq!(last(&mut learning_loop, 15.0).creation_time, at(15.0));
    // The events of 14.9 s and 15 s close at 24.9 s and 25 s.
    let later = last(&mut learning_loop, 1000.0);
    assert_eq!((later.creation_time, later.last_modified_time), (at(15.0), at(30.0)));
}

#[test]
fn an_export_and_a_close_happen_in_the_order_of_time() {
    // The window closes at 15 s, where a tick is: what closes by a tick is in the export.
    let mut learning_loop = fresh(configuration());
    rank(&mut learning_loop, "one", 5.0);
    rank(&mut learning_loop, "two", 5.000_001);
    let properties = learning_loop.model_properties(at(29.0));
    assert_eq!(properties.last_modified_time, at(15.0));
    let properties = learning_loop.model_properties(at(30.0));
    assert_eq!(properties.last_modified_time, at(30.0));
}

#[test]
fn how_often_one_looks_changes_nothing() {
    let run = |looks: u32| {
        let mut learning_loop = taught();
        for look in 0..looks {
            learning_loop.model_properties(at(2.0 + f64::from(look)));
        }
        let answers = ["a", "b", "c"].map(|id| rank(&mut learning_loop, id, 40.0));
        (answers, take_lines(&mut learning_loop, true, 60.0))
    };
    assert_eq!(run(0), run(35));
}

#[test]
fn a_learned_action_gets_what_exploration_leaves() {
    let mut learning_loop = taught();
    let response = rank(&mut learning_loop, "a", 20.0);
    let best = response.ranking.iter().find(|action| *action.id == *"Mocha").unwrap();
    assert!((best.probability - (0.8 + 0.2 / 3.0)).abs() < 1e-6, "{response:?}");
}

#[test]
fn without_a_model_again_choices_are_uniform() {
    let mut learning_loop = taught();
    learning_loop.delete_model(at(20.0));
    assert_eq!(probabilities(&rank(&mut learning_loop, "a", 20.0)), [1.0 / 3.0; 3]);
    assert_eq!(learning_loop.model_properties(at(20.0)).last_modified_time, Timestamp::NEVER);
}

#[test]
fn the_range_of_the_log_covers_open_windows_too() {
    let mut learning_loop = fresh(configuration());
    let range = |inner: &mut LearningLoop, seconds| {
        inner.logs_properties(at(seconds)).date_range.map(|range| (range.from, range.to))
    };
    assert_eq!(range(&mut learning_loop, 0.0), None);
    for (id, seconds) in [("a", 1.0), ("b", 3.0), ("c", 12.0)] {
        rank(&mut learning_loop, id, seconds);
    }
    assert_eq!(range(&mut learning_loop, 12.0), Some((at(1.0), at(12.0))));
    assert_eq!(range(&mut learning_loop, 30.0), Some((at(1.0), at(12.0))));
}

#[test]
fn an_id_can_be_used_again_when_its_event_is_forgotten() {
    let mut learning_loop = fresh(configuration());
    rank(&mut learning_loop, "one", 0.0);
    rank(&mut learning_loop, "two", 1.0);
    learning_loop.delete_logs(at(2.0));
    rank(&mut learning_loop, "two", 3.0);
    reward(&mut learning_loop, "two", 1.0, 4.0);
    assert_eq!(cost(&mut learning_loop, 13.0), -1.0);
}

#[test]
fn without_a_log_nothing_is_learned_anew() {
    let mut learning_loop = taught();
    assert_eq!(learning_loop.logs_properties(at(20.0)).date_range.unwrap().from, at(0.0));
    learning_loop.delete_logs(at(20.0));
    assert_eq!(learning_loop.logs_properties(at(20.0)), LogsProperties::default());
    learning_loop.delete_policy(at(21.0));
    assert_eq!(learning_loop.model_properties(at(100.0)).creation_time, Timestamp::NEVER);
    assert_eq!(take_lines(&mut learning_loop, false, 100.0).len(), 40, "they were joined");
}
