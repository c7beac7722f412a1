//! `runner plan`

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;

use super::error::Error;
use super::exit::Exit;
use super::load::{self, ScenarioArguments};
use super::{output_file, streams};
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

/// Writes the plan of the work.
pub fn plan(arguments: &PlanArguments) -> Result<Exit, Error> {
    let scenario = load::scenario(&arguments.scenario, &arguments.changes)?;
    let plan = WorkPlan::new(&scenario, arguments.shards, arguments.start_at)?.bytes();
    let plan = String::from_utf8_lossy(&plan);
    match &arguments.out {
        Some(path) => output_file::write(path, &plan)?,
        None => streams::print(&plan)?,
    }
    Ok(Exit::Done)
}
