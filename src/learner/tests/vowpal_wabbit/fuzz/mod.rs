//! Random policies on random logs, through this learner and through the wheel.

pub mod oracle;
pub mod replay;
