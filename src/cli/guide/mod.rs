//! `runner guide`: pages for people who want to get something done.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::error::Error;
use super::exit::Exit;
use super::{output_file, streams};
use site::Guide;

/// `runner guide`
#[derive(Debug, Clone, Args)]
pub struct GuideArguments {
    /// The topic; without it, the topics are listed.
    topic: Option<Topic>,
    /// Write all topics to this folder, as a static site.
    #[arg(long, value_name = "DIR", conflicts_with = "topic")]
    html: Option<PathBuf>,
}

/// What there is a guide to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Topic {
    /// From a scenario to a verdict, in five steps with pictures.
    Tour,
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
            Self::Tour => include_str!("tour.md"),
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

/// Where the files of the project are shown.
const REPOSITORY: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main");

/// The pictures of the pages, by their paths in the site.
const PICTURES: [(&str, &[u8]); 5] = [
    ("pictures/baseline.svg", include_bytes!("../../../results/baseline.svg")),
    ("pictures/policies-success.svg", include_bytes!("pictures/policies-success.svg")),
    ("pictures/policies-difference.svg", include_bytes!("pictures/policies-difference.svg")),
    ("pictures/report.png", include_bytes!("pictures/report.png")),
    ("pictures/serve.png", include_bytes!("pictures/serve.png")),
];

/// Prints a page, or the list of pages; or writes all as a site.
pub fn guide(arguments: &GuideArguments) -> Result<Exit, Error> {
    if let Some(folder) = &arguments.html {
        return write_site(folder);
    }
    match arguments.topic {
        Some(topic) => streams::tell_prose(topic.page())?,
        None => streams::tell(&topics())?,
    }
    Ok(Exit::Done)
}

fn write_site(folder: &Path) -> Result<Exit, Error> {
    let values = Topic::value_variants().iter();
    let named: Vec<(String, String, Topic)> = values
        .filter_map(|topic| {
            let value = topic.to_possible_value()?;
            Some((value.get_name().to_owned(), about(&value), *topic))
        })
        .collect();
    let guides: Vec<Guide<'_>> = named
        .iter()
        .map(|(name, about, topic)| Guide {
            name,
            about,
            folder: if *topic == Topic::Results { "results" } else { "src/cli/guide" },
            text: topic.page(),
        })
        .collect();
    for page in site::pages(&guides, REPOSITORY) {
        output_file::write(&folder.join(page.file), &page.html)?;
    }
    for (name, picture) in PICTURES {
        output_file::write_with(&folder.join(name), |file| file.write_all(picture))?;
    }
    streams::tell(&format!("{}\n", folder.join("index.html").display()))?;
    Ok(Exit::Done)
}

fn about(value: &PossibleValue) -> String {
    value.get_help().map(ToString::to_string).unwrap_or_default()
}

fn topics() -> String {
    let values = Topic::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let line = |value: PossibleValue| format!("  {:<12}{}\n", value.get_name(), about(&value));
    "runner guide TOPIC\n\n".to_owned() + &values.map(line).collect::<String>()
}
