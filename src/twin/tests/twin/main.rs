//! Twins of logs whose worlds are known.
#![expect(clippy::cast_precision_loss, reason = "small counts")]

mod world;

use twin::{LoggedEvent, Refusal, Twin, TwinVisitor};
use world::{Kind, Logger, World, number, shuffled, thinned};

/// The probability of an action in a context.
type FixedPolicy = Box<dyn Fn(usize, usize) -> f64>;

/// The mean expected reward of a policy in a twin: the probability of each action by the number of
/// the context.
fn value(twin: &Twin, policy: impl Fn(usize, usize) -> f64) -> f64 {
    let all: f64 = twin.visitors.iter().map(|visitor| visitor.events).sum();
    let of = |visitor: &TwinVisitor| {
        let context = number(&visitor.context);
        let expected = visitor.rewards.iter().zip(&visitor.indices);
        let mean: f64 = expected.map(|(reward, action)| reward * policy(context, *action)).sum();
        mean * visitor.events
    };
    twin.visitors.iter().map(of).sum::<f64>() / all
}

/// In expectation over seeds and within the errors of a log of this size, for policies that the
/// logger was not: each action always, the best, all alike, and the worst.
#[test]
fn the_values_of_policies_are_those_of_the_world() {
    let certain = |is: bool| f64::from(u8::from(is));
    for (kind, range) in [(Kind::Clicks, 1.0), (Kind::Certain, 1.0), (Kind::Amounts, 6.0)] {
        for seed in 0..4 {
            let world = World::new(kind, seed);
            let twin = Twin::of(&world.log(Logger::Learning, 8000, seed)).unwrap();
            let mut policies: Vec<(String, FixedPolicy)> = (0..4)
                .map(|action| -> (String, FixedPolicy) {
                    (format!("always {action}"), Box::new(move |_, of| certain(of == action)))
                })
                .collect();
            policies.push(("uniform".to_owned(), Box::new(|_, _| 0.25)));
            let best: Vec<usize> = (0..world::CONTEXTS).map(|of| world.best(of)).collect();
            policies
                .push(("best".to_owned(), Box::new(move |of, action| certain(action == best[of]))));
            for (name, policy) in &policies {
                let truth: f64 = (0..world::CONTEXTS)
                    .flat_map(|of| (0..4).map(move |action| (of, action)))
                    .map(|(of, action)| policy(of, action) * world.expected[of][action])
                    .sum::<f64>()
                    / world::CONTEXTS as f64;
                let found = value(&twin, policy);
                // Four standard errors of an arm that has at least a thirtieth of 4,000 events
                // would be 0.17; the visitors drawn add to it.
                assert!(
                    (found - truth).abs() < 0.06 * range,
                    "{kind:?} {seed} {name}: {found} {truth}"
                );
            }
        }
    }
}

/// Over all seeds; `examples/twin_study.rs` has more of them.
#[test]
fn honest_logs_are_hardly_ever_refused_and_shuffled_ones_are() {
    let (mut honest, mut broken) = (0, 0);
    for kind in [Kind::Clicks, Kind::Certain, Kind::OneFeature, Kind::Amounts] {
        for seed in 0..8 {
            let log = World::new(kind, seed).log(Logger::Uniform, 6000, seed);
            broken += u32::from(Twin::of(&shuffled(log.clone(), seed)).is_err());
            honest += u32::from(Twin::of(&log).is_err());
        }
    }
    assert!(honest <= 2, "{honest} of 32 honest logs were refused");
    assert!(broken >= 29, "{broken} of 32 shuffled logs were refused");
}

/// A log of which most events without a click were left out says the same of every policy, and is
/// as hardly ever refused.
#[test]
fn a_thinned_log_is_the_world_of_the_whole_one() {
    let (mut honest, mut broken) = (0, 0);
    for kind in [Kind::Clicks, Kind::Certain, Kind::OneFeature, Kind::Amounts] {
        for seed in 0..4 {
            let world = World::new(kind, seed);
            let whole = world.log(Logger::Learning, 12_000, seed);
            let log = thinned(&whole, seed);
            assert!(log.len() < 10_500, "{}", log.len());
            let shuffled = thinned(&shuffled(whole.clone(), seed), seed);
            broken += u32::from(Twin::of(&shuffled).is_err());
            let (Ok(twin), Ok(of_whole)) = (Twin::of(&log), Twin::of(&whole)) else {
                honest += 1;
                continue;
            };
            let range = if kind == Kind::Amounts { 6.0 } else { 1.0 };
            for action in 0..4 {
                let always = |_, of| f64::from(u8::from(of == action));
                let [found, expected] = [&twin, &of_whole].map(|twin| value(twin, always));
                assert!(
                    (found - expected).abs() < 0.08 * range,
                    "{kind:?} {seed} {action}: {found} {expected}"
                );
            }
            let events: f64 = log.iter().map(|event| event.count).sum();
            assert!((events / 12_000.0 - 1.0).abs() < 0.05, "{events}");
        }
    }
    assert!(honest <= 1, "{honest} of 16 honest logs were refused");
    assert!(broken >= 13, "{broken} of 16 shuffled logs were refused");
}

/// A log of which every line stands for three events has the rewards of one of which each line is
/// there three times.
#[test]
fn a_line_that_stands_for_several_counts_as_several() {
    for kind in [Kind::Clicks, Kind::Amounts] {
        let mut log = World::new(kind, 3).log(Logger::Uniform, 4000, 3);
        let whole = Twin::of(&log).unwrap();
        log.iter_mut().for_each(|event| event.count = 3.0);
        let twin = Twin::of(&log).unwrap();
        for (one, other) in whole.visitors.iter().zip(&twin.visitors) {
            assert_eq!(3.0 * one.events, other.events);
            for (choice, thrice) in one.choices.iter().zip(&other.choices) {
                assert!((choice.weight - thrice.weight).abs() < 1e-9);
            }
            // The penalty of the weights counts a third.
            for (reward, thrice) in one.rewards.iter().zip(&other.rewards) {
                assert!((reward - thrice).abs() < 0.05, "{reward} {thrice}");
            }
        }
        assert!((whole.proof.logged - twin.proof.logged).abs() < 1e-9);
    }
}

/// A log that changes in its course is not given back by a world that does not.
#[test]
fn a_log_that_drifts_is_refused_and_the_window_is_named() {
    let mut log = World::new(Kind::OneFeature, 1).log(Logger::Uniform, 6000, 1);
    log[4000..].iter_mut().for_each(|event| event.reward = 0.0);
    let Err(Refusal::Deviates(proof)) = Twin::of(&log) else { panic!("refused") };
    assert!(proof.deviations.iter().any(|of| of.part.starts_with("window 10")), "{proof:?}");
}

#[test]
fn what_cannot_be_a_world_is_refused() {
    let log = World::new(Kind::Clicks, 1).log(Logger::Uniform, 1000, 1);
    let refusal = |log: &[LoggedEvent]| Twin::of(log).err();
    assert_eq!(refusal(&log[..150]), Some(Refusal::TooFew(150)));
    let mut invalid = log.clone();
    invalid[7].probability = 0.0;
    assert_eq!(refusal(&invalid), Some(Refusal::Unusable(7)));
    invalid[7] = LoggedEvent { count: 0.5, ..log[7].clone() };
    assert_eq!(refusal(&invalid), Some(Refusal::Unusable(7)));
    let mut constant = log;
    constant.iter_mut().for_each(|event| event.reward = 1.0);
    let twin = Twin::of(&constant).unwrap();
    assert!(twin.visitors.iter().flat_map(|visitor| &visitor.rewards).all(|of| *of == 1.0));
}

/// What the log never shows is no part of what it says.
#[test]
fn actions_that_were_never_taken_are_extrapolation() {
    let mut log = World::new(Kind::Clicks, 2).log(Logger::Uniform, 4000, 2);
    log.retain(|event| event.chosen != 3 || number(&event.context) != 0);
    let twin = Twin::of(&log).unwrap();
    for visitor in &twin.visitors {
        let covered = visitor.choices.iter().map(|choice| choice.is_covered);
        // Both parts of the context have the action elsewhere.
        assert!(covered.clone().filter(|is| *is).count() >= 3, "{visitor:?}");
    }
    log.iter_mut().for_each(|event| event.distribution = Some(vec![0.5, 0.5, 0.0, 0.0]));
    log.retain(|event| event.chosen < 2);
    let twin = Twin::of(&log).unwrap();
    let covered = |at: usize| twin.visitors.iter().all(|visitor| visitor.choices[at].is_covered);
    assert!(covered(0) && covered(1) && !covered(2) && !covered(3));
}
