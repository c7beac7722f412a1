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
    pub(super) fn add(&mut self, events: &[Scored]) {
        for_each(&mut self.estimates, events, |sums, event| sums.add(&event.example));
        for_each(&mut self.to_online, events, |sums, event| sums.add(1.0, &event.example));
        for_each(&mut self.coverage, events, |sums, event| {
            let Scored { example, covered, highest, .. } = event;
            sums.add(example.count, example.weight, *covered, *highest);
        });
    }
}

/// Adds events to sums one after the other. Meanwhile the sums are a copy of their own, which
/// stays in the registers of the processor.
#[inline]
fn for_each<S: Copy>(sums: &mut S, events: &[Scored], add: impl Fn(&mut S, &Scored)) {
    let mut own = *sums;
    events.iter().for_each(|event| add(&mut own, event));
    *sums = own;
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

    pub(super) fn add(&mut self, events: &[Scored]) {
        self.judged.add(events);
        for_each(&mut self.aggregate, events, |sums, event| sums.add(&event.example));
        events.iter().for_each(|event| self.likelihood.add(&event.example));
        if let Some(difference) = &mut self.to_baseline {
            for_each(difference, events, |sums, event| {
                event.baseline.into_iter().for_each(|first| sums.add(first, &event.example));
            });
        }
        if let Some(doubly_robust) = &mut self.doubly_robust {
            for_each(doubly_robust, events, |sums, event| {
                let expected = event.expected.into_iter();
                expected.for_each(|expected| sums.add(&event.example, expected));
            });
        }
    }
}
