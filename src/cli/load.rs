use std::path::Path;

use super::arguments::ScenarioArguments;
use scenario::{self, Scenario};

/// The scenario at `path`; its mistakes and warnings go to stderr.
pub fn scenario(path: &Path, changes: &ScenarioArguments) -> Option<Scenario> {
    let environment = |name: &str| std::env::var(name).ok();
    match scenario::read(path, &changes.options(), &environment) {
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
