use super::coverage::{Coverage, Covered};
use crate::Aggregate;
use statistics::off_policy::{Difference, DoublyRobust, Estimates, Example, Likelihood, Modelled};

/// What a policy did on some events, as sums: enough for a verdict.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// For the estimators that need sums only.
    pub estimates: Estimates,
    /// The difference to the policy that wrote the log.
    pub to_online: Difference,
    /// How far the log covers the policy.
    pub coverage: Coverage,
}

/// What a policy did on some events, as sums.
#[derive(Debug, Clone)]
pub struct PolicySums {
    /// What verdicts need.
    pub judged: Judged,
    /// What the service's contract reports.
    pub aggregate: Aggregate,
    /// For the empirical likelihood.
    pub likelihood: Likelihood,
    /// Corrected by the policy's own model of costs, if it has one.
    pub doubly_robust: Option<DoublyRobust>,
    /// The difference to the policy named as the baseline.
    pub to_baseline: Option<Difference>,
}

/// An event as a policy scores it.
pub(super) struct Scored {
    pub example: Example,
    /// The weight under the baseline.
    pub baseline: Option<f64>,
    /// What the policy's model expects.
    pub expected: Option<Modelled>,
    pub covered: Covered,
    /// The highest weight of any policy on the log so far.
    pub highest: f64,
}

impl Judged {
    pub(super) fn add(&mut self, event: &Scored) {
        let Scored { example, covered, highest, .. } = event;
        self.estimates.add(example);
        self.to_online.add(1.0, example);
        self.coverage.add(example.count, example.weight, *covered, *highest);
    }
}

impl PolicySums {
    pub(super) fn new(has_model: bool, has_baseline: bool) -> Self {
        Self {
            judged: Judged::default(),
            aggregate: Aggregate::default(),
            likelihood: Likelihood::default(),
            doubly_robust: has_model.then(DoublyRobust::default),
            to_baseline: has_baseline.then(Difference::default),
        }
    }

    pub(super) fn add(&mut self, event: &Scored) {
        let Scored { example, .. } = event;
        self.judged.add(event);
        self.aggregate.add(example);
        self.likelihood.add(example);
        if let (Some(difference), Some(baseline)) = (&mut self.to_baseline, event.baseline) {
            difference.add(baseline, example);
        }
        if let (Some(doubly_robust), Some(expected)) = (&mut self.doubly_robust, event.expected) {
            doubly_robust.add(example, expected);
        }
    }
}
