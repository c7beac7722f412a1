//! Models of Vowpal Wabbit that are put into a loop.

use learner::Learner;

use super::*;

fn model(arguments: &str) -> Vec<u8> {
    Learner::new(&LearningPolicy::parse(arguments).unwrap()).to_vw_model()
}

fn arguments(learning_loop: &LearningLoop) -> String {
    learning_loop.trainer.policy().arguments().to_string()
}

#[test]
fn a_model_of_the_loops_own_policy_keeps_it_and_another_brings_its_own() {
    let mut learning_loop = eager();
    let own = arguments(&learning_loop);
    learning_loop.set_model(&model(EAGER), at(1.0)).unwrap();
    assert!(arguments(&learning_loop).starts_with(&own), "{}", arguments(&learning_loop));
    for policy in
        ["--cb_explore_adf --epsilon 0.2 --bag 3", "--cb_explore_adf --epsilon 0.2 -q FF", EAGER]
    {
        let bytes = model(policy);
        learning_loop.set_model(&bytes, at(2.0)).unwrap();
        let found = arguments(&learning_loop);
        let options = ["--bag", "FF", "::"].map(|option| found.contains(option));
        assert_eq!(options, ["--bag", "FF", "::"].map(|option| policy.contains(option)), "{found}");
        assert!(learning_loop.vw_model(at(3.0)).unwrap() == bytes, "{policy}");
    }
}

#[test]
fn a_model_that_is_no_bandit_is_refused() {
    let mut learning_loop = eager();
    let own = arguments(&learning_loop);
    let foreign = include_bytes!("../../../learner/tests/fixtures/regression.vw");
    let error = learning_loop.set_model(foreign, at(1.0)).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidModelImportFormat);
    assert!(error.message.contains("cb_explore_adf"), "{error}");
    assert_eq!(arguments(&learning_loop), own);
}
