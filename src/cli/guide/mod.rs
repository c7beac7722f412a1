//! `runner guide`: pages for people who want to get something done.

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::error::Error;
use super::exit::Exit;
use super::streams;

/// `runner guide`
#[derive(Debug, Clone, Args)]
pub struct GuideArguments {
    /// The topic; without it, the topics are listed.
    topic: Option<Topic>,
}

/// What there is a guide to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Topic {
    /// Write a scenario: visitors, actions, targets, phases, expectations.
    Scenarios,
    /// Worlds of clicks and prices, of actions that come and go, and of logs.
    Worlds,
    /// Compare two learning policies in CI, and choose the number of seeds.
    Comparing,
    /// Learning policies: the supported options of Vowpal Wabbit, linear ones.
    Policies,
    /// Write a learning policy as a program, in Python or any language.
    Programs,
    /// Evaluate policies on a log.
    Evaluating,
    /// Test a service of any shape: calls, keys, retries, arrival, failures; resume a run.
    Services,
    /// Audit the probabilities that a service claims, search its capacity, watch a run.
    Auditing,
    /// Serve the loop to code that was written for Azure Personalizer.
    Serving,
    /// Run an experiment or a load on many machines, and what that costs.
    Scaling,
    /// The files of a results folder.
    Results,
    /// Draw and track results with other programs: pandas, MLflow.
    Exporting,
    /// What is stable: the interface, and the exit codes.
    Stability,
}

impl Topic {
    fn page(self) -> &'static str {
        match self {
            Self::Scenarios => include_str!("scenarios.md"),
            Self::Worlds => include_str!("worlds.md"),
            Self::Comparing => include_str!("comparing.md"),
            Self::Policies => include_str!("policies.md"),
            Self::Programs => include_str!("programs.md"),
            Self::Evaluating => include_str!("evaluating.md"),
            Self::Services => include_str!("services.md"),
            Self::Auditing => include_str!("auditing.md"),
            Self::Serving => include_str!("serving.md"),
            Self::Scaling => include_str!("scaling.md"),
            Self::Results => include_str!("../../../results/README.md"),
            Self::Exporting => include_str!("exporting.md"),
            Self::Stability => include_str!("stability.md"),
        }
    }
}

/// Prints a page, or the list of pages.
pub fn guide(arguments: &GuideArguments) -> Result<Exit, Error> {
    match arguments.topic {
        Some(topic) => streams::print(topic.page())?,
        None => streams::print(&topics())?,
    }
    Ok(Exit::Done)
}

fn topics() -> String {
    let values = Topic::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let line = |value: PossibleValue| {
        let about = value.get_help().map(ToString::to_string).unwrap_or_default();
        format!("  {:<12}{about}\n", value.get_name())
    };
    "runner guide TOPIC\n\n".to_owned() + &values.map(line).collect::<String>()
}
