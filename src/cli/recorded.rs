//! The verdicts that a results folder records.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::Value;

use super::console::Paint;

/// The verdicts of a kind, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerdictCount {
    kind: &'static VerdictKind,
    passed: usize,
    failed: usize,
    all: usize,
}

/// A kind of verdicts, and what is said of them.
#[derive(Debug, PartialEq, Eq)]
struct VerdictKind {
    /// The file that records them, and under which key.
    file: &'static str,
    key: &'static str,
    noun: &'static str,
    /// Under which key a verdict stands, and what it is if it passed or failed.
    field: &'static str,
    good: &'static str,
    bad: &'static str,
    /// What those that passed did, what those that failed did not.
    passed: &'static str,
    pass: &'static str,
    /// What is said of one that did neither, and of several.
    undecided: [&'static str; 2],
}

static KINDS: [VerdictKind; 2] = [
    VerdictKind {
        file: "summary.json",
        key: "expectations",
        noun: "expectation",
        field: "holds",
        good: "held",
        bad: "failed",
        passed: "held",
        pass: "hold",
        undecided: ["has no value to judge", "have no value to judge"],
    },
    VerdictKind {
        file: "comparison.json",
        key: "gates",
        noun: "gate",
        field: "outcome",
        good: "pass",
        bad: "fail",
        passed: "passed",
        pass: "pass",
        undecided: ["was not decided", "were not decided"],
    },
];

impl VerdictCount {
    /// Counts the verdicts of a kind in a document; nothing, if there are none.
    fn of(kind: &'static VerdictKind, document: &Value) -> Option<Self> {
        let items = document[kind.key].as_array().filter(|items| !items.is_empty())?;
        let count = |word: &str| items.iter().filter(|item| item[kind.field] == word).count();
        Some(Self { kind, passed: count(kind.good), failed: count(kind.bad), all: items.len() })
    }

    /// `4 expectations held`, `1 of 4 gates did not pass`, `2 of 4 gates were not decided`
    pub fn in_words(&self) -> String {
        let Self { kind, failed, all, .. } = *self;
        let noun = format!("{}{}", kind.noun, if all == 1 { "" } else { "s" });
        let some = |number: usize, what: &str| {
            (number > 0).then(|| format!("{number} of {all} {noun} {what}"))
        };
        let undecided = self.undecided();
        let doubtful = some(undecided, kind.undecided[usize::from(undecided > 1)]);
        let said = [some(failed, &format!("did not {}", kind.pass)), doubtful];
        let said: Vec<String> = said.into_iter().flatten().collect();
        if said.is_empty() { format!("{all} {noun} {}", kind.passed) } else { said.join(", ") }
    }

    /// Those that neither passed nor failed.
    fn undecided(&self) -> usize {
        self.all - self.passed - self.failed
    }

    pub fn paint(&self) -> Paint {
        match (self.failed, self.undecided()) {
            (0, 0) => Paint::Good,
            (0, _) => Paint::Doubtful,
            _ => Paint::Bad,
        }
    }
}

/// The expectations of a run, or the gates of an experiment; empty where nothing was judged.
///
/// # Errors
/// A file that exists and cannot be read: its verdicts must not look like none.
pub fn verdicts(folder: &Path) -> Result<Vec<VerdictCount>, String> {
    let mut counts = Vec::new();
    for kind in &KINDS {
        counts.extend(VerdictCount::of(kind, &document(folder, kind.file)?));
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_undecided_has_not_failed() {
        let [expectations, gates] = &KINDS;
        let told = |kind, document| VerdictCount::of(kind, &document).map(|of| of.in_words());
        let held = |words: &[&str]| {
            let items: Vec<Value> = words.iter().map(|word| json!({ "holds": word })).collect();
            told(expectations, json!({ "expectations": items })).unwrap_or_default()
        };
        assert_eq!(held(&[]), "");
        assert_eq!(held(&["held", "held"]), "2 expectations held");
        assert_eq!(held(&["held", "failed"]), "1 of 2 expectations did not hold");
        assert_eq!(
            held(&["no_samples", "no_samples"]),
            "2 of 2 expectations have no value to judge"
        );
        let outcomes = json!({ "gates": [{ "outcome": "fail" }, { "outcome": "inconclusive" }] });
        let said = "1 of 2 gates did not pass, 1 of 2 gates was not decided";
        assert_eq!(told(gates, outcomes), Some(said.to_owned()));
    }
}
