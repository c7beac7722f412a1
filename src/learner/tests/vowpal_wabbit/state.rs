//! Saving and loading.

use std::fs;

use learner::{DsjsonReader, Event, Label, Learner, LearningPolicy, LoadError, Prediction};

use sha2::{Digest, Sha256};

use super::reading::{fixture, labelled};

const POLICIES: [&str; 8] = [
    "--cb_explore_adf --epsilon 0.2 --power_t 0 -l 0.001 --cb_type mtr -q ::",
    "--cb_explore_adf --softmax --lambda 5 --cb_type dr -q :: --l1 0.001 --l2 0.001",
    "--cb_explore_adf --softmax --coin -q ::",
    "--cb_explore_adf --first 60 -q ::",
    "--cb_explore_adf --bag 3 -q :: --random_seed 5",
    "--cb_explore_adf --cover 3 -q ::",
    "--cb_explore_adf --squarecb --elim -q Fi",
    "--cb_explore_adf --rnd 2 -q :: --initial_t 2",
];

fn events(policy: &LearningPolicy) -> Vec<(Event, Label)> {
    let lines = fs::read_to_string(fixture("numeric.dsjson")).unwrap();
    let mut reader = DsjsonReader::new(policy.hashing());
    lines.lines().map(|line| labelled(&mut reader, line)).collect()
}

/// Predicts and learns; the probabilities as bits.
fn go_on(learner: &mut Learner, events: &[(Event, Label)]) -> Vec<u32> {
    let mut prediction = Prediction::default();
    let mut bits = Vec::new();
    for (event, label) in events {
        learner.predict(event, &mut prediction);
        bits.extend(prediction.pmf.iter().map(|p| p.to_bits()));
        learner.learn(event, label);
    }
    bits
}

#[test]
fn a_loaded_learner_goes_on_bit_for_bit() {
    for arguments in POLICIES {
        let policy = LearningPolicy::parse(arguments).unwrap();
        let events = events(&policy);
        let (before, after) = events.split_at(events.len() / 2);
        let mut learner = Learner::new(&policy);
        go_on(&mut learner, before);
        let mut loaded = Learner::load(&learner.save()).unwrap();
        assert_eq!(go_on(&mut loaded, after), go_on(&mut learner, after), "{arguments}");
        assert_eq!(loaded.save(), learner.save(), "{arguments}");
    }
}

#[test]
fn what_is_half_written_damaged_or_foreign_is_refused_with_the_reason() {
    let policy = LearningPolicy::parse(POLICIES[0]).unwrap();
    let mut learner = Learner::new(&policy);
    go_on(&mut learner, &events(&policy));
    let saved = learner.save();
    for length in (0..saved.len()).step_by(7) {
        let error = Learner::load(&saved[..length]).unwrap_err();
        let expected = matches!(error, LoadError::Foreign | LoadError::Length { .. });
        assert!(expected, "{length}: {error}");
    }
    for position in [8, 20, 60, saved.len() - 1] {
        let mut damaged = saved.clone();
        damaged[position] ^= 1;
        let error = Learner::load(&damaged).unwrap_err();
        let expected = matches!(error, LoadError::Version(_) | LoadError::Checksum);
        assert!(expected, "{position}: {error}");
    }
    assert_eq!(Learner::load(b"VW 9.11.9 or something else").unwrap_err(), LoadError::Foreign);
}

/// At every moment, whatever kind of model it is.
#[test]
fn a_fork_that_catches_up_is_a_copy() {
    for policy in POLICIES {
        let policy = LearningPolicy::parse(policy).unwrap();
        let mut ahead = Learner::new(&policy);
        let mut fork = ahead.fork();
        for part in events(&policy).chunks(7) {
            go_on(&mut ahead, part);
            fork.catch_up(&mut ahead);
            assert!(fork.save() == ahead.save(), "{}", policy.arguments());
        }
        let events = events(&policy);
        assert_eq!(go_on(&mut fork, &events), go_on(&mut ahead.clone(), &events));
    }
}

/// A served model is a fork whose clones decide while it catches up.
#[test]
fn clones_of_a_fork_stay_as_they_are_when_it_catches_up_or_one_of_them_learns() {
    for policy in POLICIES {
        let policy = LearningPolicy::parse(policy).unwrap();
        let events = events(&policy);
        let mut ahead = Learner::new(&policy);
        let mut fork = ahead.fork();
        let mut clones = Vec::new();
        for (number, part) in events.chunks(7).enumerate() {
            go_on(&mut ahead, part);
            fork.catch_up(&mut ahead);
            assert!(fork.save() == ahead.save(), "{}", policy.arguments());
            // After some exports nobody holds the model of before, after others somebody does.
            if number % 3 == 0 {
                clones.push((fork.clone(), fork.save()));
            }
        }
        for (clone, saved) in &clones {
            go_on(&mut clone.clone(), &events);
            assert!(clone.save() == *saved, "{}", policy.arguments());
        }
    }
}

/// The content under a right header.
fn saved(content: &[u8]) -> Vec<u8> {
    let mut bytes = b"rnrlearn".to_vec();
    bytes.extend_from_slice(&5_u16.to_le_bytes());
    bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(content));
    bytes.extend_from_slice(content);
    bytes
}

/// A length of four billion weights would take 64 GB before anything else is looked at.
#[test]
fn a_length_that_is_not_the_policy_s_takes_no_memory() {
    for (arguments, options) in [("--cb_explore_adf --coin -b 3", 0), ("--cb_explore_adf -b 3", 1)]
    {
        let policy = LearningPolicy::parse(arguments).unwrap();
        let mut content = Learner::new(&policy).save()[50..].to_vec();
        assert!(Learner::load(&saved(&content)).is_ok(), "{arguments}");
        // The weights' length is the first varint behind the arguments, the cost type, the rule
        // and, for gradient descent, its options, of which `-b` is the first.
        let rule = 1 + arguments.len() + 1 + 1;
        let length = if options == 0 {
            rule
        } else {
            rule + content[rule..].windows(2).position(|two| two == [8, 0]).unwrap()
        };
        assert_eq!(content[length], 8, "{arguments}");
        content.splice(length..=length, [0xff, 0xff, 0xff, 0xff, 0x0f]);
        let error = Learner::load(&saved(&content)).unwrap_err();
        assert!(error.to_string().contains("its weights are not those"), "{arguments}: {error}");
    }
}
