//! Changes of the settings and of the learning policy.

use super::*;

#[test]
fn the_frequency_counts_from_its_change() {
    let mut learning_loop = taught();
    let mut configuration = configuration();
    configuration.model_export_frequency = WireDuration(Duration::from_secs(7));
    learning_loop.set_configuration(configuration, at(12.0)).unwrap();
    assert_eq!(learning_loop.model_properties(at(100.0)).creation_time, at(19.0));
}

#[test]
fn a_new_share_of_exploration_rewrites_the_policy_and_teaches_the_model_anew() {
    let mut learning_loop = taught();
    take_lines(&mut learning_loop, true, 20.0);
    let wish = ServiceConfiguration { exploration_percentage: 0.3, ..configuration() };
    let stored = learning_loop.set_configuration(wish, at(20.0)).unwrap();
    assert_eq!(stored.last_configuration_edit_date, Some(at(20.0)));
    assert_eq!(learning_loop.configuration(at(20.0)), stored);
    let arguments = EAGER.replace("0.2", "0.3");
    assert_eq!(learning_loop.policy(at(20.0)).arguments, arguments);
    let response = rank(&mut learning_loop, "a", 20.0);
    let best = response.ranking.iter().find(|action| *action.id == *"Mocha").unwrap();
    assert!((best.probability - 0.8).abs() < 1e-6, "{response:?}");
    assert_eq!(learning_loop.model_properties(at(20.0)).creation_time, at(20.0));
}

#[test]
fn a_model_learned_anew_looks_two_days_back() {
    let mut learning_loop = taught();
    let two_days = 2.0 * 86_400.0;
    let change =
        |exploration_percentage| ServiceConfiguration { exploration_percentage, ..configuration() };
    learning_loop.set_configuration(change(0.3), at(two_days)).unwrap();
    assert_eq!(learning_loop.model_properties(at(two_days)).creation_time, at(two_days));
    learning_loop.set_configuration(change(0.4), at(two_days + 1.0)).unwrap();
    let properties = learning_loop.model_properties(at(two_days + 100.0));
    assert_eq!(properties.creation_time, Timestamp::NEVER);
}

/// The ids of the events that are joined by an instant.
fn joined_ids(learning_loop: &mut LearningLoop, seconds: f64) -> Vec<String> {
    let lines = take_lines(learning_loop, false, seconds);
    let id = |line: &String| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["EventId"].as_str().unwrap().into()
    };
    lines.iter().map(id).collect()
}

#[test]
fn a_shorter_wait_applies_to_open_windows() {
    let mut learning_loop = fresh(configuration());
    rank(&mut learning_loop, "old", 0.0);
    rank(&mut learning_loop, "recent", 4.5);
    let wait = WireDuration(Duration::from_secs(2));
    let shorter = ServiceConfiguration { reward_wait_time: wait, ..configuration() };
    learning_loop.set_configuration(shorter, at(5.0)).unwrap();
    rank(&mut learning_loop, "new", 6.0);
    assert_eq!(joined_ids(&mut learning_loop, 5.0), ["old"]);
    reward(&mut learning_loop, "recent", 0.5, 6.499_999);
    assert_eq!(joined_ids(&mut learning_loop, 6.5), ["recent"]);
    reward(&mut learning_loop, "new", 0.5, 7.999_999);
    reward(&mut learning_loop, "new", 1.0, 8.0);
    assert_eq!(joined_ids(&mut learning_loop, 8.0), ["new"]);
}

#[test]
fn a_longer_wait_applies_to_new_events_only() {
    let mut learning_loop = fresh(configuration());
    rank(&mut learning_loop, "old", 0.0);
    let wait = WireDuration(Duration::from_secs(60));
    let longer = ServiceConfiguration { reward_wait_time: wait, ..configuration() };
    learning_loop.set_configuration(longer, at(1.0)).unwrap();
    rank(&mut learning_loop, "new", 2.0);
    assert_eq!(joined_ids(&mut learning_loop, 10.0), ["old"]);
    assert!(joined_ids(&mut learning_loop, 61.999_999).is_empty());
    assert_eq!(joined_ids(&mut learning_loop, 62.0), ["new"]);
}

#[test]
fn a_new_policy_learns_from_the_whole_log() {
    let mut learning_loop = taught();
    let days = 3.0 * 86_400.0;
    let contract = PolicyContract { name: "mine".into(), arguments: EAGER.replace("mtr", "dr") };
    learning_loop.set_policy(contract, at(days)).unwrap();
    assert_eq!(learning_loop.model_properties(at(days)).creation_time, at(days));
    learning_loop.delete_policy(at(days + 1.0));
    assert_eq!(learning_loop.model_properties(at(days + 1.0)).creation_time, at(days + 1.0));
}

#[test]
fn the_log_is_kept_for_its_days() {
    let mut learning_loop =
        fresh(ServiceConfiguration { log_retention_days: 1, ..configuration() });
    rank(&mut learning_loop, "one", 0.0);
    let day = 86_400.0;
    assert!(learning_loop.logs_properties(at(day)).date_range.is_some());
    assert!(learning_loop.logs_properties(at(day + 1.0)).date_range.is_none());
}

#[test]
fn settings_out_of_range_are_refused() {
    let mut learning_loop = fresh(configuration());
    let good = configuration();
    for bad in [
        ServiceConfiguration { reward_wait_time: WireDuration(Duration::ZERO), ..good.clone() },
        ServiceConfiguration {
            reward_wait_time: WireDuration(RETRAINING_HORIZON * 2),
            ..good.clone()
        },
        ServiceConfiguration {
            model_export_frequency: WireDuration(Duration::from_millis(999)),
            ..good.clone()
        },
        ServiceConfiguration { default_reward: 1.5, ..good.clone() },
        ServiceConfiguration { default_reward: f64::NAN, ..good.clone() },
        ServiceConfiguration { exploration_percentage: -0.1, ..good.clone() },
        ServiceConfiguration { log_retention_days: -2, ..good.clone() },
    ] {
        let error = learning_loop.set_configuration(bad, at(1.0)).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidServiceConfiguration, "{error}");
    }
    assert_eq!(learning_loop.configuration(at(1.0)), good);
}

#[test]
fn the_learning_mode_changes_alone() {
    let mut learning_loop = fresh(configuration());
    let mode = Some(LearningMode::Apprentice);
    let both = ServiceConfiguration { learning_mode: mode, default_reward: 0.5, ..configuration() };
    let error = learning_loop.set_configuration(both, at(1.0)).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidLearningModeServiceConfiguration);
    let alone = ServiceConfiguration { learning_mode: mode, ..configuration() };
    learning_loop.set_configuration(alone, at(1.0)).unwrap();
    let silent = ServiceConfiguration { learning_mode: None, ..configuration() };
    let stored = learning_loop.set_configuration(silent, at(2.0)).unwrap();
    assert_eq!(stored.learning_mode, mode);
}

#[test]
fn the_policy_of_a_new_service_comes_back() {
    let mut learning_loop = eager();
    let contract = PolicyContract { name: "mine".into(), arguments: EAGER.replace("mtr", "ips") };
    assert_eq!(learning_loop.set_policy(contract.clone(), at(1.0)), Ok(contract.clone()));
    assert_eq!(learning_loop.policy(at(2.0)), contract);
    let default = learning_loop.delete_policy(at(3.0));
    assert_eq!(default.arguments, DEFAULT_POLICY);
    assert_eq!(default.name.len(), 32);
}

#[test]
fn policies_that_cannot_be_used_are_refused() {
    let mut learning_loop = fresh(configuration());
    for (name, arguments, code) in [
        ("", EAGER, ErrorCode::InvalidPolicyContract),
        ("x", "", ErrorCode::InvalidPolicyContract),
        ("x", &*"-q :: ".repeat(200), ErrorCode::InvalidPolicyContract),
        ("x", "--cb_explore_adf --nonsense 1", ErrorCode::InvalidPolicyConfiguration),
    ] {
        let contract = PolicyContract { name: name.into(), arguments: arguments.into() };
        assert_eq!(learning_loop.set_policy(contract, at(1.0)).unwrap_err().code, code);
    }
    assert_eq!(learning_loop.policy(at(1.0)).arguments, DEFAULT_POLICY);
}

#[test]
fn a_log_is_kept_for_a_day_longer_than_its_windows_are_open() {
    let mut learning_loop = fresh(configuration());
    let mut set = |log_retention_days: i32, wait: u64| {
        let reward_wait_time = WireDuration(Duration::from_secs(wait));
        let wish = ServiceConfiguration { reward_wait_time, log_retention_days, ..configuration() };
        learning_loop.set_configuration(wish, at(0.0)).map_err(|error| error.code)
    };
    let day = 24 * 3600;
    for (days, wait) in [(1, 1), (1, day), (2, day + 1)] {
        assert_eq!(set(days, wait).unwrap_err(), ErrorCode::InvalidLogRetentionDays);
    }
    for (days, wait) in [(-1, day), (0, day), (2, 1), (2, day), (3, 2 * day), (i32::MAX, 1)] {
        set(days, wait).unwrap();
    }
}

#[test]
fn a_loop_does_not_optimize_itself_all_the_time() {
    let mut learning_loop = fresh(configuration());
    let auto_optimization_frequency = Some(WireDuration(Duration::ZERO));
    let wish = ServiceConfiguration { auto_optimization_frequency, ..configuration() };
    let refused = learning_loop.set_configuration(wish, at(0.0)).unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidServiceConfiguration);
}

/// The oldest events leave the log when it takes too many bytes, and what is counted is that of
/// the events that are there.
#[test]
fn the_log_holds_the_last_events_that_fit_in_its_bytes() {
    let with_text = |id: &str, length: usize| {
        let mut request = request(id);
        let text = protocol::FeatureValue::Text("x".repeat(length));
        request.context_features =
            vec![protocol::FeatureObject(vec![("text".to_owned(), text)])].into();
        request
    };
    let limits = LoopLimits { event_bytes: 100_000, ..LoopLimits::NONE };
    let options = LoopOptions { configuration: configuration(), limits, ..LoopOptions::default() };
    let mut learning_loop = LearningLoop::new(options, at(0.0));
    for number in 0..50 {
        let seconds = 20.0 * f64::from(number);
        learning_loop.rank(&with_text(&number.to_string(), 9_000), at(seconds)).unwrap();
        reward(&mut learning_loop, &number.to_string(), 1.0, seconds + 1.0);
        let bytes = learning_loop.event_bytes();
        let all = bytes.logged + bytes.open;
        assert!(all <= limits.event_bytes && bytes.open > 9_000, "{bytes:?}");
    }
    let state = learning_loop.state(at(10_000.0));
    assert_eq!((state.waiting, learning_loop.event_bytes().open), (0, 0));
    // Each takes at least its text.
    assert!((8..=11).contains(&state.logged), "{state:?}");
    // An id that has left the log can be used again.
    let again = learning_loop.ranked;
    learning_loop.rank(&with_text("3", 9_000), at(10_000.0)).unwrap();
    assert_eq!(learning_loop.ranked, again + 1);
    learning_loop.delete_logs(at(10_001.0));
    assert_eq!(learning_loop.event_bytes(), EventBytes::default());
}
