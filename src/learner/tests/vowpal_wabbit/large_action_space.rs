//! `--large_action_space`, whose singular vectors are not those of VW to the last bit: the
//! actions that are explored are.

use learner::LearningPolicy;

use super::fuzz::oracle::{Answer, Oracle};
use super::fuzz::replay::{Prediction, replay};
use super::fuzz::rng::Rng;

const ACTIONS: usize = 30;

fn log(rng: &mut Rng, events: usize) -> Vec<String> {
    (0..events).map(|_| line(rng)).collect()
}

fn line(rng: &mut Rng) -> String {
    let action = |number: usize, rng: &mut Rng| {
        let (key, value) = (rng.below(6), rng.unit() * 4.0 - 2.0);
        format!("{{\"i\":{{\"id\":\"{number}\"}},\"j\":{{\"f{key}\":{value:.3}}}}}")
    };
    let actions: Vec<_> = (0..ACTIONS).map(|number| action(number, rng)).collect();
    let (chosen, context) = (rng.below(ACTIONS), rng.below(3));
    format!(
        "{{\"_label_cost\":-{},\"_label_probability\":0.05,\"_labelIndex\":{chosen},\"a\":[1],\
         \"c\":{{\"F\":{{\"u\":\"{context}\"}},\"_multi\":[{}]}}}}",
        rng.below(2),
        actions.join(",")
    )
}

/// What both predict for each line.
fn both(oracle: &mut Oracle, policy: &str, lines: &[String]) -> Vec<[Vec<f32>; 2]> {
    let parsed = LearningPolicy::parse_for_evaluation(policy).unwrap();
    let Answer::Lines { lines: expected } = oracle.ask(policy, lines) else { panic!("{policy}") };
    let pmf = |prediction: &Prediction| match prediction {
        Prediction::Pmf(pmf) => pmf.iter().map(|bits| f32::from_bits(*bits)).collect(),
        Prediction::Slots(_) => panic!("{policy}"),
    };
    let found = replay(&parsed, lines);
    found
        .iter()
        .zip(&expected)
        .map(|(a, b)| [a.as_ref().unwrap(), b.as_ref().unwrap()].map(pmf))
        .collect()
}

#[test]
fn the_actions_that_span_all_are_those_of_vw() {
    let Some(mut oracle) = Oracle::start() else { return };
    let mut rng = Rng::new(11);
    let (mut same, mut all) = (0, 0);
    for options in [
        "--epsilon 0.2",
        "--squarecb",
        "--softmax --lambda 3 --max_actions 25",
        "--max_actions 5 -q :: --cb_type ips",
        "--squarecb --max_actions 3 -q ij --sgd",
        "--max_actions 10 --spanner_c 4 --random_seed 7",
    ] {
        let policy = format!("--cb_explore_adf --large_action_space {options}");
        for [found, expected] in both(&mut oracle, &policy, &log(&mut rng, 40)) {
            all += 1;
            same += usize::from(found == expected);
        }
    }
    assert!(same * 100 >= all * 95, "{same} of {all} lines are equal");
}

/// With `--coin` and `--cb_type dr` columns of VW's projection depend on each other, so that
/// singular vectors are not unique. Over the seeds of the projection each action is explored as
/// often.
#[test]
fn where_singular_vectors_are_not_unique_actions_are_explored_as_often() {
    const SEEDS: usize = 30;
    let Some(mut oracle) = Oracle::start() else { return };
    let lines = log(&mut Rng::new(12), 12);
    for options in ["--coin", "--cb_type dr"] {
        let mut sums = vec![[vec![0.0; ACTIONS], vec![0.0; ACTIONS]]; lines.len()];
        for seed in 0..SEEDS {
            let policy = format!(
                "--cb_explore_adf --large_action_space --max_actions 10 --random_seed {} {options}",
                seed * 1_000_003
            );
            for (sums, pmfs) in sums.iter_mut().zip(both(&mut oracle, &policy, &lines)) {
                for (sums, pmf) in sums.iter_mut().zip(pmfs) {
                    sums.iter_mut().zip(pmf).for_each(|(sum, p)| *sum += p);
                }
            }
        }
        let gap = |[found, expected]: &[Vec<f32>; 2]| -> f32 {
            found.iter().zip(expected).map(|(a, b)| (a - b).abs()).sum()
        };
        #[expect(clippy::cast_precision_loss, reason = "a number of predictions")]
        let mean = sums.iter().map(gap).sum::<f32>() / (SEEDS * lines.len()) as f32;
        assert!(mean < 0.05, "{options}: total variation {mean}");
    }
}
