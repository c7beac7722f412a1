use std::path::PathBuf;

use clap::Args;

use super::error::Error;
use super::exit::Exit;
use super::load::{self, ScenarioArguments};
use super::{experiment, streams};
use scenario::plan::{Phase, Step};
use scenario::{Plan, Scenario};

/// `runner check`
#[derive(Debug, Clone, Args)]
pub struct CheckArguments {
    /// The scenarios.
    #[arg(value_name = "FILE", required = true)]
    scenarios: Vec<PathBuf>,
    #[command(flatten)]
    changes: ScenarioArguments,
}

/// Checks every scenario, those after a mistake as well.
pub fn check(arguments: &CheckArguments) -> Result<Exit, Error> {
    let mut exit = Exit::Done;
    for path in &arguments.scenarios {
        match load::scenario(path, &arguments.changes) {
            Ok(scenario) => {
                streams::print(&format!("{}: ok: {}\n", path.display(), content(&scenario)))?;
            }
            Err(error) => exit = error.report(),
        }
    }
    Ok(exit)
}

/// What is in a scenario, in a line.
pub fn content(scenario: &Scenario) -> String {
    match scenario {
        Scenario::Run(plan) => describe(plan),
        Scenario::Experiment(of) => {
            format!("{}, each {}", experiment::size(of), describe(of.scenario()))
        }
    }
}

fn describe(plan: &Plan) -> String {
    format!(
        "{} phases, {} iterations, {} visitors, {} actions, seed {}",
        plan.phases.len(),
        iterations(plan),
        plan.population.rows.len(),
        plan.actions.len(),
        plan.seed,
    )
}

fn iterations(plan: &Plan) -> u64 {
    let of = |phase: &Phase| if let Step::Iterate(it) = &phase.step { it.iterations } else { 0 };
    plan.phases.iter().map(of).sum()
}
