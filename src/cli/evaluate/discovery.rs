use std::io;

use super::logs::Logs;
use super::tables::TableLogs;
use crate::cli::console::{Screen, count};
use diagnostic::Report;
use evaluation::run::{Candidate, LogPrefix, Origin};
use evaluation::{Log, discover, held_out_from};
use learner::LearningPolicy;

/// What a search found.
pub struct Found {
    pub policies: Vec<Candidate>,
    /// From which labelled event on the search has seen none.
    pub held_out_from: u64,
}

/// The search looks at so many events at the most; it looks at them many times.
const CAPACITY: usize = 100_000;

/// Reads the first events of the logs, and counts them all.
pub fn prefix(logs: &Logs, tables: Option<&mut TableLogs>) -> io::Result<LogPrefix> {
    let mut prefix = LogPrefix::new(CAPACITY);
    match tables {
        // What is wrong with columns was reported before.
        Some(tables) => tables.search(logs, &mut prefix, &mut Report::new())?,
        None => logs.each(|_, input| prefix.read(input))?,
    }
    Ok(prefix)
}

/// Searches for policies on the first four fifths of the logs.
pub fn search(
    mut prefix: LogPrefix,
    given: &[Candidate],
    threads: usize,
    screen: &mut Screen,
) -> Found {
    let held_out_from = held_out_from(prefix.total());
    prefix.truncate(held_out_from);
    let searched = count(held_out_from.min(CAPACITY as u64));
    screen.line(&format!("searching for policies on the first {searched} events"));
    let mut given = given.iter().filter_map(|candidate| candidate.policy.vowpal_wabbit());
    let exploration = match given.find(|policy| policy.is_multi_slot() == prefix.has_slots()) {
        Some(policy) => policy.clone(),
        None => exploring(prefix.exploration(), prefix.has_slots()),
    };
    let found =
        discover(&prefix, prefix.len(), &exploration, threads).into_iter().map(|found| Candidate {
            name: found.name,
            policy: found.policy.into(),
            origin: Origin::Discovered,
            model: None,
        });
    Found { policies: found.collect(), held_out_from }
}

/// A policy that explores as much as the log does, and fills slots where the log has some.
fn exploring(share: f64, fills_slots: bool) -> LearningPolicy {
    let kind = if fills_slots { "--ccb_explore_adf" } else { "--cb_explore_adf" };
    let arguments = format!("{kind} --epsilon {share:.2}");
    LearningPolicy::parse(&arguments).expect("arguments that are known")
}
