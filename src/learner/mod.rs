//! The learner: Vowpal Wabbit's contextual bandits, bit for bit.
//!
//! A [`LearningPolicy`] is a VW command line. A [`Learner`] made from it predicts a
//! distribution over the actions of an [`Event`] and learns from the cost of the action
//! that was taken.
//!
//! Must not know: tokio, the wire, sampling, the word reward (in here, it is cost).

mod event;
mod learner;
mod policy;

pub use event::{Event, Example, ExampleBuilder, Hashing, Label};
pub use learner::{Learner, Prediction};
pub use policy::{LearningPolicy, PolicyError};
