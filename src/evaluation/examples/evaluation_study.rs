//! The study behind `runner guide evaluating`: how often verdicts are false and intervals
//! miss, in worlds of which the truth is known. `just study` runs it; it takes minutes.

#[path = "../tests/worlds/mod.rs"]
mod worlds;

use std::sync::Mutex;

use evaluation::analysis::Verdict;
use worlds::{Checked, Truth, WORLDS, World};

/// Logs of each kind.
const LOGS: u64 = 200;

fn main() {
    let logs = std::env::args().nth(1).map_or(LOGS, |text| text.parse().expect("a number of logs"));
    println!("| world | events | false verdicts | covers | not judged | shown |");
    println!("|---|---:|---:|---:|---:|---:|");
    for world in WORLDS {
        for events in [100, 500, 1000, 5000] {
            row(world, events, logs);
        }
    }
}

/// False verdicts and coverage among equal policies, coverage and what is shown among others.
fn row(world: World, events: usize, logs: u64) {
    let equal = checked(world, Truth::Equal, events, logs);
    let different = checked(world, Truth::Different, events, logs);
    let false_logs = share(&equal, |log| log.iter().any(Checked::is_false));
    let both: Vec<Checked> = equal.iter().chain(&different).flatten().copied().collect();
    let judged: Vec<_> = both.iter().filter_map(|checked| checked.holds).collect();
    let covering = share(&judged, |holds| *holds);
    let silent = share(&both, |checked| checked.verdict == Verdict::NotJudged);
    let different: Vec<_> = different.into_iter().flatten().collect();
    let shown = share(&different, |checked| {
        matches!(checked.verdict, Verdict::Better | Verdict::Worse) && !checked.is_false()
    });
    let name = world.name();
    println!("| {name} | {events} | {false_logs} | {covering} | {silent} | {shown} |");
}

fn checked(world: World, truth: Truth, events: usize, logs: u64) -> Vec<Vec<Checked>> {
    let (next, done) = (Mutex::new(0..logs), Mutex::new(Vec::new()));
    let work = || {
        while let Some(seed) = { next.lock().expect("no thread panics").next() } {
            let checked = world.check(truth, events, seed);
            done.lock().expect("no thread panics").push(checked);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    done.into_inner().expect("no thread panics")
}

fn share<T>(all: &[T], is: impl Fn(&T) -> bool) -> String {
    if all.is_empty() {
        return "–".to_owned();
    }
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let share = all.iter().filter(|one| is(one)).count() as f64 / all.len() as f64;
    format!("{:.1} %", 100.0 * share)
}
