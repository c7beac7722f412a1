use std::path::Path;

use super::arguments::ScenarioArguments;
use crate::scenario::{self, LoadOptions, Scenario};

/// The scenario at `path`; its mistakes and warnings go to stderr.
pub fn scenario(path: &Path, changes: &ScenarioArguments) -> Option<Scenario> {
    let options = LoadOptions {
        overrides: changes.overrides.clone(),
        seed: changes.seed,
        allow_paths: changes.allow_paths,
    };
    let environment = |name: &str| std::env::var(name).ok();
    match scenario::read(path, &options, &environment) {
        Ok((scenario, warnings)) => {
            anstream::eprint!("{}", warnings.render(true));
            Some(scenario)
        }
        Err(mistakes) => {
            anstream::eprint!("{}", mistakes.render(true));
            None
        }
    }
}
