//! Numbers as people read them.

/// `12,000`
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `8.0 ms`, with the unit that suits.
#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
pub fn micros(us: u64) -> String {
    let value = us as f64;
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..100_000 => format!("{:.1} ms", value / 1e3),
        100_000..1_000_000 => format!("{:.0} ms", value / 1e3),
        _ => format!("{:.2} s", value / 1e6),
    }
}

/// `12m 10s`, from microseconds.
pub fn span(us: u64) -> String {
    match us {
        0..10_000_000 => micros(us),
        _ => humantime::format_duration(std::time::Duration::from_secs(us / 1_000_000)).to_string(),
    }
}

/// `0.519`, or a dash.
pub fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
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
        assert_eq!(span(735_000_000), "12m 15s");
    }
}
