use crate::Aggregate;
use statistics::off_policy::{
    Correction, Difference, DoublyRobust, Estimates, Likelihood, Modelled,
};

/// What a policy did on some events, as sums.
#[derive(Debug, Clone)]
pub struct Sums {
    /// What the contract reports.
    pub aggregate: Aggregate,
    /// For the estimators that need sums only.
    pub estimates: Estimates,
    /// For the empirical likelihood.
    pub likelihood: Likelihood,
    /// Corrected by the policy's own model of costs, if it has one.
    pub doubly_robust: Option<DoublyRobust>,
    /// The difference to the policy that wrote the log.
    pub to_online: Difference,
    /// The difference to the policy that was named for it.
    pub to_baseline: Option<Difference>,
}

/// An event as the sums see it.
pub(super) struct Scored {
    /// The probability with which the policy would have taken the action taken.
    pub probability: f64,
    /// The probability with which it was taken.
    pub logged: f64,
    /// The reward.
    pub reward: f64,
    /// The probability under the policy to compare with.
    pub baseline: Option<f64>,
    /// The reward that the policy's model expects of the policy, and of the action.
    pub expected: Option<(f64, f64)>,
}

impl Sums {
    pub(super) fn new(has_model: bool, has_baseline: bool) -> Self {
        Self {
            aggregate: Aggregate::default(),
            estimates: Estimates::default(),
            likelihood: Likelihood::default(),
            doubly_robust: has_model.then(|| DoublyRobust::new(Correction::Full)),
            to_online: Difference::default(),
            to_baseline: has_baseline.then(Difference::default),
        }
    }

    pub(super) fn add(&mut self, event: &Scored) {
        let Scored { probability, logged, reward, .. } = *event;
        self.aggregate.add(probability, logged, reward);
        self.estimates.add(probability, logged, reward);
        self.likelihood.add(probability, logged, reward);
        self.to_online.add(logged, probability, logged, reward);
        if let (Some(difference), Some(baseline)) = (&mut self.to_baseline, event.baseline) {
            difference.add(baseline, probability, logged, reward);
        }
        if let (Some(doubly_robust), Some((policy, action))) =
            (&mut self.doubly_robust, event.expected)
        {
            doubly_robust.add(&Modelled { policy, action, probability, logged, reward });
        }
    }
}
