//! Off-policy estimates against numbers made by vw-estimators, numpy and scipy
//! (`src/statistics/tests/golden/make_off_policy.py`).

use proptest::prelude::*;
use serde_json::{Map, Value};
use statistics::off_policy::{
    Against, Balance, Bounds, Compared, Difference, DoublyRobust, Estimate, Estimates, Example,
    Likelihood, Modelled, Unusable, Weights,
};
use statistics::{Confidence, Interval};

/// A log with what others make of it.
struct Log(Value);

fn logs() -> Vec<(String, Log)> {
    let text = include_str!("off_policy.json");
    let logs: Map<String, Value> = serde_json::from_str(text).unwrap();
    logs.into_iter().map(|(name, log)| (name, Log(log))).collect()
}

impl Log {
    fn events(&self) -> Vec<(usize, usize, f64)> {
        let event = |event: &Value| {
            let index = |i: usize| usize::try_from(event[i].as_u64().unwrap()).unwrap();
            (index(0), index(1), event[2].as_f64().unwrap())
        };
        self.0["events"].as_array().unwrap().iter().map(event).collect()
    }

    fn examples(&self) -> Vec<Example> {
        let at = |table: &str, x: usize, a: usize| self.0[table][x][a].as_f64().unwrap();
        let example =
            |(x, a, reward)| Example::new(at("target", x, a), at("logging", x, a), reward);
        self.events().into_iter().map(example).collect()
    }

    /// What the reward model expects of the target and of the action.
    fn modelled(&self) -> Vec<Modelled> {
        let modelled = |(x, a, _): (usize, usize, f64)| {
            let (pmf, model) = (numbers(&self.0["target"][x]), numbers(&self.0["model"][x]));
            let policy = pmf.iter().zip(&model).map(|(p, q)| p * q).sum();
            Modelled { policy, action: model[a] }
        };
        self.events().into_iter().map(modelled).collect()
    }

    fn bounds(&self) -> Bounds {
        let rewards = numbers(&self.0["bounds"]);
        let rewards = Interval { lower: rewards[0], upper: rewards[1] };
        let highest = self.0["highest_weight"].as_f64().unwrap();
        Bounds { rewards, weights: Weights { lowest: 0.0, highest } }
    }

    fn point(&self, name: &str) -> f64 {
        self.0["points"][name].as_f64().unwrap()
    }

    fn numpy(&self, name: &str) -> Vec<f64> {
        numbers(&self.0["numpy"][name])
    }

    /// Holds `estimate` to the point and the intervals of others.
    fn holds(
        &self,
        point: Option<&str>,
        interval: &str,
        tolerance: f64,
        estimate: impl Fn(Confidence) -> Estimate,
    ) {
        for row in self.0["intervals"][interval].as_array().unwrap() {
            let [alpha, lower, upper] = numbers(row)[..] else { panic!("three numbers") };
            let ours = estimate(Confidence::new(1.0 - alpha).unwrap());
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

fn estimates(examples: &[Example]) -> Estimates {
    let mut estimates = Estimates::default();
    examples.iter().for_each(|example| estimates.add(example));
    estimates
}

fn likelihood(examples: &[Example]) -> Likelihood {
    let mut likelihood = Likelihood::default();
    examples.iter().for_each(|example| likelihood.add(example));
    likelihood
}

/// The difference to the policy that wrote the log.
fn to_logging(examples: &[Example]) -> Difference {
    let mut difference = Difference::default();
    examples.iter().for_each(|example| difference.add(1.0, example));
    difference
}

/// As an evaluation asks for it: the value is that of Cressie-Read less the observed one.
fn compared(examples: &[Example], bounds: Bounds) -> Result<Compared, Unusable> {
    let estimates = estimates(examples);
    let value = estimates.cressie_read(bounds, Confidence::P95)?.value;
    let apart = value - estimates.logged().unwrap();
    to_logging(examples).compare(apart, Against::Logging, bounds, Confidence::P95)
}

#[test]
fn propensity_scores_are_those_of_vw_estimators() {
    for (name, log) in logs() {
        println!("{name}");
        let estimates = estimates(&log.examples());
        log.holds(Some("ips"), "gaussian", 1e-12, |level| estimates.ips(level).unwrap());
        let snips = estimates.snips(Confidence::P95).unwrap();
        close(snips.value, log.point("snips"), 1e-12, "snips");
        log.holds_numpy("snips", snips);
    }
}

#[test]
fn cressie_read_is_that_of_vw_estimators() {
    for (name, log) in logs() {
        println!("{name}");
        let (estimates, bounds) = (estimates(&log.examples()), log.bounds());
        let free = Bounds { weights: Weights::default(), ..bounds };
        let read = |bounds| move |level| estimates.cressie_read(bounds, level).unwrap();
        log.holds(Some("cressie_read"), "cressie_read", 1e-9, read(free));
        log.holds(Some("cressie_read_bound"), "cressie_read_bound", 1e-9, read(bounds));
    }
}

/// The program is solved example by example there, and by sums here.
#[test]
fn the_difference_solves_the_quadratic_program_of_its_examples() {
    for (name, log) in logs().into_iter().filter(|(name, _)| name != "same") {
        println!("{name}");
        let (difference, bounds) = (to_logging(&log.examples()), log.bounds());
        let apart = |level| {
            // The interval is made to hold its value: one within widens nothing.
            let wide = difference.compare(f64::INFINITY, Against::Logging, bounds, level).unwrap();
            let narrow = difference.compare(wide.difference.lower, Against::Logging, bounds, level);
            narrow.unwrap().difference
        };
        log.holds(None, "difference", 1e-8, apart);
    }
}

#[test]
fn a_policy_that_wrote_the_log_does_not_differ_from_it() {
    let log = logs().into_iter().find(|(name, _)| name == "same").unwrap().1;
    let Compared { difference, p } = compared(&log.examples(), log.bounds()).unwrap();
    assert_eq!([difference.value, difference.lower, difference.upper, p], [0.0, 0.0, 0.0, 1.0]);
}

/// p is one less the confidence at which the interval would touch zero.
#[test]
fn p_inverts_the_interval() {
    let mut decided = 0;
    for (name, log) in logs() {
        let (difference, bounds) = (to_logging(&log.examples()), log.bounds());
        let Ok(Compared { p, difference: shown }) = compared(&log.examples(), bounds) else {
            continue;
        };
        println!("{name}: {p} {shown:?}");
        if p >= 0.999 {
            continue;
        }
        decided += 1;
        for (level, excludes) in [(1.0 - p * 1.001, true), (1.0 - p * 0.999, false)] {
            let level = Confidence::new(level).unwrap();
            let at = difference.compare(shown.value, Against::Logging, bounds, level).unwrap();
            let holds = at.difference.lower <= 0.0 && 0.0 <= at.difference.upper;
            assert_eq!(holds, !excludes, "{name}: {level:?} {at:?}");
        }
    }
    assert!(decided >= 3);
}

#[test]
fn empirical_likelihood_is_that_of_vw_estimators() {
    for (name, log) in logs() {
        println!("{name}");
        let likelihood = likelihood(&log.examples());
        let free = likelihood.value(Weights::default()).unwrap();
        close(free, log.point("mle"), 1e-9, "free");
        let bound = likelihood.value(log.bounds().weights).unwrap();
        close(bound, log.point("mle_bound"), 1e-9, "bound");
    }
}

#[test]
fn the_doubly_robust_estimate_is_that_of_numpy() {
    for (name, log) in logs() {
        println!("{name}");
        let mut robust = DoublyRobust::default();
        for (example, expected) in log.examples().iter().zip(log.modelled()) {
            robust.add(example, expected);
        }
        log.holds_numpy("doubly_robust", robust.estimate(Confidence::P95).unwrap());
        let both = log.examples().into_iter().zip(log.modelled());
        let (sum, count) = both.fold((0.0, 0.0), |(sum, count), (example, expected)| {
            (sum + example.count * expected.policy, count + example.count)
        });
        let direct = robust.direct_method(Confidence::P95).unwrap();
        close(direct.value, sum / count, 1e-12, "the direct method");
    }
}

#[test]
fn overlap_is_that_of_numpy() {
    for (name, log) in logs() {
        println!("{name}");
        let overlap = estimates(&log.examples()).overlap();
        close(overlap.effective_examples, log.numpy("effective")[0], 1e-12, "effective");
        close(overlap.match_fraction, log.numpy("match_fraction")[0], 1e-12, "match");
        close(overlap.highest_share, log.numpy("highest_share")[0], 1e-12, "share");
        close(overlap.mean_weight, log.numpy("mean_weight")[0], 1e-12, "mean weight");
    }
}

const UNIT: Interval = Interval { lower: 0.0, upper: 1.0 };
const FREE: Bounds =
    Bounds { rewards: UNIT, weights: Weights { lowest: 0.0, highest: f64::INFINITY } };

/// Every answer of a log, at 95 %.
fn all(examples: &[Example]) -> Vec<Result<f64, Unusable>> {
    let (sums, level) = (estimates(examples), Confidence::P95);
    let mut robust = DoublyRobust::default();
    for example in examples {
        robust.add(example, Modelled { policy: 0.5, action: 0.5 });
    }
    let value = |estimate: Result<Estimate, Unusable>| estimate.map(|estimate| estimate.value);
    vec![
        value(sums.ips(level)),
        value(sums.snips(level)),
        value(sums.cressie_read(FREE, level)),
        likelihood(examples).value(Weights::default()),
        value(robust.estimate(level)),
        to_logging(examples).compare(0.0, Against::Logging, FREE, level).map(|found| found.p),
    ]
}

#[test]
fn a_log_that_says_nothing_is_not_a_number_but_a_reason() {
    let unmatched = [1.0, 1.0, 0.0].map(|reward| Example::new(0.0, 0.5, reward));
    assert_eq!(all(&unmatched), [Err(Unusable::NoOverlap); 6]);
    let few = |examples: u64| vec![Err(Unusable::TooFew { examples }); 6];
    assert_eq!(all(&[Example::new(1.0, 0.5, 1.0)]), few(1));
    assert_eq!(all(&[]), few(0));
    let high = [Example::new(0.5, 0.5, 2.0), Example::new(0.5, 0.5, -1.0)];
    let reason = Unusable::RewardOutOfRange { lowest: -1.0, highest: 2.0 };
    assert_eq!(estimates(&high).cressie_read(FREE, Confidence::P95), Err(reason));
}

#[test]
fn what_is_no_number_is_an_error_and_not_added() {
    let sound = Example::new(0.5, 0.5, 1.0);
    assert!(all(&[sound; 3]).iter().all(Result::is_ok));
    let spoiled = [
        (0.5, 0.0, 1.0),
        (0.0, 0.0, 1.0),
        (0.5, 0.5, f64::NAN),
        (0.5, 0.5, f64::INFINITY),
        (-0.5, 0.5, 1.0),
        (f64::NAN, 0.5, 1.0),
    ];
    for (probability, logged, reward) in spoiled {
        let example = Example::new(probability, logged, reward);
        assert_eq!(all(&[sound, example, sound]), [Err(Unusable::NotNumbers { examples: 1 }); 6]);
    }
}

/// A log without exploration shows nothing of actions that it does not have.
#[test]
fn without_exploration_there_is_a_reason_and_no_number() {
    let examples: Vec<_> =
        (0..100).map(|i| Example::new(f64::from(i % 2), 1.0, f64::from(i % 3 % 2))).collect();
    let bounds = Bounds { rewards: UNIT, weights: Weights { lowest: 0.0, highest: 1.0 } };
    let reason = Err(Unusable::NoExploration);
    assert_eq!(estimates(&examples).cressie_read(bounds, Confidence::P95), reason);
    let difference = to_logging(&examples);
    let compared = difference.compare(0.0, Against::Logging, bounds, Confidence::P95);
    assert_eq!(compared, Err(Unusable::NoExploration));
}

#[test]
fn weights_that_are_all_one_give_the_mean_reward() {
    let examples: Vec<_> = (0..9).map(|i| Example::new(0.5, 0.5, f64::from(i % 3))).collect();
    for weights in [Weights::default(), Weights { lowest: 0.0, highest: 1.0 }] {
        let bounds = Bounds { rewards: Interval { lower: 0.0, upper: 2.0 }, weights };
        let estimate = estimates(&examples).cressie_read(bounds, Confidence::P95).unwrap();
        close(estimate.value, 1.0, 1e-12, "Cressie-Read");
        close(likelihood(&examples).value(weights).unwrap(), 1.0, 1e-12, "MLE");
    }
}

#[test]
fn ends_without_a_candidate_rule_nothing_out() {
    for reward in [0.0, 1.0] {
        let sums = estimates(&[Example::new(0.5, 0.5, reward); 2]);
        let free = sums.cressie_read(FREE, Confidence::P95).unwrap();
        assert!(free.lower <= reward && reward <= free.upper, "{free:?}");
    }
}

/// Where all rewards are equal no policy earns more, whatever the weights.
#[test]
fn equal_rewards_make_no_difference() {
    for reward in [0.0, 0.3, 1.0] {
        let examples: Vec<_> =
            (0..500).map(|i| Example::new(f64::from(i % 4 / 3), 0.25, reward)).collect();
        let bounds = Bounds { rewards: UNIT, weights: Weights { lowest: 0.0, highest: 4.0 } };
        let Compared { difference, p } = compared(&examples, bounds).unwrap();
        assert!(difference.value.abs() < 1e-9 && p > 0.5, "{difference:?} {p}");
    }
}

/// An example that stands for two events has the value of two, at the uncertainty of one.
#[test]
fn counts_move_means_as_repetitions_do_and_never_sharpen_intervals() {
    let events: Vec<_> = (0..300)
        .map(|i| Example::new(0.1 + 0.1 * f64::from(i % 7), 0.4, f64::from(i % 2)))
        .collect();
    let counted: Vec<_> = events
        .iter()
        .enumerate()
        .map(|(i, e)| Example { count: [1.0, 4.0][i % 2], ..*e })
        .collect();
    let repeated: Vec<_> = counted
        .iter()
        .flat_map(|e| {
            std::iter::repeat_n(Example { count: 1.0, ..*e }, if e.count > 1.0 { 4 } else { 1 })
        })
        .collect();
    let level = Confidence::P95;
    let (ours, theirs) = (estimates(&counted), estimates(&repeated));
    close(ours.events(), theirs.events(), 1e-12, "events");
    for (ours, theirs) in [
        (ours.ips(level).unwrap(), theirs.ips(level).unwrap()),
        (ours.snips(level).unwrap(), theirs.snips(level).unwrap()),
    ] {
        close(ours.value, theirs.value, 1e-12, "value");
        assert!(ours.upper - ours.lower > theirs.upper - theirs.lower);
    }
    let free = Weights::default();
    let mle = likelihood(&counted).value(free).unwrap();
    close(mle, likelihood(&repeated).value(free).unwrap(), 1e-9, "MLE");
}

proptest! {
    /// No interval loses its value, whatever the log.
    #[test]
    fn estimates_lie_within_their_intervals_and_the_range_of_rewards(
        log in prop::collection::vec((0.0..1.0, 0.02..1.0, 0.0..1.0, 1.0..20.0), 2..60),
    ) {
        let examples: Vec<_> = log
            .iter()
            .map(|(p, q, r, count)| Example { count: *count, ..Example::new(*p, *q, *r) })
            .collect();
        for weights in [Weights::default(), Weights { lowest: 0.0, highest: 50.0 }] {
            let bounds = Bounds { rewards: UNIT, weights };
            let found = estimates(&examples).cressie_read(bounds, Confidence::P95).unwrap();
            prop_assert!(0.0 <= found.lower && found.lower <= found.value, "{:?}", found);
            prop_assert!(found.value <= found.upper && found.upper <= 1.0, "{:?}", found);
            let Compared { difference, p } = compared(&examples, bounds).unwrap();
            prop_assert!(difference.lower <= difference.value, "{:?}", difference);
            prop_assert!(difference.value <= difference.upper, "{:?}", difference);
            prop_assert!((0.0..=1.0).contains(&p), "{}", p);
        }
    }
}

/// The exact log of `k` equal actions: the check has nothing to divide by, and no reason to.
#[test]
fn an_exact_uniform_log_is_in_balance() {
    for k in 2..=50_u8 {
        for logged in [1.0 / f64::from(k), f64::from(1.0 / f32::from(k))] {
            let mut balance = Balance::default();
            let actions = f64::from(k);
            for _ in 0..100_000 {
                let variance = actions / logged - actions * actions;
                balance.add(1.0 / logged - actions, variance, actions, actions);
            }
            assert!(!balance.is_off(actions), "{k}: {balance:?}");
        }
    }
}

/// Actions of probability 0.01 are seen once in a hundred events, more or less.
#[test]
fn a_log_of_rare_actions_is_in_balance_and_wrong_probabilities_are_not() {
    let check = |rare: u32, events: u32| {
        let mut balance = Balance::default();
        for event in 0..events {
            let logged = if event < rare { 0.01 } else { 0.99 };
            balance.add(1.0 / logged - 2.0, 1.0 / 0.01 + 1.0 / 0.99 - 4.0, 2.0, 100.0);
        }
        balance.is_off(2.0)
    };
    for rare in 0..=4 {
        assert!(!check(rare, 100), "{rare}");
    }
    assert!(check(20, 100));
    assert!(check(200, 10_000) && check(40, 10_000) && !check(110, 10_000));
}
