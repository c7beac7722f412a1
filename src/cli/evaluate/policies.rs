//! Policies as they are given: `--policy [NAME=]ARGS`, or in a file.

use super::arguments::EvaluateArguments;
use super::models;
use crate::cli::text_file;
use diagnostic::{Diagnostic, Report, Source};
use evaluation::run::{Candidate, Origin, PolicyEvaluator};
use plan::NamedPolicy;
use scenario::policy_list;

/// The policies of `--policy` and `--policies`; what is wrong with them is reported.
pub fn collect(arguments: &EvaluateArguments, report: &mut Report) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for text in &arguments.policies {
        let source = Source::new("--policy", text.clone());
        let policy = policy_list::policy(&source, report);
        candidates.extend(policy.map(candidate));
    }
    for path in &arguments.policy_files {
        match text_file::read(path) {
            Ok(text) => {
                let source = Source::new(path.display().to_string(), text);
                let policies = policy_list::policies(&source, report);
                candidates.extend(policies.into_iter().map(candidate));
            }
            Err(error) => {
                let message = format!("policies `{}` cannot be read: {error}", path.display());
                let help = "expected lines of `NAME = ARGUMENTS`, or learning settings as JSON";
                report.push(Diagnostic::error(message).help(help));
            }
        }
    }
    models::check(&candidates, report);
    candidates.into_iter().filter_map(|candidate| models::start(candidate, report)).collect()
}

fn candidate(NamedPolicy { name, policy }: NamedPolicy) -> Candidate {
    Candidate { name, policy, origin: Origin::Given, model: None }
}

/// Refuses names that are used twice.
pub fn check_names(candidates: &[Candidate], logged: &[String], report: &mut Report) {
    let fixed: Vec<String> =
        PolicyEvaluator::fixed().into_iter().map(|policy| policy.name).collect();
    let names = candidates.iter().map(|candidate| &candidate.name).chain(logged);
    for (index, name) in names.clone().enumerate() {
        if fixed.iter().any(|fixed| fixed.eq_ignore_ascii_case(name)) {
            let message = format!("`{name}` is the name of a row that every evaluation has");
            report.push(Diagnostic::error(message).help("give the policy another name"));
        }
        if names.clone().take(index).any(|other| other == name) {
            let message = format!("two policies are called `{name}`");
            report.push(Diagnostic::error(message).help("name them: `--policy NAME=ARGS`"));
        }
    }
}
