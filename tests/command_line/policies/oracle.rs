//! Linear policies choose as those of coba 8.1 and MABWiser do, number for number.

use std::process::Command;

use linear::{Algorithm, Arm, Distribution, LinTs, LinUcb, Model, Sharing, Ucb1, feature_key};
use seed::{Draws, PhaseKey, Purpose, Seed};
use serde::Deserialize;

use crate::tools;

/// An event, and what the others would have chosen; `choices.py` makes them.
#[derive(Deserialize)]
struct Event {
    context: Vec<f64>,
    actions: Vec<Vec<f64>>,
    lin_ucb: Vec<usize>,
    lin_ts: Vec<usize>,
    draws: Vec<f64>,
    disjoint: Option<usize>,
    ucb1: Option<usize>,
    taken: usize,
    reward: f64,
}

/// None, if the libraries are not installed.
fn events() -> Option<Vec<Event>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/command_line/policies/choices.py");
    let output = Command::new("python3").arg(script).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        tools::missing("coba or MABWiser", "`python3 -m pip install coba==8.1.0 mabwiser==2.7.4`");
        return None;
    };
    let lines = String::from_utf8(output.stdout).unwrap();
    Some(lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn features(side: &str, values: &[f64]) -> Vec<(u64, f64)> {
    let named =
        |(index, value): (usize, &f64)| (feature_key(format!("{side}{index}").as_bytes()), *value);
    values.iter().enumerate().map(named).collect()
}

fn arms(algorithm: &Algorithm, event: &Event) -> Vec<Arm> {
    let own: Vec<_> = event.actions.iter().map(|values| features("action", values)).collect();
    let keyed = (0_u64..).zip(own.iter().map(Vec::as_slice));
    Model::arms(algorithm, &features("context", &event.context), keyed)
}

fn draws() -> Draws {
    Seed(1).draws(PhaseKey::new("oracle"), 0, Purpose::Policy)
}

/// The actions that a model would choose.
fn chosen(model: &mut Model, arms: &[Arm]) -> Vec<usize> {
    let mut distribution = Distribution::default();
    model.predict(arms, &mut draws(), &mut distribution).unwrap();
    let pmf = distribution.pmf.into_iter().enumerate();
    pmf.filter(|(_, probability)| *probability > 0.0).map(|(index, _)| index).collect()
}

/// In how many events both choose the same.
fn agreements(
    algorithm: &Algorithm,
    events: &[Event],
    other: impl Fn(&Event) -> Option<Vec<usize>>,
) -> usize {
    let mut model = Model::new(algorithm);
    let mut same = 0;
    for event in events {
        let arms = arms(algorithm, event);
        let own = chosen(&mut model, &arms);
        same += usize::from(other(event).is_none_or(|other| other == own));
        model.learn(&arms[event.taken], event.reward, 1.0).unwrap();
    }
    same
}

#[test]
fn a_thousand_choices_are_those_of_coba_and_mabwiser() {
    let Some(events) = events() else { return };
    assert_eq!(events.len(), 1000);
    let shared = Algorithm::LinUcb(LinUcb { alpha: 0.7, ..LinUcb::default() });
    assert_eq!(agreements(&shared, &events, |event| Some(event.lin_ucb.clone())), 1000);
    let disjoint = Algorithm::LinUcb(LinUcb {
        alpha: 0.7,
        model: Sharing::Disjoint,
        features: Some(vec!["x".parse().unwrap()]),
        l2: 2.0,
        epsilon: None,
    });
    assert_eq!(agreements(&disjoint, &events, |event| event.disjoint.map(|one| vec![one])), 1000);
    let ucb1 = Algorithm::Ucb1(Ucb1 { alpha: 0.8, epsilon: None });
    assert_eq!(agreements(&ucb1, &events, |event| event.ucb1.map(|one| vec![one])), 1000);
}

/// Under the normal draws of coba.
#[test]
fn a_thousand_draws_of_weights_choose_as_coba_does() {
    let Some(events) = events() else { return };
    let algorithm = Algorithm::LinTs(LinTs { v: 0.3, ..LinTs::default() });
    let mut model = Model::new(&algorithm);
    let mut same = 0;
    for event in &events {
        let arms = arms(&algorithm, event);
        let weights = model.shared().posterior().draw(0.3, &event.draws);
        let value = |arm: &Arm| model.value(arm, &weights).unwrap();
        let values: Vec<f64> = arms.iter().map(value).collect();
        let best = (0..values.len()).max_by(|one, other| values[*one].total_cmp(&values[*other]));
        same += usize::from(event.lin_ts.contains(&best.unwrap()));
        model.learn(&arms[event.taken], event.reward, 1.0).unwrap();
    }
    assert_eq!(same, events.len());
}
