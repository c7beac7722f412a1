//! The `loop:` of a scenario in a file of its own.

use std::path::Path;

use super::document::{interpolate, yaml};
use super::file::{self, Files, LARGEST_SCENARIO};
use super::format::Reading;
use super::model::learning_loop;
use ::policy::Policy;
use diagnostic::Report;
use protocol::ServiceConfiguration;

/// Reads the file at `path`, which has the keys of a scenario's `loop:`, as the settings
/// and the learning policy of a loop. With them come warnings.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_loop(
    path: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(ServiceConfiguration, Policy, Report), Report> {
    let shown = path.display().to_string();
    let source = file::read(path, &shown, LARGEST_SCENARIO)?;
    let mut report = Report::new();
    let Some(mut root) = yaml::read(&source, &mut report) else { return Err(report) };
    interpolate(&mut root, environment, &mut report);
    // A program runs in the folder of the file.
    let files = Files::of(path, false);
    let mut reading = Reading::new(&mut report, Some(&files));
    let file = reading.document(&learning_loop(), &root, "the loop");
    report.sort();
    match file {
        Some(file) if !report.has_errors() => {
            let (configuration, policy) = file.start();
            Ok((configuration, policy, report))
        }
        _ => Err(report),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<(ServiceConfiguration, Policy), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("loop.yaml");
        std::fs::write(&path, text).unwrap();
        match load_loop(&path, &|_| None) {
            Ok((configuration, policy, _)) => Ok((configuration, policy)),
            Err(report) => Err(report.render(false)),
        }
    }

    #[test]
    fn what_is_named_is_set_and_the_rest_is_a_new_services() {
        let (configuration, policy) =
            load("reward_wait_time: 15s\nreward_aggregation: sum\n").unwrap();
        assert_eq!(configuration.reward_wait_time.to_string(), "PT15S");
        assert_eq!(configuration.model_export_frequency.to_string(), "PT5M");
        assert!(policy.arguments().contains("--epsilon 0.2"), "{}", policy.arguments());
    }

    #[test]
    fn mistakes_are_told_at_their_places() {
        let text = load("reward_wait: 15s\nlearning_policy: '--cats 4'\n").unwrap_err();
        assert!(text.contains("reward_wait") && text.contains("--cats"), "{text}");
        assert!(text.contains("loop.yaml:1") && text.contains("loop.yaml:2"), "{text}");
    }
}
