//! The learner against golden vectors of real Vowpal Wabbit 9.11.9.

mod golden;
mod live;
mod reading;
mod slots;
mod state;
