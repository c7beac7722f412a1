//! Requests, their answers, and who chooses in each learning mode.

use super::*;

#[test]
fn excluded_actions_stay_in_place_without_probability() {
    let mut learning_loop = taught();
    let excluded_actions = vec!["Latte".to_owned(), "nobody".to_owned()];
    let request = RankRequest { excluded_actions, ..request("a") };
    let response = learning_loop.rank(&request, at(20.0)).unwrap();
    assert_eq!((&*response.ranking[0].id, response.ranking[0].probability), ("Latte", 0.0));
    assert_eq!(response.ranking[1].id, response.reward_action_id);
    let line = take_lines(&mut learning_loop, true, 20.0).pop().unwrap();
    assert!(!line.contains("Latte"), "what cannot be chosen is not logged: {line}");
}

#[test]
fn an_event_without_id_gets_one() {
    let mut learning_loop = fresh(configuration());
    let mut nameless = request("");
    nameless.event_id = None;
    let mut ask = || learning_loop.rank(&nameless, at(0.0)).unwrap().event_id;
    let (first, second) = (ask(), ask());
    assert_ne!(first, second);
    assert_eq!(first.to_string().split_once('-').unwrap().0.len(), 32);
}

#[test]
fn requests_that_break_a_rule_are_refused() {
    let mut learning_loop = fresh(configuration());
    let features = serde_json::json!([{"a": 1}]);
    let action = |id: &str| serde_json::json!({"id": id, "features": features});
    let with = |features| serde_json::json!({"actions": [{"id": "a", "features": features}]});
    let many: Vec<_> = (0..51).map(|number| action(&number.to_string())).collect();
    for bad in [
        serde_json::json!({"actions": []}),
        serde_json::json!({"actions": many}),
        serde_json::json!({"actions": [action("")]}),
        serde_json::json!({"actions": [action(&"x".repeat(257))]}),
        serde_json::json!({"actions": [action("a"), action("a")]}),
        serde_json::json!({"actions": [action("a")], "eventId": ""}),
        serde_json::json!({"actions": [action("a")], "excludedActions": ["a"]}),
        serde_json::json!({"actions": [action("a")], "contextFeatures": [{"": 1}]}),
        serde_json::json!({"actions": [action("a")], "contextFeatures": [{"a": {"": 1}}]}),
        with(serde_json::json!([])),
        with(serde_json::json!([{"a": null}])),
        with(serde_json::json!([{"a": ["x"]}])),
        with(serde_json::json!([{"a": [1, null]}])),
        with(serde_json::json!([{"a": [[1]]}])),
        with(serde_json::json!([{"a": 1e39}])),
    ] {
        let request: RankRequest = serde_json::from_value(bad.clone()).unwrap();
        let error = learning_loop.rank(&request, at(0.0)).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRankRequest, "{bad}");
    }
    assert!(take_lines(&mut learning_loop, true, 0.0).is_empty());
}

#[test]
fn an_apprentice_shows_the_baseline_and_learns_to_imitate_it() {
    let mode = Some(LearningMode::Apprentice);
    let mut learning_loop = fresh(ServiceConfiguration { learning_mode: mode, ..configuration() });
    let event_ids: Vec<_> = (0..20).map(|number| format!("event-{number}")).collect();
    for event_id in &event_ids {
        let response = rank(&mut learning_loop, event_id, 0.0);
        assert_eq!(&*response.reward_action_id, "Latte");
    }
    for event_id in &event_ids {
        reward(&mut learning_loop, event_id, 0.5, 1.0);
    }
    let lines = take_lines(&mut learning_loop, false, 10.0);
    let mut same = 0;
    for line in &lines {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let imitates = line["_label_Action"] == 1;
        assert_eq!(line["_label_cost"], if imitates { -1.0 } else { 0.0 });
        assert_eq!(line["_original_label_cost"], -0.5);
        same += u32::from(imitates);
    }
    assert!((1..20).contains(&same), "{same}");
}

#[test]
fn logging_only_serves_and_logs_the_baseline_and_learns_nothing() {
    let mode = Some(LearningMode::LoggingOnly);
    let mut learning_loop = fresh(ServiceConfiguration { learning_mode: mode, ..configuration() });
    assert_eq!(&*rank(&mut learning_loop, "one", 0.0).reward_action_id, "Latte");
    assert_eq!(only_line(&mut learning_loop, 10.0)["a"], serde_json::json!([1, 2, 3]));
    assert_eq!(learning_loop.model_properties(at(60.0)).creation_time, Timestamp::NEVER);
}

proptest::proptest! {
    #[test]
    fn a_ranking_is_a_permutation_with_a_distribution(
        id in "[a-z]{1,8}", seconds in 0.0..40.0, excluded in 0..3_usize,
    ) {
        let mut learning_loop = taught();
        let mut request = request(&id);
        let ids: Vec<_> = request.actions.iter().map(|action| action.id.clone()).collect();
        request.excluded_actions = ids[..excluded].iter().map(ToString::to_string).collect();
        let response = learning_loop.rank(&request, at(seconds)).unwrap();
        let mut ranked: Vec<_> = response.ranking.iter().map(|action| &action.id).collect();
        ranked.sort();
        let mut sorted: Vec<_> = ids.iter().collect();
        sorted.sort();
        proptest::prop_assert_eq!(ranked, sorted);
        let total: f32 = probabilities(&response).iter().sum();
        proptest::prop_assert!((total - 1.0).abs() < 1e-6);
        let first = &response.ranking[excluded].id;
        proptest::prop_assert_eq!(first, &response.reward_action_id);
    }
}
