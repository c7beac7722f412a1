//! One policy on one log: what it predicts of an event before it learns it, and what stops it.

use std::any::Any;
use std::fmt::{self, Display, Formatter};
use std::panic::{AssertUnwindSafe, catch_unwind};

use learner::{Event, EventMismatch, Label, Learner, Prediction};
use policy::{Model, Outcome, Policy};

use crate::view::{SeenEvent, Unseen, Viewed};

/// A policy that learns from a log, event by event (progressive validation: Blum, Kalai,
/// Langford, COLT 1999).
pub(crate) struct Replayer {
    policy: Policy,
    model: Model,
    /// Whether nothing is learned.
    test_only: bool,
    /// What was predicted of the last event; of one with slots, of its first slot.
    pub prediction: Prediction,
    /// What was predicted of each slot of the last event; none for one without slots.
    pub slots: Vec<Prediction>,
}

/// Why a policy could not be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureCause {
    /// The log is not for this policy.
    Event(EventMismatch),
    /// The event cannot be shown to the policy.
    Unseen(Unseen),
    /// A linear model or a program failed.
    Model(String),
    /// What the log says of the policy cannot be used.
    Logged(String),
    /// A panic, with its message: a bug of the learner.
    Panic(String),
}

impl Replayer {
    /// The policy, from a learner of Vowpal Wabbit that it starts from, or blank.
    pub fn new(policy: Policy, start: Option<Learner>) -> Self {
        let files = policy.vowpal_wabbit().map(learner::LearningPolicy::model_files);
        let test_only = files.is_some_and(|files| files.test_only);
        let blank = || match policy.vowpal_wabbit() {
            Some(policy) => Learner::new(policy).into(),
            None => Model::blank(&policy, 0),
        };
        let mut model = start.map_or_else(blank, Model::from);
        if let Some(learner) = model.vowpal_wabbit().filter(|_| test_only) {
            learner.stop_learning();
        }
        Self { policy, model, test_only, prediction: Prediction::default(), slots: Vec::new() }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The model in the format of VW, if it is one of Vowpal Wabbit.
    pub fn vw_model(&mut self) -> Option<Vec<u8>> {
        self.model.vowpal_wabbit().map(Learner::to_vw_model)
    }

    /// How many coming events it helps to [`Self::foresee`] now.
    pub fn foresight(&self) -> usize {
        self.model.foresight()
    }

    /// Tells the policy of the event that is replayed after those that were foreseen before.
    /// Returns whether it was told.
    pub fn foresee(&mut self, event: &Viewed, label: Option<&Label>, reward: f64) -> bool {
        let Viewed::AsItCame(event) = event else { return false };
        self.model.foresee(event.seen(), label.map(|label| outcome(label, reward)))
    }

    /// Predicts an event, and then learns what came of it; `reward` is that of the label, with
    /// all its digits.
    pub fn replay(
        &mut self,
        event: &Viewed,
        label: Option<&Label>,
        reward: f64,
    ) -> Result<(), FailureCause> {
        match event {
            Viewed::Hashed(event) => self.replay_hashed(event, label),
            Viewed::AsItCame(event) => self.replay_seen(event, label, reward),
            Viewed::Unseen(why) => Err(FailureCause::Unseen(*why)),
        }
    }

    fn replay_hashed(&mut self, event: &Event, label: Option<&Label>) -> Result<(), FailureCause> {
        let Self { model, test_only, prediction, slots, .. } = self;
        let Some(learner) = model.vowpal_wabbit() else { return Ok(()) };
        learner.policy().check_event(event).map_err(FailureCause::Event)?;
        slots.clear();
        match label {
            _ if event.slots.is_some() => {
                *slots = if *test_only {
                    learner.predict_slots(event)
                } else {
                    learner.learn_slots(event)
                };
                prediction.clone_from(&slots[0]);
            }
            Some(label) if !*test_only => learner.learn_predicting(event, label, prediction),
            _ => learner.predict(event, prediction),
        }
        Ok(())
    }

    fn replay_seen(
        &mut self,
        event: &SeenEvent,
        label: Option<&Label>,
        reward: f64,
    ) -> Result<(), FailureCause> {
        self.model.predict(event.seen(), &mut self.prediction).map_err(FailureCause::Model)?;
        if let Some(label) = label {
            self.model.learn(event.seen(), outcome(label, reward));
            self.model.flush();
        }
        self.model.failure().map_or(Ok(()), |why| Err(FailureCause::Model(why)))
    }

    /// Ends a program.
    pub fn end(&mut self) -> Result<(), FailureCause> {
        self.model.end().map(drop).map_err(FailureCause::Model)
    }
}

fn outcome(label: &Label, reward: f64) -> Outcome {
    Outcome { action: label.action, probability: label.probability, reward }
}

/// Lets a policy do something. A panic is a failure of this policy, and ends no other.
pub(crate) fn guarded(work: impl FnOnce() -> Result<(), FailureCause>) -> Result<(), FailureCause> {
    // What a panic leaves behind is not used again.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|payload| Err(FailureCause::of_panic(&*payload)))
}

impl FailureCause {
    /// From what a panic left behind.
    fn of_panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Self::Panic(text.unwrap_or_default())
    }
}

impl Display for FailureCause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(mismatch) => write!(f, "the event {mismatch}"),
            Self::Unseen(why) => write!(f, "the event {why}"),
            Self::Model(why) | Self::Logged(why) => f.write_str(why),
            Self::Panic(message) => write!(f, "the learner panicked: {message}"),
        }
    }
}
