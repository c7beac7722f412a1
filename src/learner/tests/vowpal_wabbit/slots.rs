//! Events with slots: `src/learner/tests/fixtures/make_slots.py` asked the wheel.

use std::fs;

use learner::{DropReason, DsjsonReader, Event, Hashing, Learner, LearningPolicy, Prediction};
use serde::Deserialize;

use super::golden::assert_equal;
use super::reading::fixture;

/// What VW predicted for each slot of each event, while it learned the event.
#[derive(Deserialize)]
struct Vector {
    policy: String,
    slots: Vec<Vec<Slot>>,
}

/// The actions as VW orders them, and their probabilities.
type Slot = Vec<(usize, Option<f64>)>;

/// Learns the events, and compares what is predicted meanwhile.
fn check(lines: &[&str], policy: &str, slots: &[Vec<Slot>], what: &str) {
    let policy = LearningPolicy::parse(policy).expect(policy);
    let mut learner = Learner::new(&policy);
    let mut reader = DsjsonReader::new(policy.hashing());
    for (index, (line, expected)) in lines.iter().zip(slots).enumerate() {
        let logged = reader.read(line.as_bytes()).unwrap_or_else(|e| panic!("{e}: {line}"));
        let found = learner.learn_slots(&logged.event);
        assert_eq!(found.len(), expected.len());
        for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
            let what = format!("{what}, event {index}, slot {number}: {}", policy.arguments());
            check_slot(found, expected, &what);
        }
    }
}

fn check_slot(found: &Prediction, expected: &Slot, what: &str) {
    let pmf: Vec<_> = found.ranking.iter().map(|action| found.pmf[*action]).collect();
    let (order, probabilities): (Vec<_>, Vec<_>) = expected.iter().copied().unzip();
    assert_equal(&pmf, &probabilities, what);
    assert_eq!(found.ranking, order, "{what}");
}

fn read(domain: &str, extension: &str) -> String {
    fs::read_to_string(fixture(domain).with_extension(extension)).unwrap()
}

fn check_domain(domain: &str) {
    let (lines, vectors) = (read(domain, "dsjson"), read(domain, "jsonl"));
    let lines: Vec<_> = lines.lines().collect();
    let vectors: Vec<Vector> =
        vectors.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(vectors.len() >= 40, "{} policies", vectors.len());
    vectors.iter().for_each(|vector| check(&lines, &vector.policy, &vector.slots, domain));
}

#[test]
fn slots_of_one_kind() {
    check_domain("slots_shop");
}

#[test]
fn slots_in_any_number_with_features_anywhere_and_lists_of_actions() {
    check_domain("slots_varied");
}

#[test]
fn single_choices_first_and_slots_of_which_nothing_is_known() {
    check_domain("slots_sparse");
}

/// Predicts and learns; the probabilities as bits.
fn go_on(learner: &mut Learner, events: &[Event]) -> Vec<u32> {
    let mut bits = Vec::new();
    for event in events {
        for slot in learner.predict_slots(event) {
            bits.extend(slot.pmf.iter().map(|p| p.to_bits()));
        }
        learner.learn_slots(event);
    }
    bits
}

/// What was seen of slots, and what draws go on from, is part of a learner.
#[test]
fn a_loaded_learner_and_a_fork_that_catches_up_go_on_bit_for_bit() {
    let lines = read("slots_sparse", "dsjson");
    for arguments in ["--ccb_explore_adf --softmax -q ::", "--ccb_explore_adf --bag 3 -q Fi"] {
        let policy = LearningPolicy::parse(arguments).unwrap();
        let mut reader = DsjsonReader::new(policy.hashing());
        let event = |line: &str| reader.read(line.as_bytes()).unwrap().event;
        let events: Vec<_> = lines.lines().map(event).collect();
        for learned in [5, 40] {
            let (before, after) = events.split_at(learned);
            let mut learner = Learner::new(&policy);
            let mut fork = learner.fork();
            go_on(&mut learner, before);
            fork.catch_up(&mut learner);
            let mut loaded = Learner::load(&learner.save()).unwrap();
            let expected = go_on(&mut learner, after);
            assert_eq!(go_on(&mut loaded, after), expected, "{arguments}");
            assert_eq!(go_on(&mut fork, after), expected, "{arguments}");
            assert!(loaded.save() == learner.save(), "{arguments}");
        }
    }
}

/// A policy for single choices takes the first slot for the choice.
#[test]
fn without_slots_in_its_arguments_a_policy_looks_at_the_first() {
    let policy = LearningPolicy::parse("--cb_explore_adf --epsilon 0.1 -q ::").unwrap();
    let (mut learner, mut prediction) = (Learner::new(&policy), Prediction::default());
    let mut reader = DsjsonReader::new(policy.hashing());
    for line in read("slots_shop", "dsjson").lines() {
        let logged = reader.read(line.as_bytes()).unwrap();
        let label = logged.label.unwrap();
        learner.learn(&logged.event, &label);
        learner.predict(&logged.event, &mut prediction);
        assert_eq!(prediction.pmf.len(), 5);
    }
    let best = prediction.pmf.iter().copied().fold(0.0, f32::max);
    assert!(best > 0.9, "{prediction:?}");
}

#[test]
fn slots_that_do_not_fit_are_dropped_with_the_reason() {
    let line = |slots: &str, outcomes: &str| {
        let actions = r#"[{"i":{"id":"x"}},{"i":{"id":"y"}}]"#;
        format!(r#"{{"a":[1],"c":{{"_multi":{actions},"_slots":{slots}}},"_outcomes":{outcomes}}}"#)
    };
    let outcome = |a: &str, p: &str| format!(r#"[{{"_label_cost":1,"_a":{a},"_p":{p}}}]"#);
    let single = r#"{"a":[1],"c":{"_multi":[{"A":"b"}]},"_outcomes":[]}"#.to_owned();
    let swapped = r#"{"a":[1],"c":{"_slots":[{}],"_multi":[{"A":"b"}]}}"#.to_owned();
    for (line, reason) in [
        (line("[{},{},{}]", "[]"), DropReason::Slots),
        (line("[]", "[]"), DropReason::Slots),
        (line("[{}]", "[{},{}]"), DropReason::Slots),
        (line("[{}]", &outcome("[0,1]", "[0.5]")), DropReason::Slots),
        (line("[{}]", r#"[{"f":"x"}]"#), DropReason::Slots),
        (line("[{}]", &outcome("[1]", "[0]")), DropReason::Probability),
        (line(r#"[{"_a":[1]}]"#, "[]"), DropReason::LabelPlace),
        (single, DropReason::Slots),
        (swapped, DropReason::Slots),
    ] {
        let dropped = DsjsonReader::new(Hashing::default()).read(line.as_bytes());
        assert_eq!(dropped.expect_err(&line).reason, reason, "{line}");
    }
    // One action may stand without its list.
    let scalar = line("[{}]", &outcome("1", "0.25"));
    let logged = DsjsonReader::new(Hashing::default()).read(scalar.as_bytes()).unwrap();
    assert_eq!(logged.label.map(|label| (label.action, label.probability)), Some((1, 0.25)));
    assert_eq!(logged.distribution, None);
}
