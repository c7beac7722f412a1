//! The learner against real Vowpal Wabbit 9.11.9: golden vectors, and the wheel where it is
//! installed.

mod fuzz;
mod golden;
mod kinds;
mod large_action_space;
mod models;
mod reading;
mod slots;
mod state;
