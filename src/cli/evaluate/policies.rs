//! Policies as they are given: `--policy [NAME=]ARGS`, or in a file.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::cli::arguments::EvaluateArguments;
use crate::diagnostic::{Diagnostic, Report, Source};
use crate::evaluation::stream::{self, Candidate, Player};
use crate::learner::LearningPolicy;
use crate::protocol::PolicyContract;

/// The policies of `--policy` and `--policies`; what is wrong with them is reported.
pub fn collect(arguments: &EvaluateArguments, report: &mut Report) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for text in &arguments.policies {
        let source = Source::new("--policy", text.clone());
        candidates.extend(one(&source, 0..text.len(), report));
    }
    for path in &arguments.policy_files {
        match fs::read_to_string(path) {
            Ok(text) => candidates.extend(of_file(path, &text, report)),
            Err(error) => {
                let message = format!("policies `{}` cannot be read: {error}", path.display());
                let help = "expected lines of `NAME = ARGUMENTS`, or learning settings as JSON";
                report.push(Diagnostic::error(message).help(help));
            }
        }
    }
    check_names(&candidates, report);
    candidates
}

fn of_file(path: &Path, text: &str, report: &mut Report) -> Vec<Candidate> {
    let source = Source::new(path.display().to_string(), text);
    if text.trim_start().starts_with(['{', '[']) {
        return of_json(&source, report);
    }
    let mut candidates = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim();
        if !content.is_empty() && !content.starts_with('#') {
            let from = start + line.find(content).unwrap_or(0);
            candidates.extend(one(&source, from..from + content.len(), report));
        }
        start += line.len();
    }
    candidates
}

/// Learning settings as the service exports them: one or several.
fn of_json(source: &Arc<Source>, report: &mut Report) -> Vec<Candidate> {
    let one = serde_json::from_str(source.text()).map(|contract: PolicyContract| vec![contract]);
    let contracts = one.or_else(|_| serde_json::from_str::<Vec<PolicyContract>>(source.text()));
    let contracts = match contracts {
        Ok(contracts) => contracts,
        Err(error) => {
            let message = format!("`{}` holds no learning settings: {error}", source.path());
            let help = r#"expected {"name": "…", "arguments": "--cb_explore_adf …"}, or a list"#;
            report.push(Diagnostic::error(message).help(help));
            return Vec::new();
        }
    };
    let parsed = contracts.into_iter().filter_map(|contract| {
        let arguments = Source::new(source.path(), contract.arguments.clone());
        policy(&arguments, 0..contract.arguments.len(), report)
            .map(|policy| candidate(contract.name, policy))
    });
    parsed.collect()
}

/// The policy `[NAME=]ARGS` in a part of a text. Arguments begin with a dash, names do not.
fn one(source: &Arc<Source>, span: Range<usize>, report: &mut Report) -> Option<Candidate> {
    let text = &source.text()[span.clone()];
    let name_end = text.find('=').filter(|_| !text.trim_start().starts_with('-'));
    let arguments_start = name_end.map_or(0, |end| end + 1);
    let policy = policy(source, span.start + arguments_start..span.end, report)?;
    let name = name_end.map_or(policy.arguments(), |end| text[..end].trim()).to_owned();
    Some(candidate(name, policy))
}

fn candidate(name: String, policy: LearningPolicy) -> Candidate {
    Candidate { name, policy, source: stream::Source::Given }
}

fn policy(source: &Arc<Source>, span: Range<usize>, report: &mut Report) -> Option<LearningPolicy> {
    match LearningPolicy::parse(&source.text()[span.clone()]) {
        Ok(policy) => {
            note_dropped(source, &policy, report);
            Some(policy)
        }
        Err(errors) => {
            for error in errors {
                let within = span.start + error.span.start..span.start + error.span.end;
                let mistake = Diagnostic::error(error.message).within(source, within);
                report.push(mistake.maybe_help(error.help));
            }
            None
        }
    }
}

fn note_dropped(source: &Arc<Source>, policy: &LearningPolicy, report: &mut Report) {
    if !policy.dropped().is_empty() {
        let dropped = policy.dropped().join(" ");
        let message = format!("{}: `{dropped}` steers Vowpal Wabbit, not learning", source.path());
        report.push(Diagnostic::warning(message).help("leave it out; it has no effect here"));
    }
}

fn check_names(candidates: &[Candidate], report: &mut Report) {
    let fixed: Vec<String> = Player::fixed().into_iter().map(|player| player.name).collect();
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
