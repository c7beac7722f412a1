//! Records for tests.

use std::sync::Arc;
use std::time::Duration;

use record::{
    IterationOutcome, IterationRecord, Loss, PhaseRecord, PhaseStarted, Progress, SlotRecord,
};

/// A completed iteration, sent 20 ms after the one before it, whose Rank took 5 ms and
/// whose Reward took 3 ms.
pub fn iteration(phase: usize, iteration: u64, success: bool) -> IterationRecord {
    let due = Duration::from_millis(20 * iteration);
    let rank_latency = Duration::from_millis(5);
    IterationRecord {
        phase,
        iteration,
        event_id: format!("event-{iteration}").into(),
        context: Arc::from(["Alice".to_owned(), "Sunny".to_owned()]),
        preferred: "latte".into(),
        chosen: Some(if success { "latte" } else { "mocha" }.into()),
        probability: Some(if success { 0.85 } else { 0.05 }),
        reward: Some(if success { 1.0 } else { 0.0 }),
        loss: Some(Loss {
            regret: if success { 0.0 } else { 1.0 },
            exploration: Some(if success { 0.0 } else { 0.25 }),
        }),
        outcome: IterationOutcome::Completed,
        due,
        rank_start: due,
        rank_latency: Some(rank_latency),
        reward_start: Some(due + rank_latency),
        reward_latency: Some(Duration::from_millis(3)),
        again: false,
        logged: None,
        slots: None,
    }
}

/// The same iteration with slots: whether each of them got the best action that was left.
pub fn with_slots(record: IterationRecord, successes: &[bool]) -> IterationRecord {
    let slot = |success: &bool| SlotRecord {
        chosen: if *success { "latte" } else { "mocha" }.into(),
        preferred: "latte".into(),
        reward: if *success { 1.0 } else { 0.0 },
        regret: if *success { 0.0 } else { 1.0 },
    };
    IterationRecord { slots: Some(successes.iter().map(slot).collect()), ..record }
}

/// The start of a phase.
pub fn phase_started(phase: usize) -> Progress {
    Progress::PhaseStarted(PhaseStarted { phase, at: Duration::ZERO })
}

/// The end of a phase that took ten seconds.
pub fn phase_ended(phase: usize) -> Progress {
    let ended = Duration::from_secs(10);
    Progress::PhaseEnded(PhaseRecord {
        phase,
        started: Duration::ZERO,
        ended,
        iterations: 0,
        asked_rate: None,
        model_exports: None,
    })
}
