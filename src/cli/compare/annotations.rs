//! What a pull request shows at its top: workflow commands of GitHub.

use super::document::ComparisonDocument;
use super::gates;
use comparison::GateVerdict;

/// A line `::error …` for each gate that fails.
pub fn annotations(document: &ComparisonDocument) -> String {
    let failing = document.verdicts.iter().filter(|of| of.fails() || of.is_undecided());
    failing.map(annotation).collect()
}

fn annotation(verdict: &GateVerdict) -> String {
    let title = property(&format!("{} ({})", verdict.gate, gates::who(verdict)));
    let message = data(&format!("{} {}", gates::words(verdict), gates::observed(verdict)));
    format!("::error title={title}::{message}\n")
}

/// What may stand after the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What may stand in a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
