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
        let policy = policy_list::policy(&source, report);
        candidates.extend(policy.and_then(|policy| candidate(policy, report)));
    }
    for path in &arguments.policy_files {
        match text_file::read(path) {
            Ok(text) => {
                let source = Source::new(path.display().to_string(), text);
                let policies = policy_list::policies(&source, report);
                let all = policies.into_iter();
                candidates.extend(all.filter_map(|policy| candidate(policy, report)));
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

/// Logs are read as events that are hashed for Vowpal Wabbit.
fn candidate(NamedPolicy { name, policy }: NamedPolicy, report: &mut Report) -> Option<Candidate> {
    let Some(policy) = policy.vowpal_wabbit().cloned() else {
        let message = format!("`{name}` is not a policy of Vowpal Wabbit: logs are read for these");
        let help = "evaluate it in a scenario, in a `matrix` or by an `evaluate` phase";
        report.push(Diagnostic::error(message).help(help));
        return None;
    };
    Some(Candidate { name, policy, origin: Origin::Given, model: None })
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
