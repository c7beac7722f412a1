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
    let views = policies.iter().map(|policy| (policy.clone(), View::of(policy)));
    validate_views(log, &views.collect::<Vec<_>>(), threads)
}

/// The same, each policy with its view of the log.
pub fn validate_views(
    log: &impl Log,
    policies: &[(Policy, View)],
    threads: usize,
) -> Vec<Validated> {
    validate_prefix(log, policies, log.len(), threads)
}

/// What a policy would have done, or the event at which it failed, and why.
pub type Validated = Result<PolicyTrace, (usize, FailureCause)>;

/// The same on the first `events` of the log.
pub(super) fn validate_prefix(
    log: &impl Log,
    policies: &[(Policy, View)],
    events: usize,
    threads: usize,
) -> Vec<Validated> {
    let mut validated = Vec::new();
    for some in policies.chunks(threads.max(SIDE_BY_SIDE)) {
        let replays = some.iter().map(|(policy, view)| Replay::new(policy, view, events));
        let mut replays: Vec<Replay<'_>> = replays.collect();
        for first in (0..events).step_by(BATCH) {
            let batch = first..events.min(first + BATCH);
            parallel::for_each(&mut replays, threads, |replay| replay.advance(log, batch.clone()));
        }
        parallel::for_each(&mut replays, threads, Replay::end);
        validated.extend(replays.into_iter().map(Replay::into_validated));
    }
    validated
}

/// So many events are replayed by one policy after the other: what a log makes of them serves all.
const BATCH: usize = 4096;

/// So many policies, and their models, are in memory at once; as many as there are threads, if
/// that is more.
const SIDE_BY_SIDE: usize = 4;

/// A policy on a log.
struct Replay<'a> {
    view: &'a View,
    /// None before the first event, and after the last.
    replayer: Option<Replayer>,
    policy: &'a Policy,
    probabilities: Vec<f32>,
    failure: Option<FailureCause>,
}

impl<'a> Replay<'a> {
    fn new(policy: &'a Policy, view: &'a View, events: usize) -> Self {
        let probabilities = Vec::with_capacity(events);
        Self { view, replayer: None, policy, probabilities, failure: None }
    }

    /// Replays the next events.
    fn advance(&mut self, log: &impl Log, events: std::ops::Range<usize>) {
        self.guard(|replay| {
            for index in events {
                let (event, label) = (log.event(index, replay.view), log.label(index));
                let replayer = replay.replayer();
                replayer.replay(&event, Some(&label), log.reward(index))?;
                let probability = replayer.prediction.pmf[label.action];
                replay.probabilities.push(probability);
            }
            Ok(())
        });
    }

    fn replayer(&mut self) -> &mut Replayer {
        self.replayer.get_or_insert_with(|| Replayer::new(self.policy.clone(), None))
    }

    fn end(&mut self) {
        self.guard(|replay| replay.replayer().end());
        self.replayer = None;
    }

    fn guard(&mut self, work: impl FnOnce(&mut Self) -> Result<(), FailureCause>) {
        if self.failure.is_none() {
            self.failure = guarded(|| work(self)).err();
        }
    }

    fn into_validated(self) -> Validated {
        let Self { probabilities, failure, .. } = self;
        match failure {
            None => Ok(PolicyTrace { probabilities }),
            Some(cause) => Err((probabilities.len(), cause)),
        }
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
