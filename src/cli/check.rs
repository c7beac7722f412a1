use super::arguments::CheckArguments;
use super::{Exit, load, streams};
use crate::scenario::Plan;
use crate::scenario::plan::{Phase, Step};

/// `runner check`
pub fn check(arguments: &CheckArguments) -> Exit {
    let mut exit = Exit::Done;
    for path in &arguments.scenarios {
        match load::plan(path, &arguments.changes) {
            Some(plan) => {
                let printed = streams::print(&format!("{}: {}\n", path.display(), describe(&plan)));
                exit = if exit == Exit::Done { printed } else { exit };
            }
            None => exit = Exit::Usage,
        }
    }
    exit
}

fn describe(plan: &Plan) -> String {
    format!(
        "ok: {} phases, {} iterations, {} visitors, {} actions, seed {}",
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
