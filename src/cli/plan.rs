//! `runner plan`

use std::fs;
use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;

use super::arguments::ScenarioArguments;
use super::{Exit, load, streams};
use scenario::WorkPlan;
use timestamp::Timestamp;

/// `runner plan`
#[derive(Debug, Clone, Args)]
pub struct PlanArguments {
    /// The scenario.
    #[arg(value_name = "FILE")]
    scenario: PathBuf,
    #[command(flatten)]
    changes: ScenarioArguments,
    /// Write the plan to this file [default: stdout].
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Into how many shards the work is cut.
    #[arg(long, value_name = "N")]
    shards: Option<NonZero<u64>>,
    /// When every shard of a load starts, such as `2026-01-01T12:00:00Z`.
    #[arg(long, value_name = "RFC3339")]
    start_at: Option<Timestamp>,
}

/// Writes down what there is to do.
pub fn plan(arguments: &PlanArguments) -> Exit {
    let Some(scenario) = load::scenario(&arguments.scenario, &arguments.changes) else {
        return Exit::Usage;
    };
    let plan = match WorkPlan::new(&scenario, arguments.shards, arguments.start_at) {
        Ok(plan) => plan,
        Err(mistakes) => {
            anstream::eprint!("{}", mistakes.render(true));
            return Exit::Usage;
        }
    };
    let Some(path) = &arguments.out else {
        return streams::print(&String::from_utf8_lossy(&plan.bytes()));
    };
    match fs::write(path, plan.bytes()) {
        Ok(()) => Exit::Done,
        Err(error) => {
            eprintln!("error: `{}` cannot be written: {error}", path.display());
            Exit::Results
        }
    }
}
