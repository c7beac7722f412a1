//! Scenarios as commands are given them: a file, and options that change it.

use std::path::Path;

use clap::Args;

use super::error::Error;
use super::streams;
use diagnostic::{Report, nearest};
use plan::OutputForm;
use plan::Plan;
use scenario::{self, Experiment, LoadOptions, Scenario, Variant};

/// So many variants of a matrix are named in a message.
const MOST_NAMES: usize = 8;

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

/// Which run of a matrix a command makes that makes one.
#[derive(Debug, Clone, Args)]
pub struct VariantArgument {
    /// Of a matrix, the variant of this name, under its first seed.
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
}

impl VariantArgument {
    /// The plan of the run.
    pub fn plan(&self, scenario: Scenario) -> Result<Plan, Error> {
        match (scenario, &self.variant) {
            (Scenario::Run(plan), None) => Ok(*plan),
            (Scenario::Run(_), Some(_)) => {
                Err(Error::usage("`--variant` names one of a matrix, and the scenario has none"))
            }
            (Scenario::Experiment(experiment), name) => {
                let variant = variant(&experiment, name.as_deref())?;
                let cell = experiment.cells.iter().find(|cell| cell.variant == variant);
                Ok(experiment.plan(*cell.expect("each variant has a cell")))
            }
        }
    }
}

/// The variant of this name; without a name, the only one.
fn variant(experiment: &Experiment, name: Option<&str>) -> Result<usize, Error> {
    let names: Vec<String> = experiment.variants.iter().map(Variant::name).collect();
    let known = || {
        let shown = names.iter().take(MOST_NAMES).map(|name| format!("`{name}`"));
        let others = names.len().saturating_sub(MOST_NAMES);
        let others = (others > 0).then(|| format!("{others} more"));
        shown.chain(others).collect::<Vec<_>>().join(", ")
    };
    match name {
        None if names.len() == 1 => Ok(0),
        None => Err(Error::usage("a matrix is many runs, and this command makes one")
            .help(format!("say with `--variant` which one: {}", known()))),
        Some(name) => names.iter().position(|known| known == name).ok_or_else(|| {
            let unknown = Error::usage(format!("the matrix has no variant `{name}`"));
            match nearest(name, names.iter().map(String::as_str)) {
                Some(nearest) => unknown.help(format!("did you mean `{nearest}`?")),
                None => unknown.help(format!("it has: {}", known())),
            }
        }),
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
