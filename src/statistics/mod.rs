//! Intervals, paired tests and quantile comparison; results carry their warnings.
//!
//! Must not know: files, runs.
