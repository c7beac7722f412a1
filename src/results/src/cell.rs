//! Cells of CSV files.

use std::fmt::{self, Write};
use std::time::Duration;

use metrics::micros;

/// Guards a text of the user against spreadsheets, which take what starts with one of
/// `= + - @`, a tab or a carriage return for a formula: an apostrophe is put before it.
/// Numbers are no formulas. [`unguard`] takes it away again.
pub(super) fn guard(text: &str) -> String {
    if looks_like_formula(text) { format!("'{text}") } else { text.to_owned() }
}

/// The cells of a row, in memory that is used again for the next.
#[derive(Debug, Default)]
pub(super) struct Row {
    cells: csv::ByteRecord,
    text: String,
}

impl Row {
    /// Begins another row.
    pub(crate) fn clear(&mut self) {
        self.cells.clear();
    }

    /// Adds a text of the user, guarded.
    pub(crate) fn text(&mut self, text: &str) {
        if looks_like_formula(text) {
            self.text.clear();
            self.text.extend(["'", text]);
            self.cells.push_field(self.text.as_bytes());
        } else {
            self.plain(text);
        }
    }

    /// Adds a text that is none of the user's.
    pub(crate) fn plain(&mut self, text: &str) {
        self.cells.push_field(text.as_bytes());
    }

    /// Adds a whole number.
    pub(crate) fn integer(&mut self, number: u64) {
        self.plain(itoa::Buffer::new().format(number));
    }

    /// Adds a number, or an empty cell.
    pub(crate) fn number<T: fmt::Display + Copy + Into<f64>>(&mut self, number: Option<T>) {
        // Most rewards are whole, and most of what costs here is the search for digits.
        if let Some(whole) = number.and_then(|number| small_whole(number.into())) {
            return self.plain(itoa::Buffer::new().format(whole));
        }
        self.text.clear();
        if let Some(number) = number {
            write!(self.text, "{number}").expect("a text takes everything");
        }
        self.cells.push_field(self.text.as_bytes());
    }

    /// Adds a time in whole microseconds, or an empty cell.
    pub(crate) fn time(&mut self, time: Option<Duration>) {
        match time {
            Some(time) => self.integer(micros(time)),
            None => self.plain(""),
        }
    }

    pub(crate) fn cells(&self) -> &csv::ByteRecord {
        &self.cells
    }
}

/// The whole number that a number is, if 32 bits hold it exactly.
fn small_whole(number: f64) -> Option<i32> {
    const MOST: f64 = 16_777_216.0;
    let is_whole = number.trunc() == number && number.abs() < MOST;
    let is_negative_zero = number == 0.0 && number.is_sign_negative();
    #[expect(clippy::cast_possible_truncation, reason = "it is a small whole number")]
    (is_whole && !is_negative_zero).then_some(number as i32)
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
    let is_number = || text.parse::<f64>().is_ok_and(f64::is_finite);
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number()
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
    fn a_number_is_written_as_it_is_shown() {
        let numbers = [0.0, -0.0, 1.0, -1.0, 0.85, 1e-7, 16_777_215.0, 16_777_216.0, 1e9, f64::NAN];
        for number in numbers {
            #[expect(clippy::cast_possible_truncation, reason = "the other width is tried, too")]
            let single = number as f32;
            let mut row = Row::default();
            row.number(Some(number));
            row.number(Some(single));
            row.number(None::<f64>);
            let cells: Vec<_> = row.cells().iter().collect();
            let shown = [number.to_string(), single.to_string(), String::new()];
            assert_eq!(cells, shown.each_ref().map(String::as_bytes));
        }
    }

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
