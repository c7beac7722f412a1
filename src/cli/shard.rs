//! Which part of the work is run here, and what holds it to the plan of all.

use std::num::NonZero;
use std::path::{Path, PathBuf};

use super::error::Error;
use results::shard_name;
use scenario::{Scenario, WorkPlan};
use shard::{Shard, ShardChoice};
use timestamp::Timestamp;

/// The part of the work that is run here.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part {
    /// Which shard; none, if the work is not cut.
    pub shard: Option<Shard>,
    /// When every shard of a load starts.
    pub start_at: Option<Timestamp>,
}

/// The part that `--shard` asks for, held to the plan in the file `plan` if there is one.
pub fn part(
    choice: Option<ShardChoice>,
    plan: Option<&Path>,
    scenario: &Scenario,
) -> Result<Part, Error> {
    let plan = plan.map(WorkPlan::read).transpose()?;
    if let Some(plan) = &plan {
        hold(scenario, plan)?;
    }
    let planned = plan.as_ref().and_then(|plan| plan.shards);
    let environment = |name: &str| std::env::var(name).ok();
    let shard = choice.map(|choice| choice.resolve(planned, &environment)).transpose();
    let shard = shard.map_err(|error| Error::usage(error.message).help(error.help))?;
    if let (Some(shard), Some(planned)) = (shard, planned) {
        agree(shard, planned)?;
    }
    Ok(Part { shard, start_at: plan.and_then(|plan| plan.start_at) })
}

/// What stands for the name of the shard in `--out`.
const SHARD: &str = "{shard}";

/// The folder of the results, with the name of the shard in its place.
pub fn placed(out: PathBuf, shard: Option<Shard>) -> Result<PathBuf, Error> {
    let Some(text) = out.to_str().filter(|text| text.contains(SHARD)) else { return Ok(out) };
    match shard {
        Some(shard) => Ok(text.replace(SHARD, &shard_name(shard)).into()),
        None => {
            Err(Error::usage(format!("`--out {text}` names a shard, but no shard is selected"))
                .help("add `--shard k/n`"))
        }
    }
}

/// Refuses a scenario that asks for other work than the plan.
fn hold(scenario: &Scenario, plan: &WorkPlan) -> Result<(), Error> {
    let now = WorkPlan::new(scenario, plan.shards, plan.start_at)?;
    let differences = now.differences(plan);
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!("the scenario is not that of the plan\n{}", differences.join("\n"));
    let help = "run the scenario as it was planned, or make a new plan for all shards";
    Err(Error::usage(message).help(help))
}

fn agree(shard: Shard, planned: NonZero<u64>) -> Result<(), Error> {
    if shard.count() == planned {
        return Ok(());
    }
    let message = format!("the plan cuts the work into {planned} shards, not {}", shard.count());
    let help = format!("use `--shard k/{planned}`, or make a new plan");
    Err(Error::usage(message).help(help))
}
