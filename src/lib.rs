//! The command line of `runner`.

pub mod cli;
