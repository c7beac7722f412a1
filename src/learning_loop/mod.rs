//! The learning loop: event log, reward joining, training, model export, evaluations.
//!
//! Pure but for threads in evaluations: it takes `now` and returns values.
//!
//! Must not know: the engine, scenarios, results.
