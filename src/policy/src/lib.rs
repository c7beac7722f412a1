//! Learning policies of every kind: a command line of Vowpal Wabbit, a linear model, or a program.
//!
//! A [`Policy`] says what learns; a [`Model`] made of it predicts a distribution over the actions
//! of an event, learns from the rewards of chosen actions, is forked for the copy that is served,
//! and is saved and loaded; a program needs the events that it learned for that, unless it saves
//! what it learned. Vowpal Wabbit's learners see events that are hashed
//! once; the others see them as they came ([`Seen`]).
//!
//! Must not know: loops, scenarios, who draws the action.

mod features;
mod hashed;
mod linear_model;
mod model;
mod policy;
mod program_model;

pub use hashed::{hashed_action, hashed_actions, hashed_context, hashed_slot, is_feature};
pub use linear_model::LinearModel;
pub use model::{Model, Outcome, RestoreError, Seen};
pub use policy::{LinearPolicy, Policy, ProgramPolicy};
pub use program_model::{ProgramModel, Restarted, learned_event};

pub use linear::{Algorithm, LinTs, LinUcb, Sharing, Term, Thompson, Ucb1};
pub use policy_program::Command;
