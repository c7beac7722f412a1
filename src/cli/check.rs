use std::path::PathBuf;

use clap::Args;

use super::console::plural;
use super::error::Error;
use super::exit::Exit;
use super::load::{self, ScenarioArguments};
use super::{experiment, shown_call, streams};
use clock::WallClock;
use engine::FirstRound;
use plan::Plan;
use plan::{Phase, Step, TargetPlan};
use scenario::Scenario;
use target::{CallError, HttpTarget, MappedTarget, ShownCall};

/// `runner check`
#[derive(Debug, Clone, Args)]
pub struct CheckArguments {
    /// The scenarios.
    #[arg(value_name = "FILE", required = true)]
    scenarios: Vec<PathBuf>,
    #[command(flatten)]
    changes: ScenarioArguments,
    /// Print the first Rank and the first Reward as they would be sent to the service.
    #[arg(long)]
    show_request: bool,
}

/// Checks every scenario, those after a mistake as well.
pub fn check(arguments: &CheckArguments) -> Result<Exit, Error> {
    let mut exit = Exit::Done;
    for path in &arguments.scenarios {
        match load::scenario(path, &arguments.changes) {
            Ok(scenario) => {
                streams::tell(&format!("{}: ok: {}\n", path.display(), content(&scenario)))?;
                streams::tell(&of_each(&scenario, |plan| Ok(mapped(plan)))?)?;
                if arguments.show_request {
                    streams::print(&of_each(&scenario, requests)?)?;
                }
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

/// What is said of the plan; of live targets that are compared, under the name of each, unless one
/// text says it of all.
fn of_each(
    scenario: &Scenario,
    said: impl Fn(&Plan) -> Result<String, Error>,
) -> Result<String, Error> {
    let Scenario::Experiment(experiment) = scenario else { return said(scenario.plan()) };
    let named = experiment.variants.iter().map(|of| Ok((of.name(), said(&of.plan)?)));
    let named = named.collect::<Result<Vec<_>, Error>>()?;
    let first = &named[0].1;
    if experiment.live.is_none() || named.iter().all(|(_, text)| text == first) {
        return Ok(first.clone());
    }
    let told = named.into_iter().filter(|(_, text)| !text.is_empty());
    Ok(told.fold(String::new(), |told, (name, text)| told + &name + ":\n" + &text))
}

/// What a service of another shape is sent, and what follows from what it does not give.
fn mapped(plan: &Plan) -> String {
    let Some(mapping) = plan.target.mapping() else { return String::new() };
    let columns = mapping.columns().map(|columns| {
        format!("  vectors of `context`, {} columns: {}\n", columns.len(), columns.join(", "))
    });
    let notes = mapping.consequences().into_iter().map(|note| format!("  note: {note}\n"));
    columns.into_iter().chain(notes).collect()
}

/// The first Rank, and the Reward if the preferred action were chosen.
fn requests(plan: &Plan) -> Result<String, Error> {
    let TargetPlan::Http(http) = &plan.target else {
        return Ok("  the target is the loop inside: nothing is sent\n".to_owned());
    };
    let Some(round) = FirstRound::of(plan) else {
        return Ok("  no phase sends a request\n".to_owned());
    };
    let (action, reward) = (round.preferred(), round.reward(round.preferred()));
    let unusable = |error: CallError| Error::new(Exit::Target, error);
    let clock = WallClock::start_now();
    let calls = match &http.mapping {
        Some(mapping) => MappedTarget::new(http, mapping, plan.seed, clock, false)
            .and_then(|target| target.preview(round.request(), action, reward)),
        None => HttpTarget::new(http, plan.seed, clock).and_then(|target| match round.slots() {
            Some((request, rewards)) => target.preview_slots(&request, rewards),
            None => target.preview(round.request(), reward),
        }),
    };
    let shown = |(name, call): (&str, ShownCall)| format!("{name}\n{}", shown_call::text(&call));
    Ok(calls.map_err(unusable)?.into_iter().map(shown).collect())
}

fn describe(plan: &Plan) -> String {
    let counts = [
        (plan.phases.len() as u64, "phase"),
        (iterations(plan), "iteration"),
        (plan.population.rows.len() as u64, "visitor"),
        (plan.actions.len() as u64, "action"),
    ];
    let counts = counts.map(|(number, noun)| plural(number, noun)).join(", ");
    format!("{counts}, seed {}", plan.seed)
}

fn iterations(plan: &Plan) -> u64 {
    let of = |phase: &Phase| if let Step::Iterate(it) = &phase.step { it.iterations } else { 0 };
    plan.phases.iter().map(of).sum()
}
