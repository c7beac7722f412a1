//! Offline evaluation: what would another learning policy have earned on a log?
//!
//! Off-policy estimators with their intervals, progressive validation of learning
//! policies, and the search for better ones. Pure: a log in, numbers out.
//!
//! Must not know: files, the loop, the wire.
