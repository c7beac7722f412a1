//! A policy that is a program: it reads requests, one JSON object a line, from its stdin, and
//! answers each with one line on its stdout. `runner guide programs` describes the protocol.
//!
//! From the ground: `trouble` (what can be wrong with an answer), `process` (the child process and
//! its pipes), `message` (what is said and answered), `ahead` (what is said
//! before earlier answers are read), `program` (the policy).
//!
//! Timeouts of a child process are of the machine's time, also in a virtual world: they change
//! no result but that a late answer is an error.
//!
//! Must not know: loops, scenarios, draws. The action is drawn by who asks.

mod ahead;
mod message;
#[cfg_attr(not(unix), path = "process_elsewhere.rs")]
mod process;
mod program;
#[cfg(unix)]
mod tail;
mod trouble;

/// The JSON Schema of the lines.
pub const SCHEMA: &str = include_str!("protocol.schema.json");

pub use message::LearnedEvent;
pub use program::{Command, Program, RankedEvent};
