//! `runner guide`: pages for people who want to get something done.

use clap::ValueEnum;

use super::{Exit, streams};

/// What there is a guide to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Topic {
    /// How to compare two learning policies in CI.
    Comparing,
    /// How to run an experiment or a load on many machines, and what that costs.
    Scaling,
}

impl Topic {
    fn page(self) -> &'static str {
        match self {
            Self::Comparing => include_str!("comparing.md"),
            Self::Scaling => include_str!("scaling.md"),
        }
    }
}

/// Prints a page.
pub fn guide(topic: Topic) -> Exit {
    streams::print(topic.page())
}
