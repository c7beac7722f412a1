//! The log against a queue of whole events.

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;
use smallvec::SmallVec;

use super::*;
use crate::interaction::{Activation, Choice, FilledSlot, Interaction};
use crate::joined::JoinedReward;
use protocol::{FeatureObject, LearningMode, RankableAction};

fn objects(number: usize) -> Arc<[FeatureObject]> {
    serde_json::from_str(&format!(r#"[{{"n":{number}}}]"#)).unwrap()
}

fn actions(count: usize) -> Arc<[RankableAction]> {
    let action = |number: usize| RankableAction {
        id: format!("action-{number}").into(),
        features: objects(number),
    };
    (0..count).map(action).collect()
}

/// A choice among so many actions.
fn choice(actions: usize) -> impl Strategy<Value = Choice> {
    let pmf = prop::collection::vec(prop_oneof![Just(0.25_f32), 0.0..1.0_f32], actions);
    let ranking = Just((0..actions).collect::<Vec<_>>()).prop_shuffle();
    (pmf, ranking).prop_map(|(pmf, ranking)| Choice { pmf: pmf.into(), ranking: ranking.into() })
}

fn reward() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(-0.0), Just(1.0), -3.0..3.0]
}

fn joined_reward() -> impl Strategy<Value = JoinedReward> {
    prop_oneof![
        reward().prop_map(|both| JoinedReward { original: both, learned: both }),
        (reward(), reward()).prop_map(|(original, learned)| JoinedReward { original, learned }),
    ]
}

fn slots() -> impl Strategy<Value = Vec<FilledSlot>> {
    let slot = (choice(3), prop::collection::vec(reward(), 0..3), 0..3_usize).prop_map(
        |(choice, rewards, baseline)| FilledSlot {
            id: format!("slot-{baseline}"),
            features: objects(baseline),
            included: vec![baseline],
            baseline,
            choice,
            rewards,
        },
    );
    prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(slot, 1..3)]
}

prop_compose! {
    /// An event without its id and its time, over contexts and actions that are shared or not.
    fn event()(
        (count, choice) in (1..9_usize).prop_flat_map(|count| (Just(count), choice(count))),
        offer in (0..3_usize, prop::bool::ANY),
        model in prop::option::of(0..3_i64),
        mode in prop::sample::select(vec![
            LearningMode::Online, LearningMode::Apprentice, LearningMode::LoggingOnly,
        ]),
        activation in prop::sample::select(vec![
            Activation::Immediate, Activation::Deferred, Activation::Activated,
        ]),
        rewards in prop::collection::vec(reward(), 0..3),
        is_sum in prop::bool::ANY,
        reward in joined_reward(),
        learnable in prop::bool::ANY,
        slots in slots(),
    ) -> (Joined, usize, (usize, bool)) {
        let sum = rewards.iter().sum();
        let slot_rewards = slots.iter().map(|_| reward).collect();
        let joined = Joined {
            interaction: Interaction {
                event_id: "".into(),
                time: Timestamp::VIRTUAL_START,
                context: Arc::new([]),
                actions: Arc::new([]),
                choice: Arc::new(choice),
                model: model.map(Timestamp::from_unix_micros),
                mode,
                activation,
                rewards: SmallVec::from_vec(rewards),
                slots,
            },
            reward: if is_sum { JoinedReward { original: sum, learned: sum } } else { reward },
            learnable,
            slots: slot_rewards,
        };
        (joined, count, offer)
    }
}

#[derive(Debug, Clone)]
enum Change {
    /// An event, so many seconds after the one before; with an id that is a UUID, or a text.
    Push(Box<(Joined, usize, (usize, bool))>, u64, bool),
    /// Days, from so many seconds after the last event on.
    Retain(u64),
    Limit(usize),
    LimitBytes(u64),
    Clear,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        30 => (event(), 0..50_000_u64, prop::bool::ANY)
            .prop_map(|(event, pause, is_uuid)| Change::Push(Box::new(event), pause, is_uuid)),
        1 => (0..100_000_u64).prop_map(Change::Retain),
        1 => (0..30_usize).prop_map(Change::Limit),
        1 => (0..20_000_u64).prop_map(Change::LimitBytes),
        1 => Just(Change::Clear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is kept in a few bytes comes back as it was, whatever joined and left before.
    #[test]
    fn the_log_is_a_queue_of_events(changes in prop::collection::vec(change(), 1..120)) {
        let shared: Vec<_> = (0..3).map(|number| (objects(number), number)).collect();
        let lists: Vec<_> = (0..10).map(actions).collect();
        let (mut log, mut queue) = (EventLog::new(Retention::Log, true), VecDeque::new());
        let (mut now, mut all) = (Timestamp::VIRTUAL_START, Vec::new());
        for (number, change) in changes.into_iter().enumerate() {
            match change {
                Change::Push(event, pause, is_uuid) => {
                    let (mut joined, count, (context, is_shared)) = *event;
                    now = now + Duration::from_secs(pause);
                    let interaction = &mut joined.interaction;
                    interaction.time = now;
                    let uuid = || uuid::Uuid::from_u128(number as u128).into();
                    let text = || format!("event {number}").as_str().into();
                    interaction.event_id = if is_uuid { uuid() } else { text() };
                    interaction.context = if is_shared { shared[context].0.clone() } else { objects(number) };
                    interaction.actions = if is_shared { lists[count].clone() } else { actions(count) };
                    all.push(interaction.event_id.clone());
                    prop_assert!(!log.contains(&interaction.event_id));
                    log.push(joined.clone(), true);
                    queue.push_back(joined);
                }
                Change::Retain(later) => {
                    let now = now + Duration::from_secs(later);
                    log.retain(1, now);
                    let oldest = now - Duration::from_secs(24 * 3600);
                    queue.retain(|joined: &Joined| joined.interaction.time >= oldest);
                }
                Change::Limit(most) => {
                    log.limit(most, u64::MAX);
                    queue.drain(..queue.len().saturating_sub(most));
                }
                Change::LimitBytes(bytes) => {
                    log.limit(usize::MAX, bytes);
                    prop_assert!(log.bytes() <= bytes);
                    queue.drain(..queue.len() - log.len());
                }
                Change::Clear => {
                    log.clear();
                    queue.clear();
                }
            }
            prop_assert_eq!(log.len(), queue.len());
            prop_assert_eq!(log.bytes() == 0, queue.is_empty());
        }
        let kept: Vec<_> = log.iter().map(|event| event.joined()).collect();
        prop_assert_eq!(&kept, &Vec::from(queue));
        for id in &all {
            let is_kept = kept.iter().any(|joined| joined.interaction.event_id == *id);
            prop_assert_eq!(log.contains(id), is_kept);
        }
        let learned = log.snapshot(|event| event.is_learnable());
        let expected: Vec<_> = kept.iter().filter(|joined| joined.learnable).collect();
        prop_assert_eq!(learned.len(), expected.len());
        for (index, joined) in expected.into_iter().enumerate() {
            let (_, block, place) = learned.at(index);
            prop_assert_eq!(&learned.joined(index), joined);
            prop_assert_eq!(block.label(place), joined.label());
            prop_assert_eq!(block.imitates_baseline(place), joined.interaction.imitates_baseline());
            prop_assert_eq!(block.ranked(place), joined.interaction.choice.ranking.len());
            prop_assert_eq!(block.has_slots(place), !joined.interaction.slots.is_empty());
        }
    }
}
