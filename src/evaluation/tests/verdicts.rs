//! A small version of the study of verdicts: `just study` makes the large one, of which
//! `runner guide evaluating` has the table.

mod worlds;

use evaluation::analysis::Verdict;
use worlds::{Checked, Truth, WORLDS, World};

const LOGS: u64 = 40;

fn checked(world: World, truth: Truth, events: usize) -> Vec<Vec<Checked>> {
    (0..LOGS).map(|seed| world.check(truth, events, seed)).collect()
}

/// A verdict is false in 5 % of the logs at most: of forty, more than six are in one of 300
/// such counts, and the seeds are fixed.
#[test]
fn equal_policies_get_few_false_verdicts() {
    for world in WORLDS {
        for events in [100, 500] {
            let logs = checked(world, Truth::Equal, events);
            let false_ones = logs.iter().filter(|log| log.iter().any(Checked::is_false)).count();
            assert!(false_ones <= 6, "{}, {events} events: {false_ones}", world.name());
        }
    }
}

#[test]
fn intervals_of_differences_cover_the_truth() {
    for world in WORLDS {
        for truth in [Truth::Equal, Truth::Different] {
            let logs = checked(world, truth, 400);
            let intervals: Vec<bool> =
                logs.iter().flatten().filter_map(|checked| checked.holds).collect();
            let missed = intervals.iter().filter(|holds| !**holds).count();
            assert!(
                missed * 100 <= intervals.len() * 8,
                "{}: {missed} of {}",
                world.name(),
                intervals.len()
            );
        }
    }
}

#[test]
fn large_differences_are_shown_where_the_log_explores() {
    let logs = checked(World::WellExplored, Truth::Different, 2000);
    let better = |log: &&Vec<Checked>| log[3].verdict == Verdict::Better;
    assert!(logs.iter().filter(better).count() >= 38);
}

#[test]
fn a_log_without_exploration_judges_no_policy_that_acts_otherwise() {
    for truth in [Truth::Equal, Truth::Different] {
        for log in checked(World::NoExploration, truth, 300) {
            assert!(log.iter().all(|checked| checked.verdict == Verdict::NotJudged), "{log:?}");
        }
    }
}
