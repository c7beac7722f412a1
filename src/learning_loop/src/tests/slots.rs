//! Events with slots, and their lines.

use super::*;
use learner::DsjsonReader;
use protocol::{
    EvaluationContract, LearningMode, MultiSlotRankRequest, MultiSlotRankResponse, SlotReward,
};

const FILLING: &str = "--ccb_explore_adf --epsilon 0.2 -q ::";

/// Slots `0`, `1` and `2`, of which the second has no features and excludes what the first
/// would show, and the third has nothing of its own.
pub fn slots_request(event_id: &str, slots: u8) -> MultiSlotRankRequest {
    let slots: Vec<_> = [
        r#"{"id": "0", "features": [{"size": "large"}], "baselineAction": "Mocha"}"#,
        r#"{"id": "1", "features": null, "excludedActions": ["Mocha"], "baselineAction": "Latte"}"#,
        r#"{"id": "2", "baselineAction": "Espresso"}"#,
    ][..usize::from(slots)]
        .iter()
        .map(|slot| serde_json::from_str(slot).unwrap())
        .collect();
    let RankRequest { context_features, actions, .. } = request(event_id);
    let event_id = Some(event_id.into());
    MultiSlotRankRequest { context_features, actions, slots, event_id, defer_activation: false }
}

fn filling(configuration: ServiceConfiguration) -> LearningLoop {
    let policy = LearningPolicy::parse(FILLING).unwrap();
    LearningLoop::new(
        LoopOptions { configuration, policy: policy.into(), ..LoopOptions::default() },
        at(0.0),
    )
}

fn fill(learning_loop: &mut LearningLoop, id: &str, seconds: f64) -> MultiSlotRankResponse {
    learning_loop.rank_slots(&slots_request(id, 3), at(seconds)).unwrap()
}

fn shown(response: &MultiSlotRankResponse) -> Vec<&str> {
    response.slots.iter().map(|slot| &*slot.reward_action_id).collect()
}

fn reward_slot(learning_loop: &mut LearningLoop, id: &str, slot: &str, value: f64, seconds: f64) {
    let reward = SlotReward { slot_id: slot.to_owned(), value };
    learning_loop.reward_slots(&id.into(), &[reward], at(seconds)).unwrap();
}

/// A loop that has learned to show Espresso in the first slot.
fn taught() -> LearningLoop {
    let mut learning_loop = filling(configuration());
    for number in 0..60 {
        let id = format!("lesson-{number}");
        let liked = shown(&fill(&mut learning_loop, &id, 0.0))[0] == "Espresso";
        reward_slot(&mut learning_loop, &id, "0", f64::from(u8::from(liked)), 1.0);
    }
    learning_loop
}

#[test]
fn the_joined_line_is_what_vw_reads() {
    let mut learning_loop = filling(configuration());
    let response = fill(&mut learning_loop, "one", 0.0);
    let Choice { ranking, .. } = &learning_loop.joiner.iter().next().unwrap().slots[2].choice;
    let last = ranking[0];
    assert_eq!(shown(&response)[2], ["Latte", "Mocha", "Espresso"][last]);
    reward_slot(&mut learning_loop, "one", "1", 0.5, 1.0);
    let line = only_line(&mut learning_loop, 10.0);
    assert_eq!(line["c"]["_slots"][0], serde_json::json!({"_id": "0", "sj": [{"size": "large"}]}));
    assert_eq!(line["c"]["_slots"][2], serde_json::json!({"_id": "2", "sj": []}));
    assert_eq!(line["_outcomes"][0]["_label_cost"], 0.0);
    assert_eq!(line["_outcomes"][1]["_label_cost"], -0.5);
    let seen = serde_json::json!([{"v": 0.5, "EventId": "one", "ActionTaken": false}]);
    assert_eq!(line["_outcomes"][1]["_o"], seen);
    let sole = serde_json::json!({
        "_label_cost": 0.0, "_id": "2", "_a": [last], "_p": [1.0], "_o": [],
        "_original_label_cost": 0.0,
    });
    assert_eq!(line["_outcomes"][2], sole);
    assert_eq!(line["VWState"]["m"], "N/A");
}

/// The second slot excludes Mocha, which `_inc` says, whatever the first shows.
#[test]
fn an_exclusion_is_a_list_of_what_is_included() {
    let mut learning_loop = filling(configuration());
    for number in 0..30 {
        let response = fill(&mut learning_loop, &number.to_string(), 0.0);
        let shown = shown(&response);
        assert!(shown[1] != "Mocha" && shown[0] != shown[1] && shown[1] != shown[2]);
    }
    let lines = take_lines(&mut learning_loop, true, 1.0);
    let included = lines.iter().filter(|line| {
        line.contains(r#""_slots":[{"_id":"0","sj":[{"size":"large"}]},{"_id":"1","sj":[{"_inc":["#)
    });
    assert!(included.count() > 10, "{}", lines[0]);
}

/// What was learned and served, derived once more from the lines alone.
#[test]
fn the_lines_lead_to_the_model_that_is_served() {
    let mut learning_loop = taught();
    let model = learning_loop.model(at(16.0)).unwrap();
    let policy = LearningPolicy::parse(FILLING).unwrap();
    let (mut learner, mut reader) =
        (learner::Learner::new(&policy), DsjsonReader::new(policy.hashing()));
    for line in take_lines(&mut learning_loop, false, 16.0) {
        learner.learn_slots(&reader.read(line.as_bytes()).unwrap().event);
    }
    assert!(learner.save() == model);
    let firsts = (0..100).map(|number| fill(&mut learning_loop, &format!("late-{number}"), 17.0));
    let espressos = firsts.filter(|response| shown(response)[0] == "Espresso").count();
    assert!(espressos > 70, "{espressos}");
}

#[test]
fn one_choice_without_slots_is_that_of_a_slot_without_features() {
    let mut learning_loop = taught();
    let ranked = rank(&mut learning_loop, "single", 17.0);
    let sum: f32 = probabilities(&ranked).iter().sum();
    assert!((sum - 1.0).abs() < 1e-6 && ranked.ranking.len() == 3);
    reward(&mut learning_loop, "single", 1.0, 18.0);
    let lines = take_lines(&mut learning_loop, false, 40.0);
    assert!(lines.last().unwrap().starts_with(r#"{"_label_cost":-1.0"#), "{lines:?}");
}

#[test]
fn an_apprentice_is_rewarded_slot_by_slot_for_what_it_would_have_shown() {
    let learning_mode = Some(LearningMode::Apprentice);
    let mut learning_loop = filling(ServiceConfiguration { learning_mode, ..configuration() });
    for number in 0..30 {
        let response = fill(&mut learning_loop, &number.to_string(), 0.0);
        assert_eq!(shown(&response), ["Mocha", "Latte", "Espresso"]);
    }
    let baselines = [1, 0, 2];
    for line in take_lines(&mut learning_loop, false, 11.0) {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        for (outcome, baseline) in line["_outcomes"].as_array().unwrap().iter().zip(baselines) {
            let imitates = outcome["_a"][0] == baseline;
            assert_eq!(outcome["_label_cost"] == -1.0, imitates, "{line}");
        }
    }
}

#[test]
fn a_loop_that_only_logs_logs_the_baselines() {
    let learning_mode = Some(LearningMode::LoggingOnly);
    let mut learning_loop = filling(ServiceConfiguration { learning_mode, ..configuration() });
    let response = fill(&mut learning_loop, "one", 0.0);
    assert_eq!(shown(&response), ["Mocha", "Latte", "Espresso"]);
    let line = only_line(&mut learning_loop, 10.0);
    let first = |slot: usize| line["_outcomes"][slot]["_a"][0].as_u64();
    assert_eq!([first(0), first(1), first(2)], [Some(1), Some(0), Some(2)]);
}

#[test]
fn evaluations_look_at_the_first_slot() {
    let mut learning_loop = taught();
    let contract = EvaluationContract {
        name: "first".to_owned(),
        start_time: at(0.0),
        end_time: at(2.0),
        policies: vec![],
        enable_offline_experimentation: true,
    };
    let evaluation = learning_loop.create_evaluation(&contract, at(20.0)).unwrap();
    let result = |name: &str| {
        let found = evaluation.policy_results.iter().find(|result| result.name == name);
        found.unwrap().total_summary.clone().unwrap()
    };
    assert_eq!(result("baselineRand").ips_estimator_denominator, 60.0, "events, not slots");
    // Its baseline is Mocha, which nobody likes in the first slot.
    assert_eq!(result("baseline1").ips_estimator_numerator, 0.0);
    assert!(result("baselineRand").ips_estimator_numerator > 0.0);
    let found = evaluation.policy_results.iter().filter_map(|result| result.arguments.as_ref());
    let found: Vec<_> = found.collect();
    assert!(
        !found.is_empty() && found.iter().all(|one| one.contains("--ccb_explore_adf")),
        "{found:?}"
    );
}

/// As by `runner evaluate`: a policy for single choices has no number on events with slots.
#[test]
fn a_policy_that_cannot_be_replayed_is_not_judged_and_ends_no_other() {
    let mut learning_loop = taught();
    let policy = |name: &str, arguments: &str| PolicyContract {
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    };
    let contract = EvaluationContract {
        name: "compare".to_owned(),
        start_time: at(0.0),
        end_time: at(1_000_000.0),
        policies: vec![
            policy("single", "--cb_explore_adf --epsilon 0.2 -q ::"),
            policy("linear", r#"{"lin_ucb":{}}"#),
            policy("slots", FILLING),
        ],
        enable_offline_experimentation: false,
    };
    let evaluation = learning_loop.create_evaluation(&contract, at(100.0)).unwrap();
    let [single, linear, slots] = &evaluation.policy_results[3..] else { panic!("three policies") };
    for failed in [single, linear] {
        let why = failed.failure.as_ref().unwrap();
        assert!(why.starts_with("event `lesson-0`: the event has slots"), "{why}");
        assert!(failed.total_summary.is_none() && failed.summary.is_empty());
    }
    assert!(slots.failure.is_none() && slots.total_summary.is_some());
    assert!(["online", "slots"].contains(&evaluation.optimal_policy.as_deref().unwrap()));
}
