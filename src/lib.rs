//! The command line of `runner`.
//!
//! The stable interface of this package is the program: its command line, the scenario format
//! and its machine-readable outputs, as `runner guide stability` says. This library and the
//! other `bandit-runner-*` crates are published because the program is built from them; their
//! Rust interfaces change without notice.

pub mod cli;
