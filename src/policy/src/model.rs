use std::sync::Arc;

use learner::{Learner, Prediction};
use policy_program::Command;
use protocol::{FeatureObject, RankableAction};

use crate::linear_model::LinearModel;
use crate::policy::Policy;
use crate::program_model::ProgramModel;

/// An event as it came.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its id: random draws for the event are addressed by it.
    pub id: &'a str,
    /// The context.
    pub context: &'a Arc<[FeatureObject]>,
    /// The actions that can be chosen.
    pub actions: &'a Arc<[RankableAction]>,
}

/// What came of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// The index of the chosen action.
    pub action: usize,
    /// The probability with which it was chosen.
    pub probability: f32,
    /// The reward.
    pub reward: f64,
}

/// A model under a policy.
#[derive(Debug, Clone)]
pub enum Model {
    /// One of Vowpal Wabbit, which sees hashed events.
    VowpalWabbit(Box<Learner>),
    /// A linear one.
    Linear(Box<LinearModel>),
    /// A program.
    Program(ProgramModel),
}

impl Model {
    /// A blank model, whose random draws are those of `seed`.
    #[must_use]
    pub fn blank(policy: &Policy, seed: u64) -> Self {
        match policy {
            Policy::VowpalWabbit(policy) => {
                Self::VowpalWabbit(Box::new(Learner::seeded(policy, seed)))
            }
            Policy::Linear(policy) => {
                Self::Linear(Box::new(LinearModel::new(policy.algorithm(), seed)))
            }
            Policy::Program(policy) => Self::Program(ProgramModel::start(policy.command(), seed)),
        }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> Policy {
        match self {
            Self::VowpalWabbit(learner) => learner.policy().clone().into(),
            Self::Linear(model) => model.algorithm().clone().into(),
            Self::Program(model) => model.command().clone().into(),
        }
    }

    /// The learner of Vowpal Wabbit, if it is one.
    pub fn vowpal_wabbit(&mut self) -> Option<&mut Learner> {
        match self {
            Self::VowpalWabbit(learner) => Some(learner),
            Self::Linear(_) | Self::Program(_) => None,
        }
    }

    /// Predicts an event as it came.
    ///
    /// # Errors
    /// Why the model cannot predict; it cannot from then on. Vowpal Wabbit's learners predict
    /// hashed events.
    pub fn predict(&mut self, event: Seen<'_>, into: &mut Prediction) -> Result<(), String> {
        match self {
            Self::VowpalWabbit(_) => Err(NOT_HASHED.to_owned()),
            Self::Linear(model) => model.predict(event, into),
            Self::Program(model) => model.predict(event, into),
        }
    }

    /// How many coming events it helps to [`Self::foresee`] now: none, if it is no program.
    #[must_use]
    pub fn foresight(&self) -> usize {
        match self {
            Self::VowpalWabbit(_) | Self::Linear(_) => 0,
            Self::Program(model) => model.foresight(),
        }
    }

    /// Tells a program of the event that is certain to be predicted after those that were foreseen
    /// before; with an outcome, it is learned and flushed before anything else is asked. This
    /// changes no result: the program works on it meanwhile. Returns whether it was told.
    pub fn foresee(&mut self, event: Seen<'_>, outcome: Option<Outcome>) -> bool {
        match self {
            Self::VowpalWabbit(_) | Self::Linear(_) => false,
            Self::Program(model) => model.foresee(event, outcome),
        }
    }

    /// Learns from an event as it came. A failure is told by the next [`Self::failure`].
    pub fn learn(&mut self, event: Seen<'_>, outcome: Outcome) {
        match self {
            Self::VowpalWabbit(_) => {}
            Self::Linear(model) => model.learn(event, outcome),
            Self::Program(model) => model.learn(event, outcome),
        }
    }

    /// Tells a program what it was not told yet to learn. A failure is told by the next
    /// [`Self::failure`].
    pub fn flush(&mut self) {
        if let Self::Program(model) = self {
            model.flush();
        }
    }

    /// Ends a program, and returns the end of what it wrote to stderr.
    ///
    /// # Errors
    /// If it does not end, wrote more than its answers, or failed before.
    pub fn end(&mut self) -> Result<String, String> {
        match self {
            Self::VowpalWabbit(_) | Self::Linear(_) => Ok(String::new()),
            Self::Program(model) => model.end(),
        }
    }

    /// Why the model can no longer be used.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        match self {
            Self::VowpalWabbit(_) => None,
            Self::Linear(model) => model.failure().map(str::to_owned),
            Self::Program(model) => model.failure(),
        }
    }

    /// A copy that can [catch up](Self::catch_up) with this model. Copies of a program are one
    /// process, which learns when they catch up.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        match self {
            Self::VowpalWabbit(learner) => Self::VowpalWabbit(Box::new(learner.fork())),
            Self::Linear(model) => Self::Linear(Box::new(model.fork())),
            Self::Program(model) => Self::Program(model.fork()),
        }
    }

    /// Becomes as `ahead` is, whose latest fork it must be.
    pub fn catch_up(&mut self, ahead: &mut Self) {
        match (self, ahead) {
            (Self::VowpalWabbit(served), Self::VowpalWabbit(ahead)) => served.catch_up(ahead),
            (Self::Linear(served), Self::Linear(ahead)) => served.catch_up(ahead),
            (Self::Program(_), Self::Program(ahead)) => ahead.flush(),
            (served, ahead) => served.replace_by_fork(ahead),
        }
    }

    /// Becomes a fork of `ahead`, a model of the same policy, as by [`Self::catch_up`] though it
    /// was none.
    pub fn replace_by_fork(&mut self, ahead: &mut Self) {
        match (self, ahead) {
            (Self::VowpalWabbit(served), Self::VowpalWabbit(ahead)) => {
                served.replace_by_fork(ahead);
            }
            (served, ahead) => {
                ahead.flush();
                *served = ahead.fork();
            }
        }
    }

    /// The program, if it is one.
    pub fn program(&mut self) -> Option<&mut ProgramModel> {
        match self {
            Self::Program(program) => Some(program),
            Self::VowpalWabbit(_) | Self::Linear(_) => None,
        }
    }

    /// The model as bytes that any service may load; none for a program, which nobody but its
    /// user may start.
    #[must_use]
    pub fn save(&self) -> Option<Vec<u8>> {
        match self {
            Self::VowpalWabbit(learner) => Some(learner.save()),
            Self::Linear(model) => Some(model.save()),
            Self::Program(_) => None,
        }
    }

    /// The policy of a saved model, read before what it takes to load the model.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn saved_policy(bytes: &[u8]) -> Result<Policy, String> {
        if LinearModel::is_saved(bytes) {
            return LinearModel::load(bytes, 0).map(|model| model.algorithm().clone().into());
        }
        Learner::saved_policy(bytes).map(Policy::from).map_err(|error| error.to_string())
    }

    /// The model that was saved, whose random draws are those of `seed`.
    ///
    /// # Errors
    /// When the bytes are not those of a saved model.
    pub fn load(bytes: &[u8], seed: u64) -> Result<Self, String> {
        if LinearModel::is_saved(bytes) {
            return Ok(Self::Linear(Box::new(LinearModel::load(bytes, seed)?)));
        }
        let learner = Learner::load(bytes).map_err(|error| error.to_string())?;
        Ok(Self::VowpalWabbit(Box::new(learner)))
    }
}

/// Why the state of a model cannot be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreError {
    /// The bytes are not those of a model.
    Invalid(String),
    /// It is of the program with this text, and no program is known.
    Program(String),
}

impl Model {
    /// The model as bytes that this user may restore.
    ///
    /// # Panics
    /// If memory runs out.
    #[must_use]
    pub fn store(&mut self) -> Vec<u8> {
        match self {
            Self::VowpalWabbit(learner) => learner.save(),
            Self::Linear(model) => model.save(),
            Self::Program(model) => model.save(),
        }
    }

    /// The model that was stored, whose random draws are those of `seed`. Bytes start no process:
    /// one of a program is of the program that is given, and does not run.
    ///
    /// # Errors
    /// When the bytes are not those of a stored model, or no program is given.
    pub fn restore(
        bytes: &[u8],
        seed: u64,
        program: Option<&Command>,
    ) -> Result<Self, RestoreError> {
        let Some(text) = ProgramModel::saved_text(bytes) else {
            return Self::load(bytes, seed).map_err(RestoreError::Invalid);
        };
        let command = program.ok_or(RestoreError::Program(text))?;
        let model = ProgramModel::load(bytes, command, seed).map_err(RestoreError::Invalid)?;
        Ok(Self::Program(model))
    }
}

const NOT_HASHED: &str = "a model of Vowpal Wabbit predicts hashed events";

impl From<Learner> for Model {
    fn from(learner: Learner) -> Self {
        Self::VowpalWabbit(Box::new(learner))
    }
}

/// Puts a distribution into a prediction: the best action first.
pub(crate) fn put(pmf: &[f32], scores: impl Iterator<Item = f32>, into: &mut Prediction) {
    into.pmf.clear();
    into.pmf.extend_from_slice(pmf);
    into.scores.clear();
    into.scores.extend(scores);
    into.ranking.clear();
    into.ranking.extend(0..pmf.len());
    into.ranking.sort_by(|one, other| pmf[*other].total_cmp(&pmf[*one]));
}
