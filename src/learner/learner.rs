use super::{Event, Label, LearningPolicy};

/// A model under a learning policy.
#[derive(Debug, Clone)]
pub struct Learner {}

/// What a learner makes of an event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prediction {
    /// The probability of each action, in the order of the event.
    pub pmf: Vec<f32>,
    /// The indices of the actions, best first: the order in which the service samples.
    pub ranking: Vec<usize>,
}

impl Learner {
    /// A blank model.
    #[must_use]
    pub fn new(_policy: &LearningPolicy) -> Self {
        todo!()
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &LearningPolicy {
        todo!()
    }

    /// Predicts into `prediction`, whose buffers are used again.
    pub fn predict(&mut self, _event: &Event, _prediction: &mut Prediction) {
        todo!()
    }

    /// Learns from one labelled event.
    pub fn learn(&mut self, _event: &Event, _label: &Label) {
        todo!()
    }
}
