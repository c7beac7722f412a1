//! Random policies on random logs, through this learner and through the wheel: bits are
//! compared, and what differs is made small.
//!
//! `VW_FUZZ_SECONDS=600` goes on for longer, `VW_FUZZ_SEED=7` begins elsewhere.

pub mod logs;
mod minimise;
pub mod oracle;
pub mod policies;
pub mod replay;
pub mod rng;

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use learner::LearningPolicy;

use logs::Style;
use minimise::{Pair, minimise};
use oracle::{Answer, Oracle};
use replay::{Prediction, is_same, replay};
use rng::Rng;

/// How a pair came out.
#[derive(Debug)]
enum Verdict {
    Equal,
    /// VW cannot be compared: its process ended.
    Crashed,
    Differs(Difference, String),
}

/// In what both differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Difference {
    /// One refuses the policy.
    Policy,
    /// One drops a line.
    Dropped,
    /// Probabilities, or the order of actions.
    Prediction,
}

fn pair(seed: u64) -> Pair {
    let mut rng = Rng::new(seed);
    let style = [Style::Tame, Style::Wild, Style::Slots, Style::Numbered][rng.below(4)];
    let policy = policies::policy(&mut rng, style);
    Pair { policy, lines: logs::log(&mut rng, style) }
}

fn compare(oracle: &mut Oracle, pair: &Pair) -> Verdict {
    let policy = LearningPolicy::parse_for_evaluation(&pair.policy);
    match (policy, oracle.ask(&pair.policy, &pair.lines)) {
        (_, Answer::Crashed) => Verdict::Crashed,
        (Err(_), Answer::Refused { .. }) => Verdict::Equal,
        (Err(errors), _) => {
            Verdict::Differs(Difference::Policy, format!("refused here: {}", errors[0]))
        }
        (Ok(_), Answer::Refused { refused }) => {
            Verdict::Differs(Difference::Policy, format!("refused by VW: {refused}"))
        }
        (Ok(policy), Answer::Stopped { lines, .. } | Answer::Lines { lines }) => {
            compare_lines(&policy, &pair.lines, &lines)
        }
    }
}

fn compare_lines(
    policy: &LearningPolicy,
    lines: &[String],
    expected: &[Option<Prediction>],
) -> Verdict {
    let found = replay(policy, &lines[..expected.len()]);
    for (line, (found, expected)) in found.iter().zip(expected).enumerate() {
        match is_same(found, expected.as_ref()) {
            Some(true) => continue,
            None => return Verdict::Equal,
            Some(false) => {}
        }
        let difference = match (found, expected) {
            (Ok(_), Some(_)) => Difference::Prediction,
            _ => Difference::Dropped,
        };
        let (found, expected) = (found.as_ref().map(shown), expected.as_ref().map(shown));
        let how = format!("line {}:\n  here {found:?}\n  VW   {expected:?}", line + 1);
        return Verdict::Differs(difference, how);
    }
    Verdict::Equal
}

fn shown(prediction: &Prediction) -> String {
    let number = |bits: &u32| f32::from_bits(*bits);
    match prediction {
        Prediction::Pmf(pmf) => format!("{:?}", pmf.iter().map(number).collect::<Vec<_>>()),
        Prediction::Slots(slots) => {
            let slot = |slot: &Vec<(usize, u32)>| {
                slot.iter().map(|(action, p)| (*action, number(p))).collect::<Vec<_>>()
            };
            format!("{:?}", slots.iter().map(slot).collect::<Vec<_>>())
        }
    }
}

/// Compares the pairs of seeds; each difference made small, as text.
fn differences(oracle: &mut Oracle, seeds: impl Iterator<Item = u64>) -> (usize, Vec<String>) {
    let (mut compared, mut differences) = (0, Vec::new());
    for seed in seeds {
        let pair = pair(seed);
        compared += 1;
        if let Verdict::Differs(difference, _) = compare(oracle, &pair) {
            let small = minimise(
                &pair,
                |pair| matches!(compare(oracle, pair), Verdict::Differs(found, _) if found == difference),
            );
            let Verdict::Differs(_, how) = compare(oracle, &small) else {
                unreachable!("it differed")
            };
            let lines = small.lines.join("\n");
            differences.push(format!("seed {seed}: {}\n{lines}\n{how}", small.policy));
            eprintln!("{}\n", differences[differences.len() - 1]);
        }
    }
    (compared, differences)
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect(name))
}

#[test]
fn policies_of_fixed_seeds_predict_what_vw_predicts() {
    let Some(mut oracle) = Oracle::start() else { return };
    let (_, differences) = differences(&mut oracle, 0..150);
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

#[test]
fn policies_of_fresh_seeds_predict_what_vw_predicts() {
    let Some(mut oracle) = Oracle::start() else { return };
    let first = variable("VW_FUZZ_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) >> 1);
    let seconds = Duration::from_secs(variable("VW_FUZZ_SECONDS").unwrap_or(4));
    let begin = Instant::now();
    let seeds = (first..).take_while(|_| begin.elapsed() < seconds);
    let (compared, differences) = differences(&mut oracle, seeds);
    eprintln!("{compared} pairs from seed {first}, {} differ", differences.len());
    assert!(differences.is_empty(), "of {compared} pairs:\n{}", differences.join("\n\n"));
}
