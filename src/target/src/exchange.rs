//! Calls as they are shown to a person: without secrets.

use std::time::Duration;

use crate::CallError;

/// A call that is, or would be, sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCall {
    /// The method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// A call that was sent, and what came of it.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What was sent.
    pub call: ShownCall,
    /// The status and the body, or what failed.
    pub answer: Result<(u16, String), CallError>,
    /// How long it took.
    pub took: Duration,
}
