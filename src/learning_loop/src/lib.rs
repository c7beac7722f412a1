//! The learning loop: event log, reward joining, training, model export, evaluations.
//!
//! [`LearningLoop`] implements every operation of the contract as a method that takes `now`.
//! Before an operation, everything that is due by `now` happens in the order of time: reward
//! windows close, their events are learned, models are exported. The result is a function of
//! the calls and their times; only evaluations use threads.
//!
//! Must not know: the engine, scenarios, results.

mod action_numbers;
mod archive;
mod assignment;
mod checked_actions;
mod configuration;
mod decision;
mod dsjson;
mod evaluation_log;
mod evaluation_run;
mod evaluations;
mod event_log;
mod event_numbers;
mod event_size;
mod feature_importance;
mod features;
mod ids;
mod interaction;
mod job;
mod joined;
mod joiner;
mod learning_loop;
mod limits;
mod log_entry;
mod model_bytes;
mod model_operations;
mod multislot;
mod optimization;
mod overview;
mod rank_rules;
mod ranker;
mod sampling;
mod settings_operations;
mod snapshot;
pub mod summary;
mod trainer;

#[cfg(test)]
mod tests;

pub use archive::{Segment, SegmentEvents};
pub use decision::Decision;
pub use event_log::Retention;
pub use job::{EvaluationJob, EvaluationResults};
pub use learning_loop::{LearningLoop, LoopOptions};
pub use limits::LoopLimits;
pub use log_entry::LogEntry;
pub use overview::{EventBytes, LogSnapshot, LoopState, Overview};
pub use policy::{Restarted, RestoreError};
pub use ranker::Ranker;
