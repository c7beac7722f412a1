//! Log entries, replayed, lead to the loop that they came from.

use proptest::prelude::*;

use super::slots::slots_request;
use super::*;
use protocol::{ApplyFromEvaluation, EvaluationContract, LearningMode, SlotReward};

/// Something that a caller may do.
#[derive(Debug, Clone, Copy)]
enum Call {
    Rank(u8, bool),
    Reward(u8, f64),
    RankSlots(u8, u8),
    RewardSlot(u8, u8, f64),
    Activate(u8),
    Configure(u64, LearningMode),
    Exploration(f64),
    Policy(usize),
    DeletePolicy,
    ModelThereAndBack,
    DeleteModel,
    DeleteLogs,
    Evaluate,
    Apply,
    Look,
}

fn call() -> impl Strategy<Value = Call> {
    let mode = prop_oneof![Just(LearningMode::Online), Just(LearningMode::Apprentice)];
    prop_oneof![
        20 => (any::<u8>(), proptest::bool::weighted(0.2)).prop_map(|(id, defer)| Call::Rank(id, defer)),
        20 => (any::<u8>(), -1.0..1.0).prop_map(|(id, value)| Call::Reward(id, value)),
        10 => (any::<u8>(), 1..4_u8).prop_map(|(id, slots)| Call::RankSlots(id, slots)),
        10 => (any::<u8>(), 0..3_u8, -1.0..1.0).prop_map(|(id, slot, value)| Call::RewardSlot(id, slot, value)),
        5 => any::<u8>().prop_map(Call::Activate),
        1 => (1..20_u64, mode).prop_map(|(wait, mode)| Call::Configure(wait, mode)),
        1 => (0.0..1.0).prop_map(Call::Exploration),
        2 => (0..POLICIES.len()).prop_map(Call::Policy),
        1 => Just(Call::DeletePolicy),
        1 => Just(Call::ModelThereAndBack),
        1 => Just(Call::DeleteModel),
        1 => Just(Call::DeleteLogs),
        1 => Just(Call::Evaluate),
        1 => Just(Call::Apply),
        5 => Just(Call::Look),
    ]
}

const POLICIES: [&str; 4] = [
    EAGER,
    "--cb_explore_adf --cb_type ips",
    "--ccb_explore_adf --epsilon 0.2 -q ::",
    "--ccb_explore_adf --bag 2 -q ::",
];

/// Calls the loop; refusals are part of life.
fn make(learning_loop: &mut LearningLoop, call: Call, now: Timestamp) {
    match call {
        Call::Rank(id, defer_activation) => {
            let request = RankRequest { defer_activation, ..request(&id.to_string()) };
            drop(learning_loop.rank(&request, now));
        }
        Call::Reward(id, value) => {
            drop(learning_loop.reward(&id.to_string().into(), RewardRequest { value }, now));
        }
        Call::RankSlots(id, slots) => {
            drop(learning_loop.rank_slots(&slots_request(&id.to_string(), slots), now));
        }
        Call::RewardSlot(id, slot, value) => {
            let reward = SlotReward { slot_id: slot.to_string(), value };
            drop(learning_loop.reward_slots(&id.to_string().into(), &[reward], now));
        }
        Call::Activate(id) => drop(learning_loop.activate(&id.to_string().into(), now)),
        Call::Configure(wait, mode) => {
            let reward_wait_time = WireDuration(Duration::from_secs(wait));
            let old = learning_loop.configuration(now);
            drop(
                learning_loop.set_configuration(
                    ServiceConfiguration { reward_wait_time, ..old.clone() },
                    now,
                ),
            );
            let learning_mode = Some(mode);
            drop(
                learning_loop.set_configuration(ServiceConfiguration { learning_mode, ..old }, now),
            );
        }
        Call::Exploration(exploration_percentage) => {
            let old = learning_loop.configuration(now);
            drop(
                learning_loop
                    .set_configuration(ServiceConfiguration { exploration_percentage, ..old }, now),
            );
        }
        Call::Policy(number) => {
            let arguments = POLICIES[number].to_owned();
            let contract = PolicyContract { name: "mine".to_owned(), arguments };
            drop(learning_loop.set_policy(contract, now));
        }
        Call::DeletePolicy => drop(learning_loop.delete_policy(now)),
        Call::ModelThereAndBack => {
            let model = learning_loop.model(now).unwrap();
            drop(learning_loop.set_model(&model, now));
        }
        Call::DeleteModel => learning_loop.delete_model(now),
        Call::DeleteLogs => learning_loop.delete_logs(now),
        Call::Evaluate => drop(learning_loop.create_evaluation(&contract(now), now)),
        Call::Apply => {
            let last = learning_loop.evaluations(now).pop().map(|last| last.id);
            let evaluation_id = last.unwrap_or_default();
            let request = ApplyFromEvaluation { evaluation_id, policy_name: "other".to_owned() };
            drop(learning_loop.apply_from_evaluation(&request, now));
        }
        Call::Look => drop(learning_loop.overview(now)),
    }
}

fn contract(now: Timestamp) -> EvaluationContract {
    let arguments = "--cb_explore_adf --epsilon 0.2 --cb_type dr".to_owned();
    EvaluationContract {
        name: "all".to_owned(),
        start_time: at(0.0),
        end_time: now + Duration::from_secs(1),
        policies: vec![PolicyContract { name: "other".to_owned(), arguments }],
        enable_offline_experimentation: false,
    }
}

/// Everything that can be seen of a loop.
fn seen(learning_loop: &mut LearningLoop, now: Timestamp) -> String {
    let overview = learning_loop.overview(now);
    let evaluations = learning_loop.evaluations(now);
    let configuration = learning_loop.configuration(now);
    let events = learning_loop.events(true, now);
    let lines = String::from_utf8(events.lines(0..events.len())).unwrap();
    let model = crate::ids::identifier(&[&format!("{:?}", learning_loop.model(now).unwrap())]);
    let shown = learning_loop.logs_properties(now);
    format!("{overview:#?}\n{evaluations:?}\n{configuration:?}\n{lines}\n{model}\n{shown:?}")
}

/// A loop that keeps its events for segments.
fn archived() -> LearningLoop {
    let policy = LearningPolicy::parse(EAGER).unwrap();
    let options =
        LoopOptions { configuration: configuration(), policy: policy.into(), ..archiving() };
    LearningLoop::new(options, at(0.0))
}

fn archiving() -> LoopOptions {
    LoopOptions { retention: Retention::Archive, ..LoopOptions::default() }
}

/// The loop of a snapshot and of the segments so far.
fn restored(original: &mut LearningLoop, segments: &mut Vec<Vec<u8>>) -> LearningLoop {
    segments.push(original.take_segment(usize::MAX, usize::MAX).lines);
    let mut restored = LearningLoop::restore(&*snapshot(original), &archiving()).unwrap();
    let events = SegmentEvents::read(&segments.concat()).unwrap();
    // Deleted events are at the front.
    let deleted = events.len() - original.logged();
    restored.restore_events(events, deleted);
    restored
}

/// A loop after the calls, the loop that its entries lead to, and the second of the last call.
fn original_and_replayed(calls: &[(Call, f64)]) -> (LearningLoop, LearningLoop, f64) {
    let (mut original, mut seconds) = (eager(), 0.0);
    original.start_recording();
    for (call, pause) in calls {
        seconds += pause;
        make(&mut original, *call, at(seconds));
    }
    let mut replayed = eager();
    for entry in original.take_entries() {
        // As it comes back from disk.
        let row = serde_json::to_vec(&entry).unwrap();
        replayed.replay(serde_json::from_slice(&row).unwrap()).unwrap();
    }
    (original, replayed, seconds)
}

#[test]
fn a_rank_of_a_known_event_is_replayed_for_what_the_model_has_seen_of_slots() {
    let calls = [
        (Call::Policy(2), 0.0),
        (Call::Rank(0, false), 0.0),
        (Call::Rank(1, false), 5.0),
        (Call::Exploration(0.0), 5.0),
        (Call::RankSlots(0, 1), 0.4),
    ];
    let (mut original, mut replayed, seconds) = original_and_replayed(&calls);
    let later = seconds + 5.0;
    assert_eq!(seen(&mut replayed, at(later)), seen(&mut original, at(later)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_loop_that_is_replayed_is_the_same_now_and_later(
        calls in proptest::collection::vec((call(), 0.0..3.0), 1..120),
    ) {
        let (mut original, mut replayed, seconds) = original_and_replayed(&calls);
        for later in [seconds, seconds + 5.0, seconds + 100.0] {
            prop_assert_eq!(seen(&mut replayed, at(later)), seen(&mut original, at(later)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// A restart from a snapshot and its segments, at any moment, changes nothing later.
    #[test]
    fn a_loop_that_is_restored_is_the_same_now_and_later(
        calls in proptest::collection::vec((call(), 0.0..3.0), 1..60),
        more in proptest::collection::vec((call(), 0.0..3.0), 1..60),
    ) {
        let mut original = archived();
        let (mut seconds, mut segments) = (0.0, Vec::new());
        for (number, (call, pause)) in calls.into_iter().enumerate() {
            seconds += pause;
            make(&mut original, call, at(seconds));
            if number % 20 == 19 {
                segments.push(original.take_segment(usize::MAX, usize::MAX).lines);
            }
        }
        let mut restored = restored(&mut original, &mut segments);
        prop_assert_eq!(seen(&mut restored, at(seconds)), seen(&mut original, at(seconds)));
        for (call, pause) in more {
            seconds += pause;
            make(&mut original, call, at(seconds));
            make(&mut restored, call, at(seconds));
        }
        for later in [seconds, seconds + 5.0, seconds + 100.0] {
            prop_assert_eq!(seen(&mut restored, at(later)), seen(&mut original, at(later)));
        }
    }
}

#[test]
fn an_evaluation_that_had_not_ended_is_to_be_run_again() {
    let mut original = taught();
    original.start_recording();
    let job = original.begin_evaluation(&contract(at(20.0)), at(20.0)).unwrap();
    let mut replayed = taught();
    let again: Vec<_> = original
        .take_entries()
        .into_iter()
        .filter_map(|entry| replayed.replay(entry).unwrap())
        .collect();
    assert_eq!(again.len(), 1);
    replayed.finish_evaluation(again[0].id(), Some(again[0].run()), at(21.0));
    original.finish_evaluation(job.id(), Some(job.run()), at(21.0));
    assert_eq!(replayed.evaluations(at(21.0)), original.evaluations(at(21.0)));
}

/// What a served model has seen of slots outlasts the first export after a restart, before the
/// event with the slots is learned.
#[test]
fn a_restart_changes_nothing_of_what_is_seen_of_slots() {
    let policy = LearningPolicy::parse(POLICIES[2]).unwrap();
    let options =
        LoopOptions { configuration: configuration(), policy: policy.into(), ..archiving() };
    let mut original = LearningLoop::new(options, at(0.0));
    rank(&mut original, "learned", 1.0);
    rank(&mut original, "open", 16.0);
    let mut restored = restored(&mut original, &mut Vec::new());
    for learning_loop in [&mut original, &mut restored] {
        learning_loop.rank_slots(&slots_request("slots", 2), at(25.0)).unwrap();
    }
    // Exported at 30 s with what was learned of `open`; `slots` is open until 35 s.
    assert_eq!(restored.model(at(31.0)).unwrap(), original.model(at(31.0)).unwrap());
    assert_eq!(seen(&mut restored, at(31.0)), seen(&mut original, at(31.0)));
}
