//! Progressive validation (Blum, Kalai, Langford, COLT 1999): predict, then learn.

use super::replayer::{FailureCause, Replayer, guarded};
use super::view::View;
use super::{Aggregate, Log, parallel};
use policy::Policy;
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

/// Replays each policy from a blank model on the whole log, or up to the event at which it
/// fails; a policy that fails ends no other. The result does not depend on the number of
/// threads.
pub fn validate(log: &impl Log, policies: &[Policy], threads: usize) -> Vec<Validated> {
    let views = policies.iter().map(|policy| (policy.clone(), View::of(policy))).collect();
    validate_views(log, views, threads)
}

/// The same, each policy with its view of the log.
pub fn validate_views(
    log: &impl Log,
    policies: Vec<(Policy, View)>,
    threads: usize,
) -> Vec<Validated> {
    validate_prefix(log, policies, log.len(), threads)
}

/// What a policy would have done, or the event at which it failed, and why.
pub type Validated = Result<PolicyTrace, (usize, FailureCause)>;

/// The same on the first `events` of the log.
pub(super) fn validate_prefix(
    log: &impl Log,
    policies: Vec<(Policy, View)>,
    events: usize,
    threads: usize,
) -> Vec<Validated> {
    let mut traces: Vec<_> = policies.into_iter().map(|policy| (policy, None)).collect();
    parallel::for_each(&mut traces, threads, |((policy, view), replayed)| {
        *replayed = Some(trace(log, policy, view, events));
    });
    traces.into_iter().filter_map(|(_, trace)| trace).collect()
}

fn trace(log: &impl Log, policy: &Policy, view: &View, events: usize) -> Validated {
    let mut probabilities = Vec::with_capacity(events);
    let replayed = guarded(|| {
        let mut replayer = Replayer::new(policy.clone(), None);
        for index in 0..events {
            let (event, label) = (log.event(index, view), log.label(index));
            replayer.replay(&event, Some(&label), log.reward(index))?;
            probabilities.push(replayer.prediction.pmf[label.action]);
        }
        replayer.end()
    });
    match replayed {
        Ok(()) => Ok(PolicyTrace { probabilities }),
        Err(cause) => Err((probabilities.len(), cause)),
    }
}

/// What leaving out a feature changes, in reward per event: the mean of (w' - w)·r over the events
/// of a log, where w' is the weight of the policy without the feature, and w that of the policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ablated {
    /// The mean.
    pub change: f64,
    /// Half the width of its normal 95 % interval.
    pub half_width: f64,
}

impl Ablated {
    /// Of a policy, and of the same without a feature.
    pub fn of(log: &impl Log, policy: &PolicyTrace, without: &PolicyTrace) -> Self {
        let mut aggregate = Aggregate::default();
        let pairs = policy.probabilities.iter().zip(&without.probabilities);
        for (index, (policy, without)) in pairs.enumerate() {
            let label = log.label(index);
            let weight = (f64::from(*without) - f64::from(*policy)) / f64::from(label.probability);
            let (reward, count) = (-f64::from(label.cost), f64::from(log.weight(index)));
            aggregate.add(&Example { weight, reward, count });
        }
        Self { change: aggregate.mean(), half_width: aggregate.half_width() }
    }
}
