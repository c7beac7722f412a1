//! Optimisation discovery: a search for learning policies that would have earned more.
//!
//! The service documents its search as "a variety of values"; the names of what it found
//! show two families, and so has this search.
//!
//! 1. *Inter-len* - which namespaces interact. Candidates: none, pairs, pairs and
//!    triples, pairs to quadruples of all namespaces (wildcards), and for each pair of a
//!    context and an action namespace the context to its first, second and third power
//!    with the action. Each is tried with the learner's default rates, and named by the
//!    length of its longest interaction.
//! 2. *Hyper* - the best interactions with other cost types, learning rates and
//!    decays.
//!
//! Every candidate keeps the online policy's exploration. All are replayed on the
//! beginning of the log; the better part goes on to the whole of it (successive halving:
//! Jamieson, Talwalkar, AISTATS 2016). The best of many is an optimistic choice, so the
//! search compares candidates on the events before [`held_out_from`] only: what a policy
//! earns on the events after it is an honest estimate.

use std::ops::{Div, Sub};

use super::validate::validate_prefix;
use super::view::{Shape, View, Viewed};
use super::{Log, PolicyTrace};
use learner::{Event, Hashing, LearningPolicy};
use policy::Policy;

/// A policy that the search found.
#[derive(Debug, Clone, PartialEq)]
pub struct Discovered {
    /// Its name: `Inter-len4`, `Hyper1`.
    pub name: String,
    /// The policy.
    pub policy: LearningPolicy,
    /// What it would have done on the log.
    pub trace: PolicyTrace,
}

/// The first of the events that a search holds out: the last fifth.
pub fn held_out_from<N>(events: N) -> N
where
    N: Copy + From<u8> + Sub<Output = N> + Div<Output = N>,
{
    events - events / N::from(5)
}

/// Candidates are first tried on so many events.
const HEAT: usize = 2000;

/// So many sets of interactions, and so many settings of each, go on to the whole log.
const PROMOTED_INTERACTIONS: usize = 4;
const PROMOTED_SETTINGS: usize = 4;

/// So many policies of the second family are reported.
const REPORTED_SETTINGS: usize = 2;

/// Interactions that go on to the second family.
const REFINED: usize = 2;

const COST_TYPES: [&str; 3] = ["mtr", "ips", "dr"];
const LEARNING_RATES: [&str; 4] = ["0.01", "0.05", "0.2", "0.5"];
const DECAYS: [&str; 2] = ["0", "0.5"];

/// A policy and what is known of it so far.
struct Candidate {
    /// The interactions alone.
    interactions: String,
    policy: LearningPolicy,
    trace: PolicyTrace,
    mean: f64,
}

/// Searches for policies better than `online` on the first `searched` events of a log. The
/// result does not depend on the number of threads.
pub fn discover(
    log: &impl Log,
    searched: usize,
    online: &LearningPolicy,
    threads: usize,
) -> Vec<Discovered> {
    if log.is_empty() {
        return Vec::new();
    }
    let exploration = exploration(online);
    let sets = interaction_sets(&namespaces(log));
    let first: Vec<_> = sets
        .into_iter()
        .filter_map(|interactions| candidate(&exploration, "--cb_type mtr", interactions))
        .collect();
    let first = tournament(log, searched, first, PROMOTED_INTERACTIONS, threads);
    let second: Vec<_> = first
        .iter()
        .take(REFINED)
        .flat_map(|best| settings().into_iter().map(|settings| (settings, &best.interactions)))
        .filter_map(|(settings, set)| candidate(&exploration, &settings, set.clone()))
        .collect();
    let second = tournament(log, searched, second, PROMOTED_SETTINGS, threads);
    report(first, second)
}

/// The arguments that a candidate takes over from the online policy.
fn exploration(online: &LearningPolicy) -> String {
    let kind = if online.is_multi_slot() { "--ccb_explore_adf" } else { "--cb_explore_adf" };
    match online.epsilon() {
        Some(epsilon) => format!("{kind} --epsilon {epsilon}"),
        None => kind.to_owned(),
    }
}

fn candidate(
    exploration: &str,
    settings: &str,
    interactions: String,
) -> Option<(String, LearningPolicy)> {
    let arguments = [exploration, settings, &interactions].join(" ");
    LearningPolicy::parse(&arguments).ok().map(|policy| (interactions, policy))
}

/// The namespaces of contexts and of actions, by their first byte, as the first event
/// has them.
struct Namespaces {
    context: Vec<char>,
    action: Vec<char>,
}

fn namespaces(log: &impl Log) -> Namespaces {
    let view = View { shape: Shape::Hashed(Hashing::default()), without: None };
    let Viewed::Hashed(Event { shared, actions, .. }) = log.event(0, &view) else {
        return Namespaces { context: Vec::new(), action: Vec::new() };
    };
    let named = |letter: &u8| letter.is_ascii_graphic() && *letter != b':';
    let mut action = Vec::new();
    for letter in actions.iter().flat_map(|example| example.letters()).filter(named) {
        if !action.contains(&char::from(letter)) {
            action.push(char::from(letter));
        }
    }
    Namespaces { context: shared.letters().filter(named).map(char::from).collect(), action }
}

/// The first family.
fn interaction_sets(namespaces: &Namespaces) -> Vec<String> {
    let wildcards = ["", "-q ::", "-q :: --cubic :::", "-q :: --cubic ::: --interactions ::::"];
    let mut sets: Vec<String> = wildcards.map(str::to_owned).into();
    for context in &namespaces.context {
        for action in &namespaces.action {
            let power = |power: usize| context.to_string().repeat(power) + &action.to_string();
            let (pair, triple, quadruple) = (power(1), power(2), power(3));
            sets.push(format!("-q {pair}"));
            sets.push(format!("-q {pair} --cubic {triple}"));
            sets.push(format!("-q {pair} --interactions {quadruple}"));
            sets.push(format!("-q {pair} --cubic {triple} --interactions {quadruple}"));
        }
    }
    sets
}

/// The second family.
fn settings() -> Vec<String> {
    let mut settings = Vec::new();
    for cost_type in COST_TYPES {
        for rate in LEARNING_RATES {
            for decay in DECAYS {
                settings.push(format!("--cb_type {cost_type} -l {rate} --power_t {decay}"));
            }
        }
    }
    settings
}

/// Replays all on the beginning of the log and the better ones on the whole; returns
/// those, the best of the first `searched` events first.
fn tournament(
    log: &impl Log,
    searched: usize,
    candidates: Vec<(String, LearningPolicy)>,
    promoted: usize,
    threads: usize,
) -> Vec<Candidate> {
    let heat = searched.min(HEAT);
    let mut ranked = replay(log, heat, heat, candidates, threads);
    ranked.truncate(promoted);
    let promoted = ranked.into_iter().map(|c| (c.interactions, c.policy)).collect();
    replay(log, log.len(), searched, promoted, threads)
}

/// Replays candidates on the first `events`; ranks them by the mean of the first `compared`.
fn replay(
    log: &impl Log,
    events: usize,
    compared: usize,
    candidates: Vec<(String, LearningPolicy)>,
    threads: usize,
) -> Vec<Candidate> {
    let viewed = |(_, policy): &(String, LearningPolicy)| {
        let policy = Policy::from(policy.clone());
        let view = View::of(&policy);
        (policy, view)
    };
    let views: Vec<_> = candidates.iter().map(viewed).collect();
    let traces = validate_prefix(log, &views, events, threads);
    let replayed = candidates.into_iter().zip(traces);
    let mut ranked: Vec<_> = replayed
        .filter_map(|((interactions, policy), trace)| {
            // A policy that fails is none to find.
            let trace = trace.ok()?;
            let mean = trace.aggregate(log, 0..compared).mean();
            Some(Candidate { interactions, policy, trace, mean })
        })
        .collect();
    // Stable: of equals, the one that stands first in the search.
    ranked.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    ranked
}

/// The best of each length of the first family, and the best of the second. Candidates that
/// do the same on every event are one policy, and reported once.
fn report(first: Vec<Candidate>, second: Vec<Candidate>) -> Vec<Discovered> {
    let mut found: Vec<Discovered> = Vec::new();
    for candidate in first {
        let name = format!("Inter-len{}", longest(&candidate.interactions));
        let is_known = found.iter().any(|other| other.name == name);
        if !is_known && is_distinct(&candidate, &found) {
            found.push(discovered(name, candidate));
        }
    }
    let interactions = found.len();
    for candidate in second {
        let reported = found.len() - interactions;
        if reported < REPORTED_SETTINGS && is_distinct(&candidate, &found) {
            found.push(discovered(format!("Hyper{}", reported + 1), candidate));
        }
    }
    found
}

fn is_distinct(candidate: &Candidate, found: &[Discovered]) -> bool {
    !found.iter().any(|other| other.trace == candidate.trace)
}

fn discovered(name: String, candidate: Candidate) -> Discovered {
    Discovered { name, policy: candidate.policy, trace: candidate.trace }
}

/// The length of the longest interaction of a set.
fn longest(interactions: &str) -> usize {
    let words = interactions.split(' ').filter(|word| !word.is_empty() && !word.starts_with('-'));
    words.map(str::len).max().unwrap_or(1)
}
