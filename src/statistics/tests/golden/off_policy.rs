//! Off-policy estimates against numbers made by vw-estimators, numpy and scipy
//! (`src/statistics/tests/golden/make_off_policy.py`).

use proptest::prelude::*;
use serde_json::{Map, Value};
use statistics::off_policy::{
    Anytime, Correction, Difference, DoublyRobust, Estimate, Estimates, Likelihood, Modelled,
    Unusable, Warning, Weights,
};
use statistics::{Confidence, Interval, Moments};

/// A log with what others make of it.
struct Log(Value);

fn logs() -> Vec<(String, Log)> {
    let text = include_str!("off_policy.json");
    let logs: Map<String, Value> = serde_json::from_str(text).unwrap();
    logs.into_iter().map(|(name, log)| (name, Log(log))).collect()
}

impl Log {
    /// Probability of the target, logged probability, reward.
    fn examples(&self) -> Vec<(f64, f64, f64)> {
        let at = |table: &str, x: usize, a: usize| self.0[table][x][a].as_f64().unwrap();
        let example = |event: &Value| {
            let index = |i: usize| usize::try_from(event[i].as_u64().unwrap()).unwrap();
            let (x, a) = (index(0), index(1));
            (at("target", x, a), at("logging", x, a), event[2].as_f64().unwrap())
        };
        self.0["events"].as_array().unwrap().iter().map(example).collect()
    }

    /// The events as the policy of `table` would have taken them, with the model's word.
    fn modelled(&self, table: &str) -> Vec<Modelled> {
        let event = |event: &Value| {
            let index = |i: usize| usize::try_from(event[i].as_u64().unwrap()).unwrap();
            let (x, a) = (index(0), index(1));
            let (pmf, model) = (numbers(&self.0[table][x]), numbers(&self.0["model"][x]));
            Modelled {
                policy: pmf.iter().zip(&model).map(|(p, q)| p * q).sum(),
                action: model[a],
                probability: pmf[a],
                logged: self.0["logging"][x][a].as_f64().unwrap(),
                reward: event[2].as_f64().unwrap(),
            }
        };
        self.0["events"].as_array().unwrap().iter().map(event).collect()
    }

    fn estimates(&self) -> Estimates {
        let mut estimates = Estimates::clipped_at(5.0);
        self.examples().iter().for_each(|(p, q, r)| estimates.add(*p, *q, *r));
        estimates
    }

    fn rewards(&self) -> Interval {
        let bounds = numbers(&self.0["bounds"]);
        Interval { lower: bounds[0], upper: bounds[1] }
    }

    fn weights(&self) -> Weights {
        Weights { lowest: 0.0, highest: self.0["highest_weight"].as_f64().unwrap() }
    }

    fn point(&self, name: &str) -> f64 {
        self.0["points"][name].as_f64().unwrap()
    }

    fn numpy(&self, name: &str) -> Vec<f64> {
        numbers(&self.0["numpy"][name])
    }

    /// Holds `estimate` to the point and the intervals of vw-estimators.
    fn holds(
        &self,
        point: Option<&str>,
        interval: &str,
        tolerance: f64,
        estimate: impl Fn(Confidence) -> Result<Estimate, Unusable>,
    ) {
        for row in self.0["intervals"][interval].as_array().unwrap() {
            let [alpha, lower, upper] = numbers(row)[..] else { panic!("three numbers") };
            let ours = estimate(Confidence::new(1.0 - alpha).unwrap()).unwrap();
            if let Some(point) = point {
                close(ours.value, self.point(point), 1e-12, point);
            }
            close(ours.lower, lower, tolerance, interval);
            close(ours.upper, upper, tolerance, interval);
        }
    }

    /// Holds a 95 % estimate to that of numpy.
    fn holds_numpy(&self, name: &str, ours: Estimate) {
        let [value, lower, upper] = self.numpy(name)[..] else { panic!("three numbers") };
        close(ours.value, value, 1e-12, name);
        close(ours.lower, lower, 1e-12, name);
        close(ours.upper, upper, 1e-12, name);
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Asserts that `ours` is `theirs` up to a relative tolerance, absolute near zero.
fn close(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    let error = (ours - theirs).abs() / theirs.abs().max(0.01);
    assert!(error <= tolerance, "{what}: {ours} is not {theirs} (off by {error:e})");
}

#[test]
fn propensity_scores_are_those_of_vw_estimators() {
    for (name, log) in logs() {
        println!("{name}");
        let estimates = log.estimates();
        log.holds(Some("ips"), "gaussian", 1e-12, |level| estimates.ips(level));
        let snips = estimates.snips(Confidence::P95).unwrap();
        close(snips.value, log.point("snips"), 1e-12, "snips");
        log.holds_numpy("snips", snips);
        log.holds_numpy("clipped_5", estimates.clipped_ips(Confidence::P95).unwrap());
    }
}

#[test]
fn cressie_read_is_that_of_vw_estimators() {
    for (name, log) in logs() {
        println!("{name}");
        let (estimates, rewards) = (log.estimates(), log.rewards());
        let cressie_read = |weights| move |level| estimates.cressie_read(rewards, weights, level);
        let free = cressie_read(Weights::default());
        log.holds(Some("cressie_read"), "cressie_read", 1e-9, free);
        let bound = cressie_read(log.weights());
        log.holds(Some("cressie_read_bound"), "cressie_read_bound", 1e-9, bound);
    }
}

#[test]
fn clopper_pearson_is_that_of_vw_estimators() {
    for (name, log) in logs() {
        println!("{name}");
        let (estimates, rewards) = (log.estimates(), log.rewards());
        let interval = |level| estimates.clopper_pearson(rewards, level);
        log.holds(Some("ips"), "clopper_pearson", 1e-9, interval);
    }
}

#[test]
fn empirical_likelihood_is_that_of_vw_estimators() {
    for (name, log) in logs() {
        println!("{name}");
        let mut likelihood = Likelihood::default();
        log.examples().iter().for_each(|(p, q, r)| likelihood.add(*p, *q, *r));
        let free = likelihood.value(Weights::default()).unwrap();
        close(free, log.point("mle"), 1e-9, "free");
        let bound = likelihood.value(log.weights()).unwrap();
        close(bound, log.point("mle_bound"), 1e-9, "bound");
    }
}

#[test]
fn the_anytime_interval_is_that_of_vw_estimators() {
    for (name, log) in logs() {
        println!("{name}");
        let mut anytime = Anytime::new(log.rewards());
        log.examples().iter().for_each(|(p, q, r)| anytime.add(*p, *q, *r));
        log.holds(Some("ips"), "anytime", 1e-9, |level| anytime.estimate(level));
    }
}

fn robust(events: &[Modelled], correction: Correction) -> DoublyRobust {
    let mut robust = DoublyRobust::new(correction);
    events.iter().for_each(|event| robust.add(event));
    robust
}

#[test]
fn the_doubly_robust_family_is_that_of_numpy() {
    let family = [
        ("direct", Correction::None),
        ("doubly_robust", Correction::Full),
        ("switch_5", Correction::UpTo(5.0)),
        ("shrunk_10", Correction::Shrunk(10.0)),
    ];
    for (name, log) in logs() {
        println!("{name}");
        let events = log.modelled("target");
        for (name, correction) in family {
            let estimate = robust(&events, correction).estimate(Confidence::P95);
            log.holds_numpy(name, estimate.unwrap());
        }
        let normalised = robust(&events, Correction::Full).self_normalised().unwrap();
        close(normalised, log.numpy("self_normalised")[0], 1e-12, "self-normalised");
        let scores = |events: &[Modelled]| -> Vec<f64> {
            events.iter().map(|event| event.score(Correction::Full)).collect()
        };
        let pairs = scores(&events).into_iter().zip(scores(&log.modelled("logging")));
        let difference: Moments = pairs.map(|(ours, logging)| ours - logging).collect();
        let [value, lower, upper] = log.numpy("difference_doubly_robust")[..] else { panic!() };
        let interval = difference.normal_interval(Confidence::P95).unwrap();
        close(difference.mean().unwrap(), value, 1e-12, "difference");
        close(interval.lower, lower, 1e-12, "difference");
        close(interval.upper, upper, 1e-12, "difference");
    }
}

#[test]
fn only_the_model_alone_needs_no_overlap() {
    let event = Modelled { policy: 0.5, action: 0.5, probability: 0.0, logged: 0.5, reward: 1.0 };
    let reason = Err(Unusable::NoOverlap);
    assert_eq!(robust(&[event; 3], Correction::Full).estimate(Confidence::P95), reason);
    let direct = robust(&[event; 3], Correction::None);
    assert_eq!(direct.estimate(Confidence::P95).unwrap().value, 0.5);
    assert_eq!(direct.self_normalised(), Err(Unusable::NoOverlap));
}

#[test]
fn overlap_and_difference_are_those_of_numpy() {
    for (name, log) in logs() {
        println!("{name}");
        let overlap = log.estimates().overlap();
        close(overlap.effective_examples, log.numpy("effective")[0], 1e-12, "effective");
        close(overlap.match_fraction, log.numpy("match_fraction")[0], 1e-12, "match");
        close(overlap.highest_share, log.numpy("highest_share")[0], 1e-12, "share");
        close(overlap.mean_weight, log.numpy("mean_weight")[0], 1e-12, "mean weight");
        let mut difference = Difference::default();
        log.examples().iter().for_each(|(p, q, r)| difference.add(*q, *p, *q, *r));
        log.holds_numpy("difference", difference.estimate(Confidence::P95).unwrap());
    }
}

const UNIT: Interval = Interval { lower: 0.0, upper: 1.0 };

fn of(examples: &[(f64, f64, f64)]) -> Estimates {
    let mut estimates = Estimates::default();
    examples.iter().for_each(|(p, q, r)| estimates.add(*p, *q, *r));
    estimates
}

/// Every estimate of a log, at 95 %.
fn all(estimates: &Estimates) -> [Result<Estimate, Unusable>; 5] {
    let level = Confidence::P95;
    [
        estimates.ips(level),
        estimates.clipped_ips(level),
        estimates.snips(level),
        estimates.clopper_pearson(UNIT, level),
        estimates.cressie_read(UNIT, Weights::default(), level),
    ]
}

#[test]
fn a_log_that_says_nothing_is_not_a_number_but_a_reason() {
    let unmatched = of(&[(0.0, 0.5, 1.0), (0.0, 0.5, 1.0), (0.0, 0.5, 0.0)]);
    assert_eq!(all(&unmatched), [Err(Unusable::NoOverlap); 5]);
    assert_eq!(all(&of(&[(1.0, 0.5, 1.0)])), [Err(Unusable::TooFew { examples: 1 }); 5]);
    assert_eq!(all(&of(&[])), [Err(Unusable::TooFew { examples: 0 }); 5]);
    assert_eq!(of(&[]).overlap().mean_weight_z, 0.0);
    let high = of(&[(0.5, 0.5, 2.0), (0.5, 0.5, -1.0)]);
    let reason = Unusable::RewardOutOfRange { lowest: -1.0, highest: 2.0 };
    assert_eq!(high.clopper_pearson(UNIT, Confidence::P95), Err(reason));
}

/// Every other estimate of a log.
fn others(examples: &[(f64, f64, f64)]) -> [Option<Unusable>; 4] {
    let (mut anytime, mut likelihood) = (Anytime::new(UNIT), Likelihood::default());
    let (mut difference, mut robust) = (Difference::default(), DoublyRobust::new(Correction::Full));
    for (probability, logged, reward) in examples.iter().copied() {
        anytime.add(probability, logged, reward);
        likelihood.add(probability, logged, reward);
        difference.add(probability, 0.5 * probability, logged, reward);
        robust.add(&Modelled { policy: 0.5, action: 0.5, probability, logged, reward });
    }
    [
        anytime.estimate(Confidence::P95).err(),
        likelihood.value(Weights::default()).err(),
        difference.estimate(Confidence::P95).err(),
        robust.estimate(Confidence::P95).err(),
    ]
}

#[test]
fn what_is_no_number_is_said_and_not_added() {
    let sound = (0.5, 0.5, 1.0);
    assert_eq!(others(&[sound; 3]), [None; 4]);
    let spoiled =
        [(0.5, 0.0, 1.0), (0.0, 0.0, 1.0), (0.5, 0.5, f64::NAN), (0.5, 0.5, f64::INFINITY)];
    for example in spoiled.into_iter().chain([(-0.5, 0.5, 1.0), (f64::NAN, 0.5, 1.0)]) {
        let reason = Unusable::NotNumbers { examples: 1 };
        let log = [sound, example, sound];
        assert_eq!(all(&of(&log)), [Err(reason); 5]);
        assert_eq!(others(&log), [Some(reason); 4]);
    }
}

proptest! {
    /// What the sums and the weights say does not depend on where a log was cut.
    #[test]
    fn any_cut_of_a_log_merges_to_the_whole(
        log in prop::collection::vec((0.0..1.0, 0.05..1.0, 0.0..1.0), 2..80),
        cut in 0usize..80,
    ) {
        let (head, tail) = log.split_at(cut.min(log.len()));
        let mut estimates = of(head);
        estimates.merge(&of(tail));
        for (ours, theirs) in all(&estimates).into_iter().zip(all(&of(&log))) {
            let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
            close(ours.value, theirs.value, 1e-12, "value");
            close(ours.lower, theirs.lower, 1e-9, "lower");
            close(ours.upper, theirs.upper, 1e-9, "upper");
        }
        let likelihood = |part: &[(f64, f64, f64)]| {
            let mut likelihood = Likelihood::default();
            part.iter().for_each(|(p, q, r)| likelihood.add(*p, *q, *r));
            likelihood
        };
        let mut merged = likelihood(head);
        merged.merge(&likelihood(tail));
        let value = |of: &Likelihood| of.value(Weights::default()).unwrap();
        close(value(&merged), value(&likelihood(&log)), 1e-12, "likelihood");
        let event = |(probability, logged, reward): &(f64, f64, f64)| Modelled {
            policy: 0.4, action: 0.6, probability: *probability, logged: *logged, reward: *reward,
        };
        let modelled = |part: &[(f64, f64, f64)]| -> DoublyRobust {
            robust(&part.iter().map(event).collect::<Vec<_>>(), Correction::Shrunk(3.0))
        };
        let mut merged = modelled(head);
        merged.merge(&modelled(tail));
        let value = |of: &DoublyRobust| of.estimate(Confidence::P95).unwrap().upper;
        close(value(&merged), value(&modelled(&log)), 1e-12, "doubly robust");
    }
}

#[test]
fn more_successes_than_trials_are_all_trials() {
    // Two weights of 2 that earned 1: four successes in weight, three trials.
    let estimates = of(&[(1.0, 0.5, 1.0), (1.0, 0.5, 1.0), (0.5, 0.5, 0.0)]);
    let estimate = estimates.clopper_pearson(UNIT, Confidence::P95).unwrap();
    assert_eq!(estimate.upper, 1.0);
    assert!(estimate.lower > 0.0 && estimate.lower < 1.0);
}

#[test]
fn ends_without_a_candidate_rule_nothing_out() {
    for reward in [0.0, 1.0] {
        let estimates = of(&[(0.5, 0.5, reward), (0.5, 0.5, reward)]);
        let free = estimates.cressie_read(UNIT, Weights::default(), Confidence::P95).unwrap();
        assert!(free.lower <= reward && reward <= free.upper, "{free:?}");
    }
}

#[test]
fn parts_merge_to_the_whole() {
    for (name, log) in logs() {
        let (whole, examples) = (log.estimates(), log.examples());
        let mut merged = Estimates::clipped_at(5.0);
        for part in examples.chunks(7) {
            let mut estimates = Estimates::clipped_at(5.0);
            part.iter().for_each(|(p, q, r)| estimates.add(*p, *q, *r));
            merged.merge(&estimates);
        }
        for (ours, theirs) in all(&merged).into_iter().zip(all(&whole)) {
            let (Ok(ours), Ok(theirs)) = (ours, theirs) else { continue };
            close(ours.value, theirs.value, 1e-14, &name);
            close(ours.lower, theirs.lower, 1e-13, &name);
        }
        assert_eq!(merged.warnings().len(), whole.warnings().len());
    }
}

#[test]
fn warnings_say_what_is_wrong_with_a_log() {
    let sound: Vec<_> = (0..400).map(|i| (0.5, 0.5, f64::from(i % 2))).collect();
    assert!(of(&sound).warnings().is_empty());
    // Logged at half the true probability: weights average two.
    let halved: Vec<_> = (0..400).map(|i| (0.5, if i % 2 == 0 { 0.2 } else { 0.3 }, 1.0)).collect();
    assert!(matches!(of(&halved).warnings()[..], [Warning::MeanWeight { z, .. }] if z > 3.0));
    let mut lopsided = sound;
    lopsided.iter_mut().skip(1).for_each(|example| example.0 = 0.0);
    let warnings = of(&lopsided).warnings();
    assert!(warnings.contains(&Warning::HighShare(1.0)), "{warnings:?}");
    assert!(warnings.contains(&Warning::FewEffective(1.0)), "{warnings:?}");
    assert!(warnings.contains(&Warning::LowMatch(1.0 / 400.0)), "{warnings:?}");
}
