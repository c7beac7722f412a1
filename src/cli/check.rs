use super::arguments::CheckArguments;
use super::{Exit, experiment, load, streams};
use scenario::plan::{Phase, Step};
use scenario::{Plan, Scenario};

/// `runner check`
pub fn check(arguments: &CheckArguments) -> Exit {
    let mut exit = Exit::Done;
    for path in &arguments.scenarios {
        match load::scenario(path, &arguments.changes) {
            Some(scenario) => {
                let about = match scenario {
                    Scenario::Run(plan) => describe(&plan),
                    Scenario::Experiment(of) => {
                        format!("{}, each {}", experiment::size(&of), describe(of.scenario()))
                    }
                };
                let printed = streams::print(&format!("{}: ok: {about}\n", path.display()));
                exit = if exit == Exit::Done { printed } else { exit };
            }
            None => exit = Exit::Usage,
        }
    }
    exit
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
