//! The loop under policies that are not Vowpal Wabbit's.

use super::*;
use policy::Policy;

const LINEAR: [&str; 6] = [
    r#"{"lin_ucb":{"alpha":0.5}}"#,
    r#"{"lin_ucb":{"model":"disjoint"}}"#,
    r#"{"lin_ts":{"v":0.2}}"#,
    r#"{"lin_ts":{"v":0.2,"model":"disjoint","epsilon":0.1}}"#,
    r#"{"ucb1":{}}"#,
    r#"{"thompson":{}}"#,
];

fn options(policy: &str) -> LoopOptions {
    let policy = Policy::parse(policy).unwrap();
    LoopOptions { configuration: configuration(), policy, ..LoopOptions::default() }
}

/// Forty visitors, who like Mocha alone.
fn teach(learning_loop: &mut LearningLoop, name: &str, seconds: f64) {
    let event_ids: Vec<_> = (0..40).map(|number| format!("{name}-{number}")).collect();
    for event_id in &event_ids {
        let chosen = rank(learning_loop, event_id, seconds).reward_action_id;
        let value = f64::from(u8::from(*chosen == *"Mocha"));
        reward(learning_loop, event_id, value, seconds);
    }
}

fn best(response: &RankResponse) -> &str {
    let by_probability = |one: &&protocol::RankedAction, other: &&protocol::RankedAction| {
        one.probability.total_cmp(&other.probability)
    };
    &response.ranking.iter().max_by(by_probability).unwrap().id
}

#[test]
fn every_linear_policy_learns_what_is_liked_and_is_uniform_before() {
    for policy in LINEAR {
        let mut learning_loop = LearningLoop::new(options(policy), at(0.0));
        let before = rank(&mut learning_loop, "before", 0.0);
        assert_eq!(probabilities(&before), [1.0_f32 / 3.0; 3], "{policy}");
        teach(&mut learning_loop, "lesson", 1.0);
        assert_eq!(best(&rank(&mut learning_loop, "after", 16.0)), "Mocha", "{policy}");
    }
}

#[test]
fn a_restored_loop_decides_and_learns_as_the_one_that_was_saved() {
    for policy in LINEAR {
        let mut original = LearningLoop::new(options(policy), at(0.0));
        teach(&mut original, "lesson", 1.0);
        // Some events are learned and served, some are learned only, some wait for rewards.
        teach(&mut original, "more", 16.0);
        teach(&mut original, "open", 28.0);
        let saved = snapshot(&mut original);
        let mut restored = LearningLoop::restore(&*saved, &LoopOptions::default()).unwrap();
        for (event_id, seconds) in [("one", 28.5), ("two", 31.0), ("three", 46.0)] {
            let expected = rank(&mut original, event_id, seconds);
            assert_eq!(rank(&mut restored, event_id, seconds), expected, "{policy}");
        }
        assert!(snapshot(&mut original) == snapshot(&mut restored), "{policy}");
    }
}

#[test]
fn a_policy_that_is_set_learns_the_log_and_a_program_is_refused() {
    let mut learning_loop = taught();
    let set = |learning_loop: &mut LearningLoop, arguments: &str| {
        let contract = PolicyContract { name: "n".to_owned(), arguments: arguments.to_owned() };
        learning_loop.set_policy(contract, at(12.0))
    };
    let program = set(&mut learning_loop, r#"{"command":["sh"]}"#).unwrap_err();
    assert_eq!(program.code, ErrorCode::InvalidPolicyConfiguration);
    let contract = set(&mut learning_loop, LINEAR[0]).unwrap();
    assert_eq!(Policy::parse(&contract.arguments), Policy::parse(LINEAR[0]));
    assert_eq!(best(&rank(&mut learning_loop, "after", 13.0)), "Mocha");
    let error = learning_loop.vw_model(at(13.0)).unwrap_err();
    assert!(error.message.contains("lin_ucb"), "{error}");
    let model = learning_loop.model(at(13.0)).unwrap();
    learning_loop.set_model(&model, at(14.0)).unwrap();
    assert_eq!(best(&rank(&mut learning_loop, "again", 14.0)), "Mocha");
}
