//! `runner guide`: pages for people who want to get something done.

use clap::{Args, ValueEnum};

use super::error::Error;
use super::exit::Exit;
use super::streams;

/// `runner guide`
#[derive(Debug, Clone, Args)]
pub struct GuideArguments {
    /// What it is about.
    topic: Topic,
}

/// What there is a guide to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Topic {
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
pub fn guide(arguments: &GuideArguments) -> Result<Exit, Error> {
    streams::print(arguments.topic.page())?;
    Ok(Exit::Done)
}
