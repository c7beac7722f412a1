//! Numbers and names as people read them.

use std::fmt::Write as _;
use std::time::Duration;

pub use report::chart::group_digits as count;

/// `8.0 ms`, with the unit that suits.
#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
pub fn micros(us: u64) -> String {
    timestamp::elapsed(us as f64)
}

/// `8.0 ms`, `12m 10s`, `5h 12m`, `33 days`, from microseconds: to two units at most, cut off.
pub fn span(us: u64) -> String {
    let seconds = us / 1_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..10 => micros(us),
        10..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m {}s", seconds % 60),
        3_600..172_800 => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days} days"),
    }
}

/// `5m`, `1m 30s`
pub fn whole(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

/// `51.9 %`, or a dash.
pub fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{:.1} %", value * 100.0))
}

/// `0.519`, `5186`, or a dash.
pub fn decimal(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| metrics::rounded(value, 3))
}

/// `40.0/s`, or a dash.
pub fn rate(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"))
}

/// A name from outside, harmless on a terminal: control characters, and those that turn
/// the text around them, as escapes.
pub fn name(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_turning(character) {
            let _infallible = write!(harmless, "{}", character.escape_default());
        } else {
            harmless.push(character);
        }
    }
    harmless
}

fn is_turning(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [7, 8_040, 120_000, 2_500_000].map(micros),
            ["7 µs", "8.0 ms", "120 ms", "2.50 s"]
        );
        let spans = [9_990_000, 59_900_000, 735_000_000, 18_720_000_000, 2_919_899_800_000];
        assert_eq!(spans.map(span), ["9.99 s", "59s", "12m 15s", "5h 12m", "33 days"]);
        assert_eq!([share(Some(0.5194)), share(None)], ["51.9 %", "-"]);
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(name("a\u{1b}[2J\r\nb\u{202e}c"), r"a\u{1b}[2J\r\nb\u{202e}c");
        assert_eq!(name("café 喫茶店"), "café 喫茶店");
    }
}
