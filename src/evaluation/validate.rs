//! Progressive validation (Blum, Kalai, Langford, COLT 1999): predict, then learn.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Aggregate, Log};
use crate::learner::{Learner, LearningPolicy, Prediction};

/// What a policy would have done on a log, had it learned from it.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyTrace {
    /// For each event, the probability with which the policy would have taken the action
    /// that was taken: predicted from all events before, before it was learned.
    pub probabilities: Vec<f32>,
}

impl PolicyTrace {
    /// The sums over the events of `range`, or those of it that the trace has.
    pub fn aggregate(&self, log: &impl Log, range: std::ops::Range<usize>) -> Aggregate {
        let mut aggregate = Aggregate::default();
        for index in range.start..range.end.min(self.probabilities.len()) {
            let label = log.label(index);
            let probability = f64::from(self.probabilities[index]);
            aggregate.add(probability, f64::from(label.probability), -f64::from(label.cost));
        }
        aggregate
    }
}

/// Replays each policy from a blank model on the whole log. The result does not depend
/// on the number of threads.
pub fn validate(log: &impl Log, policies: &[LearningPolicy], threads: usize) -> Vec<PolicyTrace> {
    validate_prefix(log, policies, log.len(), threads)
}

/// The same on the first `events` of the log.
pub(super) fn validate_prefix(
    log: &impl Log,
    policies: &[LearningPolicy],
    events: usize,
    threads: usize,
) -> Vec<PolicyTrace> {
    let next = AtomicUsize::new(0);
    let traces: Vec<_> = policies.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(policy) = policies.get(index) else { return };
            let replayed = trace(log, policy, events);
            *traces[index].lock().expect("no thread has failed") = Some(replayed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.clamp(1, policies.len().max(1)) {
            scope.spawn(work);
        }
        work();
    });
    let into_trace = |slot: Mutex<Option<PolicyTrace>>| {
        slot.into_inner().expect("no thread has failed").expect("every policy was replayed")
    };
    traces.into_iter().map(into_trace).collect()
}

fn trace(log: &impl Log, policy: &LearningPolicy, events: usize) -> PolicyTrace {
    let mut learner = Learner::new(policy);
    let mut prediction = Prediction::default();
    let hashing = policy.hashing();
    let mut probabilities = Vec::with_capacity(events);
    for index in 0..events {
        let (event, label) = (log.event(index, hashing), log.label(index));
        learner.predict(&event, &mut prediction);
        probabilities.push(prediction.pmf[label.action]);
        learner.learn(&event, &label);
    }
    PolicyTrace { probabilities }
}
