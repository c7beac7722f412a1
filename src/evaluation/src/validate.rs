//! Progressive validation (Blum, Kalai, Langford, COLT 1999): predict, then learn.

use super::{Aggregate, Log, parallel};
use learner::{Learner, LearningPolicy, Prediction};
use statistics::off_policy::Example;

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
            let weight = f64::from(self.probabilities[index]) / f64::from(label.probability);
            let (reward, count) = (-f64::from(label.cost), f64::from(log.weight(index)));
            aggregate.add(&Example { weight, reward, count });
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
    let mut traces: Vec<_> = policies.iter().map(|policy| (policy, None)).collect();
    parallel::for_each(&mut traces, threads, |(policy, replayed)| {
        *replayed = Some(trace(log, policy, events));
    });
    traces.into_iter().filter_map(|(_, trace)| trace).collect()
}

fn trace(log: &impl Log, policy: &LearningPolicy, events: usize) -> PolicyTrace {
    let mut learner = Learner::new(policy);
    let mut prediction = Prediction::default();
    let hashing = policy.hashing();
    let mut probabilities = Vec::with_capacity(events);
    for index in 0..events {
        let (event, label) = (log.event(index, hashing), log.label(index));
        learner.learn_predicting(&event, &label, &mut prediction);
        probabilities.push(prediction.pmf[label.action]);
    }
    PolicyTrace { probabilities }
}
