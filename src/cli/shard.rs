//! Which part of the work is run here, and what holds it to the plan of all.

use std::num::NonZero;

use super::Exit;
use super::arguments::RunArguments;
use diagnostic::{Diagnostic, Report};
use results::shard_name;
use scenario::{Scenario, WorkPlan};
use shard::Shard;
use timestamp::Timestamp;

/// The part of the work that is run here.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part {
    /// Which shard; none, if the work is not cut.
    pub shard: Option<Shard>,
    /// When every shard of a load starts.
    pub start_at: Option<Timestamp>,
}

/// The part that the arguments ask for, held to a plan if there is one. What is wrong goes
/// to stderr.
pub fn part(arguments: &RunArguments, scenario: &Scenario) -> Result<Part, Exit> {
    resolve(arguments, scenario).map_err(|mistakes| {
        anstream::eprint!("{}", mistakes.render(true));
        Exit::Usage
    })
}

/// What stands for the name of the shard in `--out`.
const SHARD: &str = "{shard}";

/// The arguments, with the name of the shard in its place. What is wrong goes to stderr.
pub fn placed(arguments: &RunArguments, shard: Option<Shard>) -> Result<RunArguments, Exit> {
    let out = arguments.out.as_ref().and_then(|out| out.to_str());
    let Some(out) = out.filter(|out| out.contains(SHARD)) else { return Ok(arguments.clone()) };
    let Some(shard) = shard else {
        let message = format!("`--out {out}` names a shard, and all of the work is to be run");
        let report = Report::from(Diagnostic::error(message).help("add `--shard k/n`"));
        anstream::eprint!("{}", report.render(true));
        return Err(Exit::Usage);
    };
    let out = out.replace(SHARD, &shard_name(shard));
    Ok(RunArguments { out: Some(out.into()), ..arguments.clone() })
}

fn resolve(arguments: &RunArguments, scenario: &Scenario) -> Result<Part, Report> {
    let plan = arguments.plan.as_deref().map(WorkPlan::read).transpose()?;
    if let Some(plan) = &plan {
        hold(scenario, plan)?;
    }
    let planned = plan.as_ref().and_then(|plan| plan.shards);
    let environment = |name: &str| std::env::var(name).ok();
    let shard = arguments.shard.map(|choice| choice.resolve(planned, &environment)).transpose();
    let shard = shard.map_err(|error| Diagnostic::error(error.message).help(error.help))?;
    if let (Some(shard), Some(planned)) = (shard, planned) {
        agree(shard, planned)?;
    }
    Ok(Part { shard, start_at: plan.and_then(|plan| plan.start_at) })
}

/// Refuses a scenario that asks for other work than the plan.
fn hold(scenario: &Scenario, plan: &WorkPlan) -> Result<(), Report> {
    let now = WorkPlan::new(scenario, plan.shards, plan.start_at)?;
    let differences = now.differences(plan);
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!("the scenario is not that of the plan\n{}", differences.join("\n"));
    let help = "run the scenario as it was planned, or make a new plan for all shards";
    Err(Diagnostic::error(message).help(help).into())
}

fn agree(shard: Shard, planned: NonZero<u64>) -> Result<(), Report> {
    if shard.count() == planned {
        return Ok(());
    }
    let message = format!("the plan cuts the work into {planned} shards, not {}", shard.count());
    let help = format!("use `--shard k/{planned}`, or make a new plan");
    Err(Diagnostic::error(message).help(help).into())
}
