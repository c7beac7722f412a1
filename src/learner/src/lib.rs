//! The learner: Vowpal Wabbit's contextual bandits, bit for bit.
//!
//! A [`LearningPolicy`] is a VW command line. A [`Learner`] made from it predicts a
//! distribution over the actions of an [`Event`] and learns from the cost of the action
//! that was taken. Arithmetic is `f32` in the order in which VW 9.11.9 does it.
//!
//! From the ground: `features` (JSON to hashed features and their interactions),
//! `regression` (the linear model), `cost` (contextual bandits to regression),
//! `explore` (scores to a distribution), `slots` (several choices to one after the other),
//! `policy` (the command line), `learner` (all of them put together), `state` and `vw_model`
//! (a learner on disk). Each uses those before it.
//!
//! Must not know: tokio, the wire, what draws are keyed by, the word reward (in here, it is
//! cost).

mod cost;
mod distribution;
mod dsjson;
mod explore;
mod features;
mod learner;
mod policy;
mod prediction;
mod random;
mod regression;
mod slots;
mod sort;
mod state;
mod vw_model;

pub use dsjson::{DropReason, Dropped, DsjsonReader, LoggedEvent};
pub use features::{
    Event, EventSlot, Example, ExampleBuilder, Hashing, Label, RecurringEvents, uniform_hash,
};
pub use learner::Learner;
pub use policy::{
    EventMismatch, LearningPolicy, ModelFiles, OPTIONS, OptionSpec, PolicyError, Support,
};
pub use prediction::Prediction;
pub use random::sample;
pub use state::LoadError;
pub use vw_model::{VwModel, VwModelError};
