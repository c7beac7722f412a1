use std::path::Path;

use super::arguments::ScenarioArguments;
use crate::scenario::{self, LoadOptions, Plan};

/// The plan of the scenario at `path`; its mistakes and warnings go to stderr.
pub fn plan(path: &Path, changes: &ScenarioArguments) -> Option<Plan> {
    let options = LoadOptions {
        overrides: changes.overrides.clone(),
        seed: changes.seed,
        allow_paths: changes.allow_paths,
    };
    let environment = |name: &str| std::env::var(name).ok();
    match scenario::load(path, &options, &environment) {
        Ok((plan, warnings)) => {
            anstream::eprint!("{}", warnings.render(true));
            Some(plan)
        }
        Err(mistakes) => {
            anstream::eprint!("{}", mistakes.render(true));
            None
        }
    }
}
