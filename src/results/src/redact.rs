//! What a folder keeps of the scenario: its text and what the command line changed,
//! without secrets. `${KEY}` stays as it was written; a key that was written out does
//! not.

use plan::Plan;

/// The text of the scenario, and below it what was changed.
pub(super) fn scenario(plan: &Plan) -> String {
    let mut text = plan.source.text.clone();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    if !plan.source.overrides.is_empty() {
        text.push_str("# changed on the command line:\n");
    }
    for change in &plan.source.overrides {
        text.extend(["#   ", &change.replace(['\n', '\r'], " "), "\n"]);
    }
    plan.redactor().redact(&text)
}

/// Takes secrets out of what was changed.
pub(super) fn overrides(plan: &Plan, overrides: &mut [String]) {
    for change in overrides {
        *change = plan.redactor().redact(change);
    }
}
