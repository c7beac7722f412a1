//! Cells of CSV files.

use std::time::Duration;

use crate::metrics::micros;

/// Guards a text of the user against spreadsheets, which take what starts with one of
/// `= + - @`, a tab or a carriage return for a formula: an apostrophe is put before it.
/// Numbers are no formulas. [`unguard`] takes it away again.
pub(super) fn guard(text: &str) -> String {
    if looks_like_formula(text) { format!("'{text}") } else { text.to_owned() }
}

/// The text that was guarded.
pub(super) fn unguard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if looks_like_formula(text) => text,
        _ => cell,
    }
}

/// Apostrophes before it do not make it look better: else [`unguard`] could not tell a
/// guard from what was there before.
fn looks_like_formula(text: &str) -> bool {
    let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
    !is_number && text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// What is absent is an empty cell.
pub(super) fn optional<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A time in whole microseconds.
pub(super) fn time(duration: Duration) -> String {
    micros(duration).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_guarded_and_numbers_are_not() {
        assert_eq!(guard("=1+1"), "'=1+1");
        assert_eq!(guard("@home"), "'@home");
        assert_eq!(guard("-5.5"), "-5.5");
        assert_eq!(guard("Alice"), "Alice");
        assert_eq!(guard("'tis"), "'tis");
    }

    proptest::proptest! {
        #[test]
        fn unguard_is_the_inverse_of_guard(text in "['=+@\t\r-]{0,3}[0-9a-z.]{0,3}") {
            let guarded = guard(&text);
            proptest::prop_assert_eq!(unguard(&guarded), text);
        }
    }
}
