//! Models of Vowpal Wabbit that policies start from (`-i`) and leave (`-f`).

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use diagnostic::{Diagnostic, Report};
use evaluation::run::{Candidate, PolicyEvaluator};
use learner::{VwModel, VwModelError};
use tempfile::NamedTempFile;

/// A model of 2^28 weights is no larger.
const LARGEST_MODEL: u64 = 8 << 30;

/// Reads the model that a policy starts from, and takes its options over.
pub fn start(mut candidate: Candidate, report: &mut Report) -> Option<Candidate> {
    let Some(policy) = candidate.policy.vowpal_wabbit().cloned() else { return Some(candidate) };
    let Some(path) = policy.model_files().initial.clone() else { return Some(candidate) };
    let mut refuse = |message: String, help: &str| {
        let message = format!("model `{path}` of policy `{}` {message}", candidate.name);
        report.push(Diagnostic::error(message).help(help));
        None
    };
    let bytes = match read(Path::new(&path)) {
        Ok(bytes) => bytes,
        Err(error) => return refuse(format!("cannot be read: {error}"), "`-i` names a file"),
    };
    let load = || {
        let model = VwModel::read(&bytes)?;
        let policy = model.policy(policy.arguments())?;
        let learner = model.learner(&policy)?;
        Ok((policy, learner))
    };
    match load() {
        Ok((policy, learner)) => {
            candidate.policy = policy.into();
            candidate.model = Some(learner);
            Some(candidate)
        }
        Err(error @ VwModelError::Option { .. }) => {
            refuse(format!("cannot be used: {error}"), "leave the option out: the model has it")
        }
        Err(error) => {
            let help = "expected a model that Vowpal Wabbit 9.11.9 or `runner evaluate` wrote";
            refuse(format!("cannot be used: {error}"), help)
        }
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST_MODEL + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_MODEL {
        return Err(io::Error::other("it is larger than any model"));
    }
    Ok(bytes)
}

/// Refuses two models in one file, and folders that do not exist.
pub fn check(candidates: &[Candidate], report: &mut Report) {
    let policies = || candidates.iter().filter_map(|candidate| candidate.policy.vowpal_wabbit());
    let files = || policies().filter_map(|policy| policy.model_files().last.as_ref());
    for (index, file) in files().enumerate() {
        if files().take(index).any(|other| other == file) {
            let message = format!("two policies write their models to `{file}`");
            report.push(Diagnostic::error(message).help("give each `-f` a file of its own"));
        }
        let folder = folder(Path::new(file));
        if !fs::metadata(folder).is_ok_and(|metadata| metadata.is_dir()) {
            let message = format!("the folder of `-f {file}` does not exist");
            report.push(Diagnostic::error(message).help("create it first"));
        }
    }
}

/// Writes the models that policies leave.
pub fn write(evaluators: &mut [PolicyEvaluator]) -> io::Result<()> {
    for evaluator in evaluators {
        let last = evaluator.vowpal_wabbit().and_then(|policy| policy.model_files().last.clone());
        let Some((path, model)) = last.zip(evaluator.vw_model()) else { continue };
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{path}: {error}"));
        let mut file = NamedTempFile::new_in(folder(Path::new(&path))).map_err(named)?;
        file.write_all(&model).map_err(named)?;
        file.persist(&path).map_err(|error| named(error.error))?;
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
