//! The learner against golden vectors of real Vowpal Wabbit 9.11.9.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Vowpal Wabbit narrows these numbers to f32"
)]

mod dsjson;
mod golden;
mod state;
