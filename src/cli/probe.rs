//! `runner probe`: one round with a service, step by step.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::error::Error;
use super::exit::Exit;
use super::load::{self, ScenarioArguments, VariantArgument};
use super::shown_call;
use super::streams;
use clock::WallClock;
use engine::{Decided, FirstRound};
use plan::Plan;
use plan::{HttpPlan, TargetPlan};
use target::{CallError, Delivery, Exchange, HttpTarget, MappedTarget, Target};
use timestamp::elapsed;

/// `runner probe`
#[derive(Debug, Clone, Args)]
pub struct ProbeArguments {
    /// The scenario, whose target is a service.
    #[arg(value_name = "FILE")]
    scenario: PathBuf,
    #[command(flatten)]
    changes: ScenarioArguments,
    #[command(flatten)]
    variant: VariantArgument,
}

/// Makes the first iteration of a scenario, and explains each step.
pub fn probe(arguments: &ProbeArguments) -> Result<Exit, Error> {
    let scenario = load::scenario(&arguments.scenario, &arguments.changes)?;
    let plan = arguments.variant.plan(scenario)?;
    let TargetPlan::Http(http) = &plan.target else {
        return Err(Error::usage(
            "the target is the loop inside, of which nothing is to be found out",
        )
        .help("`runner probe` is for a target with a `url`"));
    };
    let round = FirstRound::of(&plan)
        .ok_or_else(|| Error::usage("no phase of the scenario is an `iterate`"))?;
    if round.slots().is_some() {
        return Err(Error::usage("the first phase has slots, and a probe asks for one action")
            .help("`runner check --show-request` shows what is sent"));
    }
    let exit = world::block_on(probe_http(&plan, http, &round))
        .map_err(|error| Error::new(Exit::Target, error))??;
    Ok(exit)
}

async fn probe_http(plan: &Plan, http: &HttpPlan, round: &FirstRound<'_>) -> Result<Exit, Error> {
    let clock = WallClock::start_now();
    let unusable = |error: CallError| Error::new(Exit::Target, error);
    let Some(mapping) = &http.mapping else {
        let target = HttpTarget::new(http, plan.seed, clock).map_err(unusable)?.traced();
        return steps(plan, &target, round, &|| target.take_trace()).await;
    };
    let target = MappedTarget::new(http, mapping, plan.seed, clock, false);
    let target = target.map_err(unusable)?.traced();
    let outcome = steps(plan, &target, round, &|| target.take_trace()).await;
    if mapping.teardown.is_empty() {
        return outcome;
    }
    let made = target.teardown().await.map(|()| "the service is as it was".to_owned());
    let torn_down = step("teardown", &target.take_trace(), &made);
    outcome.and_then(|exit| torn_down.map(|()| exit))
}

/// The steps of an iteration, each with its calls.
async fn steps<T: Target>(
    plan: &Plan,
    target: &T,
    round: &FirstRound<'_>,
    trace: &dyn Fn() -> Vec<Exchange>,
) -> Result<Exit, Error> {
    streams::tell(&visitor(plan, round))?;
    let reached = target.preflight().await.map(|()| "the service can be used".to_owned());
    step("preflight", &trace(), &reached)?;
    let answer = target.rank(round.address(), round.request()).await;
    let decided = answer.and_then(|answer| round.read(answer));
    let name = |index: usize| plan.actions[index].id.to_string();
    step("rank", &trace(), &decided.as_ref().map(|it| decision(it, &name)).map_err(Clone::clone))?;
    let Ok(Decided { action, .. }) = decided else { return Ok(Exit::Target) };
    let reward = round.reward(action);
    let told = target.reward(round.address(), round.event_id(), reward).await;
    let told = told.map(|delivery| match delivery {
        Delivery::Sent => format!("the reward {reward} was taken"),
        Delivery::NotSent => format!("the service is not told of the reward {reward}"),
    });
    step("reward", &trace(), &told)?;
    Ok(Exit::Done)
}

fn visitor(plan: &Plan, round: &FirstRound<'_>) -> String {
    let dimensions = plan.population.dimensions.iter().zip(round.context());
    let context: Vec<String> =
        dimensions.map(|(dimension, value)| format!("{dimension}={value}")).collect();
    format!(
        "the first iteration of `{}`: event {}, {}, who prefers `{}`\n",
        round.phase(),
        round.event_id(),
        context.join(" "),
        plan.actions[round.preferred()].id,
    )
}

fn decision(decided: &Decided, name: &dyn Fn(usize) -> String) -> String {
    let probability = match decided.probability {
        Some(probability) => format!(" with probability {probability}"),
        None => ", with what probability is not given".to_owned(),
    };
    format!("chose `{}` (index {}){probability}", name(decided.action), decided.action)
}

/// Prints a step: its calls, and what it gave; ends the probe where it failed.
fn step(name: &str, calls: &[Exchange], outcome: &Result<String, CallError>) -> Result<(), Error> {
    let mut text = format!("\n{name}\n");
    for Exchange { call, answer, took } in calls {
        text += &shown_call::text(call);
        let took = elapsed(took.as_secs_f64() * 1e6);
        // Writing to a text cannot fail.
        _ = match answer {
            Ok((status, body)) => {
                writeln!(text, "  answered {status} after {took}{}", shown_call::body(body))
            }
            Err(error) => writeln!(text, "  failed after {took}: {}", error.kind),
        };
    }
    match outcome {
        Ok(said) => streams::tell(&format!("{text}  {said}\n"))?,
        Err(error) => {
            streams::tell(&text)?;
            return Err(Error::new(Exit::Target, format!("{name}: {error}")));
        }
    }
    Ok(())
}
