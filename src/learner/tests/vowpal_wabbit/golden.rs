//! Golden vectors: `src/learner/tests/fixtures/make_golden.py` made them with the wheel.

use std::fs;

use learner::{DsjsonReader, Learner, LearningPolicy, Prediction};
use serde::Deserialize;

use super::reading::{fixture, labelled};

/// What VW predicted for each event of a domain, before it learned it.
#[derive(Deserialize)]
struct Vector {
    policy: String,
    pmf: Vec<Vec<Option<f64>>>,
    /// Absent for policies whose ranking does not come from one model.
    scores: Option<Vec<Vec<Option<f64>>>>,
}

/// The vectors come from x86-64 Linux, whose C library both sides call there.
const SAME_LIBRARY: bool =
    cfg!(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"));

/// Nothing stands for what is not a number.
#[expect(clippy::cast_possible_truncation, reason = "the numbers are those of f32")]
pub fn assert_equal(found: &[f32], expected: &[Option<f64>], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        let expected = expected.map_or(f32::NAN, |expected| expected as f32);
        let equal = if SAME_LIBRARY {
            *found == expected || (found.is_nan() && expected.is_nan())
        } else {
            (found - expected).abs() <= 1e-6 * expected.abs().max(1.0)
        };
        assert!(equal, "{what}: {found} for {expected}");
    }
}

fn check(domain: &str, vector: &Vector) {
    let policy = LearningPolicy::parse(&vector.policy).expect(&vector.policy);
    let (mut learner, mut prediction) = (Learner::new(&policy), Prediction::default());
    let mut scores = Vec::new();
    let mut reader = DsjsonReader::new(policy.hashing());
    for (index, line) in read(domain, "dsjson").lines().enumerate() {
        let what = format!("{domain} {index}: {}", vector.policy);
        let (event, label) = labelled(&mut reader, line);
        learner.predict(&event, &mut prediction);
        assert_equal(&prediction.pmf, &vector.pmf[index], &what);
        if let Some(expected) = &vector.scores {
            learner.scores(&event, &mut scores);
            assert_equal(&scores, &expected[index], &format!("scores of {what}"));
        }
        learner.learn(&event, &label);
    }
}

fn read(domain: &str, extension: &str) -> String {
    fs::read_to_string(fixture(domain).with_extension(extension)).unwrap()
}

fn check_domain(domain: &str) {
    let vectors = read(domain, "jsonl");
    let vectors: Vec<Vector> =
        vectors.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(vectors.len() >= 60, "{} policies", vectors.len());
    vectors.iter().for_each(|vector| check(domain, vector));
}

#[test]
fn categorical_features() {
    check_domain("coffee");
}

#[test]
fn numbers_arrays_nested_namespaces_and_a_varying_number_of_actions() {
    check_domain("numeric");
}

#[test]
fn empty_huge_tiny_and_foreign_names_and_values() {
    check_domain("nasty");
}
