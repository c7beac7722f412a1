//! Scenarios as commands are given them: a file, and options that change it.

use std::path::Path;

use clap::Args;

use super::error::Error;
use super::streams;
use diagnostic::Report;
use scenario::plan::OutputForm;
use scenario::{self, LoadOptions, Scenario};

/// Options that change a scenario.
#[derive(Debug, Clone, Args)]
pub struct ScenarioArguments {
    /// Use this seed instead of the scenario's.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Set a value of the scenario, such as `phases.baseline.rate=50/s`.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    overrides: Vec<String>,
    /// Let the scenario read files outside the folder above its own.
    #[arg(long)]
    allow_paths: bool,
}

impl ScenarioArguments {
    /// The same for the reader of scenarios.
    pub fn options(&self) -> LoadOptions {
        LoadOptions {
            overrides: self.overrides.clone(),
            seed: self.seed,
            allow_paths: self.allow_paths,
        }
    }

    /// The same as words of a command line.
    pub fn words(&self) -> Vec<String> {
        let seed = self.seed.map(|seed| ["--seed".to_owned(), seed.to_string()]);
        let set = |change: &String| ["--set".to_owned(), change.clone()];
        let mut words: Vec<String> = seed.into_iter().flatten().collect();
        words.extend(self.overrides.iter().flat_map(set));
        words.extend(self.allow_paths.then(|| "--allow-paths".to_owned()));
        words
    }
}

/// Reads the scenario at `path`; its warnings go to stderr.
pub fn scenario(path: &Path, changes: &ScenarioArguments) -> Result<Scenario, Error> {
    let (scenario, warnings) = read(path, &changes.options())?;
    streams::explain(&warnings);
    Ok(scenario)
}

/// The same without its warnings: for one that was read before.
pub fn scenario_again(path: &Path, options: &LoadOptions) -> Result<Scenario, Error> {
    Ok(read(path, options)?.0)
}

/// Everything that is wrong with a scenario; its warnings are left out.
pub fn mistakes(path: &Path, options: &LoadOptions) -> Report {
    let environment = |name: &str| std::env::var(name).ok();
    scenario::read(path, options, &environment).err().unwrap_or_default()
}

fn read(path: &Path, options: &LoadOptions) -> Result<(Scenario, Report), Error> {
    let environment = |name: &str| std::env::var(name).ok();
    let (scenario, warnings) = scenario::read(path, options, &environment)?;
    refuse_parquet(&scenario)?;
    Ok((scenario, warnings))
}

/// Refuses what this build cannot write.
fn refuse_parquet(scenario: &Scenario) -> Result<(), Error> {
    let outputs = match scenario {
        Scenario::Run(plan) => &plan.outputs,
        Scenario::Experiment(experiment) => &experiment.scenario().outputs,
    };
    if cfg!(feature = "parquet") || outputs.events != OutputForm::Parquet {
        return Ok(());
    }
    let error = Error::usage("this build of `runner` cannot write `outputs: { events: parquet }`");
    Err(error.help(
        "build it with `--features parquet`, as release archives and wheels are, or use `csv.zst`",
    ))
}
