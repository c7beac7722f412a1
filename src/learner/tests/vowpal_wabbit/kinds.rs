//! Kinds of logs and policies on which this learner once differed from VW. What the wheel
//! printed in its learn pass is expected, to the last bit.

use std::collections::BTreeMap;
use std::fs;

use learner::LearningPolicy;
use serde::Deserialize;

use super::fuzz::replay::{Prediction, replay};
use super::reading::fixture;

#[derive(Deserialize)]
struct Line {
    /// From one; lines that VW drops are left out.
    line: usize,
    pmf: Pmf,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Pmf {
    Single(Vec<Option<f64>>),
    Slots(Vec<Vec<(usize, Option<f64>)>>),
}

#[expect(clippy::cast_possible_truncation, reason = "the numbers are those of f32")]
fn bits(number: Option<f64>) -> u32 {
    number.map_or(f32::NAN, |number| number as f32).to_bits()
}

impl From<Pmf> for Prediction {
    fn from(pmf: Pmf) -> Self {
        match pmf {
            Pmf::Single(pmf) => Self::Pmf(pmf.into_iter().map(bits).collect()),
            Pmf::Slots(slots) => {
                let slot = |slot: Vec<(usize, Option<f64>)>| {
                    slot.into_iter().map(|(action, p)| (action, bits(p))).collect()
                };
                Self::Slots(slots.into_iter().map(slot).collect())
            }
        }
    }
}

fn check(kind: &str) {
    let read = |name: &str| fs::read_to_string(fixture("kinds").join(kind).join(name)).unwrap();
    let policy = LearningPolicy::parse(read("policy.txt").trim()).unwrap();
    let log = read("log.jsonl");
    let lines: Vec<_> = log.lines().collect();
    let expected: BTreeMap<usize, Prediction> = read("expected.jsonl")
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str::<Line>(line).unwrap())
        .map(|line| (line.line, line.pmf.into()))
        .collect();
    for (index, found) in replay(&policy, &lines).into_iter().enumerate() {
        let expected = expected.get(&(index + 1));
        let equal = match (&found, expected) {
            (Ok(found), Some(expected)) => found.equals(expected),
            (Err(_), None) => true,
            _ => false,
        };
        assert!(equal, "{kind}, line {}: {found:?} for {expected:?}", index + 1);
    }
}

#[test]
fn a_namespace_closes_at_each_object_of_an_array() {
    check("array-objects-nested");
}

#[test]
fn an_action_that_does_not_exist_leaves_its_slot_unlearned() {
    check("ccb-chosen-action-out-of-range");
}

#[test]
fn an_action_without_cost_fills_its_slot() {
    check("ccb-outcome-without-cost");
}

#[test]
fn scores_are_those_of_the_learn_pass() {
    check("dr-l2-learn-pass");
}

#[test]
fn a_line_with_an_escaped_key_that_is_ignored_is_dropped() {
    check("ignored-key-with-escape");
}

#[test]
fn scores_that_are_not_numbers_are_sorted_as_by_std_sort() {
    check("panic-nan-scores");
}

#[test]
fn squares_of_a_slot_are_added_to_those_of_the_context_and_subtracted_again() {
    check("ccb-squares-of-slots");
}

#[test]
fn the_largest_cost_stands_for_no_label() {
    check("cost-of-no-label");
}

#[test]
fn numbers_stand_alone_and_null_stands_for_none() {
    check("numbers-and-null");
    check("ccb-numbers-and-null");
}

#[test]
fn null_leaves_what_a_key_of_the_label_said_before() {
    check("null-after-a-label");
}
