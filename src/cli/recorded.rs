//! The verdicts that a results folder records.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::Value;

/// How many verdicts of a kind passed.
#[derive(Debug, Clone, Copy)]
pub struct VerdictCount {
    /// `expectation` or `gate`.
    pub noun: &'static str,
    /// What a passing one is called: `held` or `pass`.
    pub good: &'static str,
    pub passed: usize,
    pub all: usize,
}

impl VerdictCount {
    /// `4 expectations held`, `1 of 4 gates did not pass`
    pub fn in_words(&self) -> String {
        let Self { noun, good, passed, all } = *self;
        let plural = if all == 1 { "" } else { "s" };
        if passed == all {
            let past = if good == "held" { good } else { "passed" };
            return format!("{all} {noun}{plural} {past}");
        }
        let verb = if good == "held" { "hold" } else { good };
        format!("{} of {all} {noun}{plural} did not {verb}", all - passed)
    }
}

/// The expectations of a run, or the gates of an experiment; empty where nothing was judged.
///
/// # Errors
/// A file that exists and cannot be read: its verdicts must not look like none.
pub fn verdicts(folder: &Path) -> Result<Vec<VerdictCount>, String> {
    let kinds = [
        ("summary.json", "expectations", "holds", "held", "expectation"),
        ("comparison.json", "gates", "outcome", "pass", "gate"),
    ];
    let mut counts = Vec::new();
    for (file, key, field, good, noun) in kinds {
        let document = document(folder, file)?;
        let items = document[key].as_array().map_or(&[][..], Vec::as_slice);
        let passed = items.iter().filter(|item| item[field] == good).count();
        if !items.is_empty() {
            counts.push(VerdictCount { noun, good, passed, all: items.len() });
        }
    }
    Ok(counts)
}

/// A file of a folder as JSON; null, if it does not exist.
///
/// # Errors
/// When it cannot be read.
pub fn document(folder: &Path, name: &str) -> Result<Value, String> {
    let path = folder.join(name);
    let failed = |error: &dyn std::error::Error| format!("{}: {error}", path.display());
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| failed(&error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Value::Null),
        Err(error) => Err(failed(&error)),
    }
}
