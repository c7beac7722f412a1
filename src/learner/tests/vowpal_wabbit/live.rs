//! Random policies on random events, compared with the wheel where it is installed.

use std::process::Command;

use learner::{DsjsonReader, Learner, LearningPolicy, Prediction};
use serde::Deserialize;

use super::golden::assert_equal;
use super::reading::{fixture, labelled};
use super::slots::{self, Slot};

#[derive(Deserialize)]
struct Vector {
    policy: String,
    lines: Vec<String>,
    #[serde(default)]
    pmf: Vec<Vec<Option<f64>>>,
    #[serde(default)]
    slots: Vec<Vec<Slot>>,
}

/// Other seeds are other policies: `DIFFERENTIAL_SEED=7 cargo test --test learner live`.
fn seed() -> String {
    std::env::var("DIFFERENTIAL_SEED").unwrap_or_else(|_| "1".to_owned())
}

fn vectors(count: u32) -> Option<Vec<Vector>> {
    let import = Command::new("python3").args(["-c", "import vowpalwabbit"]).output();
    if !import.is_ok_and(|output| output.status.success()) {
        eprintln!("not compared with Vowpal Wabbit: python3 has no `vowpalwabbit` here");
        return None;
    }
    let script = fixture("differential.py");
    let output = Command::new("python3").arg(script).args([seed(), count.to_string()]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn random_policies_predict_what_vw_predicts() {
    for vector in vectors(60).into_iter().flatten() {
        let lines: Vec<_> = vector.lines.iter().map(String::as_str).collect();
        slots::check(&lines, &vector.policy, &vector.slots, &format!("seed {}", seed()));
        let policy = LearningPolicy::parse(&vector.policy).expect(&vector.policy);
        let (mut learner, mut prediction) = (Learner::new(&policy), Prediction::default());
        let mut reader = DsjsonReader::new(policy.hashing());
        for (index, (line, expected)) in vector.lines.iter().zip(&vector.pmf).enumerate() {
            let (event, label) = labelled(&mut reader, line);
            learner.predict(&event, &mut prediction);
            let what = format!("seed {}, event {index}: {}", seed(), vector.policy);
            assert_equal(&prediction.pmf, expected, &what);
            learner.learn(&event, &label);
        }
    }
}
