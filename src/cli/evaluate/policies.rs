//! Policies as they are given: `--policy [NAME=]ARGS`, or in a file.

use super::arguments::EvaluateArguments;
use super::models;
use crate::cli::text_file;
use diagnostic::{Diagnostic, Report, Source};
use evaluation::run::{Candidate, Origin, PolicyEvaluator};
use scenario::plan::NamedPolicy;
use scenario::policy_list;

/// The policies of `--policy` and `--policies`; what is wrong with them is reported.
pub fn collect(arguments: &EvaluateArguments, report: &mut Report) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for text in &arguments.policies {
        let source = Source::new("--policy", text.clone());
        candidates.extend(policy_list::policy(&source, report).map(candidate));
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
    check_names(&candidates, report);
    models::check(&candidates, report);
    candidates.into_iter().filter_map(|candidate| models::start(candidate, report)).collect()
}

fn candidate(NamedPolicy { name, policy }: NamedPolicy) -> Candidate {
    Candidate { name, policy, origin: Origin::Given, model: None }
}

fn check_names(candidates: &[Candidate], report: &mut Report) {
    let fixed: Vec<String> =
        PolicyEvaluator::fixed().into_iter().map(|policy| policy.name).collect();
    for (index, candidate) in candidates.iter().enumerate() {
        let name = &candidate.name;
        if fixed.iter().any(|fixed| fixed.eq_ignore_ascii_case(name)) {
            let message = format!("`{name}` is the name of a row that every evaluation has");
            report.push(Diagnostic::error(message).help("give the policy another name"));
        }
        if candidates[..index].iter().any(|other| other.name == *name) {
            let message = format!("two policies are called `{name}`");
            report.push(Diagnostic::error(message).help("name them: `--policy NAME=ARGS`"));
        }
    }
}
