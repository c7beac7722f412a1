//! Offline evaluations: the arithmetic of the contract, its rows and their order.

use super::*;
use protocol::{
    ApplyFromEvaluation, EvaluationContract, PolicyResult, PolicyResultSummary, PolicySource,
};

fn contract(policies: &[(&str, &str)]) -> EvaluationContract {
    let policy = |(name, arguments): &(&str, &str)| PolicyContract {
        name: (*name).to_owned(),
        arguments: (*arguments).to_owned(),
    };
    EvaluationContract {
        name: "compare".to_owned(),
        start_time: at(0.0),
        end_time: at(1_000_000.0),
        policies: policies.iter().map(policy).collect(),
        enable_offline_experimentation: false,
    }
}

fn result<'a>(evaluation: &'a Evaluation, name: &str) -> &'a PolicyResult {
    evaluation.policy_results.iter().find(|result| result.name == name).unwrap()
}

fn total<'a>(evaluation: &'a Evaluation, name: &str) -> &'a PolicyResultSummary {
    result(evaluation, name).total_summary.as_ref().unwrap()
}

fn names(evaluation: &Evaluation) -> Vec<&str> {
    evaluation.policy_results.iter().map(|result| &*result.name).collect()
}

/// A loop without a model: every action has the probability 1/3. `Mocha` is rewarded.
fn logged(events: usize) -> (LearningLoop, Vec<Arc<str>>) {
    let mut learning_loop = eager();
    let ids: Vec<_> = (0..events).map(|number| format!("event-{number}")).collect();
    let chosen = ids.iter().map(|id| rank(&mut learning_loop, id, 0.0).reward_action_id);
    let chosen: Vec<_> = chosen.collect();
    for (id, chosen) in ids.iter().zip(&chosen) {
        reward(&mut learning_loop, id, f64::from(u8::from(**chosen == *"Mocha")), 1.0);
    }
    (learning_loop, chosen)
}

fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() < 1e-6 * expected.abs().max(1.0), "{actual} {expected}");
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "sixty events")]
fn the_rows_of_the_baselines_are_those_of_the_formulas() {
    let (mut learning_loop, chosen) = logged(60);
    let count = |id: &str| chosen.iter().filter(|chosen| ***chosen == *id).count() as f64;
    let (latte, mocha) = (count("Latte"), count("Mocha"));
    let evaluation = learning_loop.create_evaluation(&contract(&[]), at(20.0)).unwrap();

    let online = total(&evaluation, "online");
    close(online.ips_estimator_numerator, mocha);
    close(online.ips_estimator_denominator, 60.0);
    close(online.snips_estimator_denominator, 60.0);
    close(online.average_reward, mocha / 60.0);
    assert_eq!((online.non_zero_probability, online.sum_of_squares), (None, None));
    assert_eq!(online.confidence_interval, 0.0);

    // π = 1 on the first action, w = 3 on its events; it never is `Mocha`.
    let first = total(&evaluation, "baseline1");
    close(first.ips_estimator_numerator, 0.0);
    close(first.snips_estimator_denominator, 3.0 * latte);
    assert_eq!(first.non_zero_probability, Some(latte));

    // π = p = 1/3, w = 1, so that the estimate is the observed mean.
    let any = total(&evaluation, "baselineRand");
    close(any.average_reward, mocha / 60.0);
    close(any.sum_of_squares.unwrap(), mocha);
    assert_eq!(any.non_zero_probability, Some(60.0));
    let mean = mocha / 60.0;
    close(any.confidence_interval, 1.96 * ((mean - mean * mean) / 59.0).sqrt());
    assert_eq!(any.time_stamp, at(1_000_000.0));
    assert!(any.aggregate_time_window.0.is_zero());
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "twelve events")]
fn a_search_holds_out_the_last_fifth() {
    let (mut learning_loop, chosen) = logged(60);
    let mut contract = contract(&[("mine", EAGER)]);
    let plain = learning_loop.create_evaluation(&contract, at(20.0)).unwrap();
    assert!(plain.policy_results.iter().all(|result| result.held_out_summary.is_none()));

    contract.enable_offline_experimentation = true;
    let searched = learning_loop.create_evaluation(&contract, at(20.0)).unwrap();
    let held_out = |result: &PolicyResult| result.held_out_summary.clone().unwrap();
    for result in &searched.policy_results {
        assert_eq!(held_out(result).ips_estimator_denominator, 12.0);
    }
    let mocha = chosen[48..].iter().filter(|chosen| ***chosen == *"Mocha").count() as f64;
    let online = held_out(result(&searched, "online"));
    assert_eq!((online.ips_estimator_numerator, online.confidence_interval), (mocha, 0.0));
    close(held_out(result(&searched, "baselineRand")).average_reward, mocha / 12.0);
    // What is not searched is the same with and without a search.
    assert_eq!(total(&searched, "mine"), total(&plain, "mine"));
}

#[test]
fn rows_stand_in_the_recorded_order() {
    let (mut learning_loop, _) = logged(60);
    let mut contract = contract(&[("mine", EAGER)]);
    let plain = learning_loop.create_evaluation(&contract, at(20.0)).unwrap();
    assert_eq!(names(&plain), ["online", "baseline1", "baselineRand", "mine"]);
    contract.enable_offline_experimentation = true;
    let full = learning_loop.create_evaluation(&contract, at(20.0)).unwrap();
    let found = full.policy_results.len() - 4;
    assert!(found > 0);
    assert_eq!(names(&full)[found..], *names(&plain));
    let is_found =
        |result: &PolicyResult| result.policy_source == Some(PolicySource::OfflineExperimentation);
    assert!(full.policy_results[..found].iter().all(is_found));
    // Every feature is in one of the three lists.
    let mut features: Vec<&String> = full.feature_importance.iter().flatten().collect();
    features.sort();
    let expected = ["action.roast", "action.type", "context.user.name", "context.weather"];
    assert_eq!((full.feature_importance.len(), features.len()), (3, 4));
    assert_eq!(features, expected);
    assert_eq!(plain.feature_importance, full.feature_importance);
    assert_eq!(learning_loop.evaluations(at(20.0)), [plain, full]);
}

#[test]
fn windows_of_each_size_follow_each_other_and_empty_ones_are_zero() {
    let mut learning_loop = eager();
    rank(&mut learning_loop, "one", 299.0);
    rank(&mut learning_loop, "two", 3600.0);
    let evaluation = learning_loop.create_evaluation(&contract(&[]), at(5000.0)).unwrap();
    let rows = &result(&evaluation, "online").summary;
    let sizes: Vec<_> = rows.iter().map(|row| row.aggregate_time_window.to_string()).collect();
    let mut expected = vec!["PT5M"; 13];
    expected.extend(["PT1H", "PT1H", "PT6H", "P1D"]);
    assert_eq!(sizes, expected);
    let counts: Vec<_> = rows.iter().map(|row| row.ips_estimator_denominator).collect();
    let mut expected = vec![0.0; 13];
    (expected[0], expected[12]) = (1.0, 1.0);
    expected.extend([1.0, 1.0, 2.0, 2.0]);
    assert_eq!(counts, expected);
    assert_eq!(rows[1].time_stamp, at(300.0));
}

#[test]
fn without_events_a_result_is_a_name_with_arguments() {
    let mut learning_loop = eager();
    let evaluation =
        learning_loop.create_evaluation(&contract(&[("mine", EAGER)]), at(1.0)).unwrap();
    let mine = result(&evaluation, "mine");
    assert_eq!((mine.arguments.as_deref(), &mine.total_summary), (Some(EAGER), &None));
    assert!(mine.summary.is_empty());
    assert_eq!(evaluation.optimal_policy.as_deref(), Some("online"));
}

#[test]
fn only_events_of_the_range_that_were_joined_count() {
    let mut learning_loop = eager();
    for (id, seconds) in [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 30.0)] {
        rank(&mut learning_loop, id, seconds);
    }
    let mut contract = contract(&[]);
    let count = |learning_loop: &mut LearningLoop, contract: &EvaluationContract| {
        let evaluation = learning_loop.create_evaluation(contract, at(31.0)).unwrap();
        total(&evaluation, "online").ips_estimator_denominator
    };
    assert_eq!(count(&mut learning_loop, &contract), 3.0);
    (contract.start_time, contract.end_time) = (at(2.0), at(3.0));
    assert_eq!(count(&mut learning_loop, &contract), 1.0);
}

#[test]
fn a_policy_that_wins_clearly_is_the_optimal_one_and_can_be_applied() {
    let (mut learning_loop, _) = logged(600);
    let quick = "--cb_explore_adf --epsilon 0.2 --cb_type mtr -l 0.5";
    let contract = contract(&[("Quick", quick)]);
    let evaluation = learning_loop.create_evaluation(&contract, at(20.0)).unwrap();
    assert_eq!(evaluation.optimal_policy.as_deref(), Some("Quick"));
    let found = total(&evaluation, "Quick");
    assert!(found.average_reward - found.confidence_interval > 0.5, "{found:?}");

    let request =
        ApplyFromEvaluation { evaluation_id: evaluation.id, policy_name: "qUICK".to_owned() };
    learning_loop.apply_from_evaluation(&request, at(21.0)).unwrap();
    let policy = learning_loop.policy(at(21.0));
    assert_eq!((&*policy.name, &*policy.arguments), ("Quick", quick));
    let properties = learning_loop.model_properties(at(21.0));
    assert_eq!(properties.last_modified_time, at(21.0));
    let response = rank(&mut learning_loop, "after", 21.0);
    let best = response.ranking.iter().find(|action| *action.id == *"Mocha").unwrap();
    assert!(best.probability > 0.8, "{response:?}");
}

#[test]
fn without_a_clear_winner_the_served_policy_stays() {
    let mut learning_loop = eager();
    for number in 0..200 {
        rank(&mut learning_loop, &format!("event-{number}"), 0.0);
    }
    let mut contract = contract(&[("mine", EAGER)]);
    contract.enable_offline_experimentation = true;
    let evaluation = learning_loop.create_evaluation(&contract, at(20.0)).unwrap();
    assert_eq!(evaluation.optimal_policy.as_deref(), Some("online"));
}

#[test]
fn threads_change_nothing() {
    let evaluate = |threads| {
        let (mut learning_loop, _) = logged(300);
        learning_loop.threads = threads;
        let mut contract = contract(&[("mine", EAGER)]);
        contract.enable_offline_experimentation = true;
        learning_loop.create_evaluation(&contract, at(20.0)).unwrap()
    };
    assert_eq!(evaluate(1), evaluate(3));
}

#[test]
fn what_does_not_exist_is_not_found() {
    let (mut learning_loop, _) = logged(10);
    let evaluation = learning_loop.create_evaluation(&contract(&[]), at(20.0)).unwrap();
    let mut apply = |id: &str, name: &str| {
        let (evaluation_id, policy_name) = (id.to_owned(), name.to_owned());
        let request = ApplyFromEvaluation { evaluation_id, policy_name };
        learning_loop.apply_from_evaluation(&request, at(20.0)).unwrap_err().code
    };
    assert_eq!(apply("none", "online"), ErrorCode::EvaluationNotFound);
    assert_eq!(apply(&evaluation.id, "none"), ErrorCode::LearningSettingsNotFound);
    assert_eq!(apply(&evaluation.id, "baseline1"), ErrorCode::LearningSettingsNotFound);
    assert_eq!(learning_loop.evaluation(&evaluation.id, at(20.0)), Ok(evaluation.clone()));
    learning_loop.delete_evaluation(&evaluation.id, at(20.0));
    let error = learning_loop.evaluation(&evaluation.id, at(20.0)).unwrap_err();
    assert_eq!(error.code, ErrorCode::EvaluationNotFound);
    let next = learning_loop.create_evaluation(&contract(&[]), at(20.0)).unwrap();
    assert_ne!(next.id, evaluation.id);
}

#[test]
fn contracts_that_break_a_rule_are_refused() {
    let mut learning_loop = eager();
    let many: Vec<_> = (0..11).map(|number| format!("policy-{number}")).collect();
    let many: Vec<_> = many.iter().map(|name| (&**name, EAGER)).collect();
    let nameless = EvaluationContract { name: String::new(), ..contract(&[]) };
    let backwards = EvaluationContract { end_time: at(0.0), ..contract(&[]) };
    let taken = EvaluationContract {
        enable_offline_experimentation: true,
        ..contract(&[("Hyper1", EAGER)])
    };
    for (bad, code) in [
        (nameless, ErrorCode::InvalidEvaluationContract),
        (backwards, ErrorCode::InvalidEvaluationContract),
        (taken, ErrorCode::InvalidEvaluationContract),
        (contract(&[("Online", EAGER)]), ErrorCode::InvalidEvaluationContract),
        (contract(&[("x", "--nonsense")]), ErrorCode::InvalidEvaluationContract),
        (contract(&[("x", EAGER), ("X", EAGER)]), ErrorCode::DuplicateCustomPolicyNames),
        (contract(&many), ErrorCode::MaximumEvaluationCustomPoliciesExceeded),
    ] {
        let error = learning_loop.create_evaluation(&bad, at(1.0)).unwrap_err();
        assert_eq!(error.code, code, "{bad:?}");
    }
}

/// Every other visitor has the one weather, and likes what the other does not.
#[test]
fn a_feature_that_decides_the_reward_is_of_high_importance_and_noise_is_not() {
    let policy = LearningPolicy::parse("--cb_explore_adf --epsilon 0.2 -q Fi").unwrap();
    let configuration = configuration();
    let mut learning_loop = LearningLoop::new(
        LoopOptions { configuration, policy: policy.into(), ..LoopOptions::default() },
        at(0.0),
    );
    for number in 0..600_u32 {
        let id = format!("event-{number}");
        let weather = ["Snowy", "Sunny"][number as usize % 2];
        let noise = number * 7 % 5;
        let context = format!(r#"[{{"weather": "{weather}", "noise": "n{noise}"}}]"#);
        let context_features = serde_json::from_str(&context).unwrap();
        let request = RankRequest { context_features, ..request(&id) };
        let chosen = learning_loop.rank(&request, at(0.0)).unwrap().reward_action_id;
        let liked = if weather == "Snowy" { "Latte" } else { "Mocha" };
        reward(&mut learning_loop, &id, f64::from(u8::from(*chosen == *liked)), 1.0);
    }
    let evaluation = learning_loop.create_evaluation(&contract(&[]), at(20_000.0)).unwrap();
    let [high, _, _] = &evaluation.feature_importance[..] else { panic!("three lists") };
    assert_eq!(high, &["context.weather"], "{:?}", evaluation.feature_importance);
}
