//! The notations of durations, rates, counts and shares.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Number;

use crate::document::{Node, Value};
use plan::Rate;
use protocol::parse_wire_duration;
use timestamp::Timestamp;

/// Units; ISO 8601 with days, time or both; `[d.]hh:mm:ss[.f]`.
pub(crate) const DURATION_PATTERN: &str = concat!(
    r"^([0-9]+(\.[0-9]+)?(us|ms|s|m|h|d))+$",
    r"|^P([0-9]+W([0-9]+D)?|[0-9]+D)$",
    r"|^P([0-9]+W)?([0-9]+D)?T([0-9]+H)?([0-9]+M)?[0-9]+(\.[0-9]+)?S$",
    r"|^P([0-9]+W)?([0-9]+D)?T([0-9]+H([0-9]+M)?|[0-9]+M)$",
    r"|^([0-9]+\.)?0*(1?[0-9]|2[0-3]):0*[0-5]?[0-9]:0*[0-5]?[0-9](\.[0-9]+)?$",
);
pub(crate) const RATE_PATTERN: &str = r"^[0-9][0-9_]*(\.[0-9]+)?/(s|m|min|h)$";
pub(crate) const COUNT_PATTERN: &str = r"^[0-9][0-9_]*$";
pub(crate) const SEEDS_PATTERN: &str = r"^\s*[0-9][0-9_]*\s*\.\.\s*[0-9][0-9_]*\s*$";
pub(crate) const POSITIVE_COUNT_PATTERN: &str = r"^(0[0_]*)?[1-9][0-9_]*$";
pub(crate) const SHARE_PATTERN: &str =
    r"^(100(\.0+)?|[1-9][0-9]?(\.[0-9]+)?|0\.[0-9]*[1-9][0-9]*)%$";

pub(crate) const DEVIATION_PATTERN: &str = r"^normal +[0-9]{1,6}(\.[0-9]+)?$";

pub(crate) const SIZES_PATTERN: &str = r"^[0-9][0-9_]* *\.\. *[0-9][0-9_]*$";
pub(crate) const DAYS_PATTERN: &str =
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2} *\.\. *[0-9]{4}-[0-9]{2}-[0-9]{2}$";

const UNITS: [(&str, u64); 6] = [
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// No run waits longer than this, and sums of such durations never overflow.
const LONGEST: Duration = Duration::from_secs(10_000 * 24 * 3600);

/// `15s`, `1h30m`, `250ms`, `1.5s`, ISO 8601 (`PT15S`), `[d.]hh:mm:ss[.f]`. At most ten
/// thousand days. `1:30` is refused: on the wire it is hours, to people minutes.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let wire = text.starts_with('P') || text.matches(':').count() == 2;
    let duration = if wire { parse_wire_duration(text) } else { in_units(text) };
    duration.filter(|duration| *duration <= LONGEST)
}

fn in_units(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (nanoseconds, after) = leading_unit(rest)?;
        total = total.checked_add(nanoseconds)?;
        rest = after;
    }
    (!text.is_empty()).then(|| Duration::from_nanos(total))
}

/// The nanoseconds of the first number with its unit, and the rest of the text.
fn leading_unit(text: &str) -> Option<(u64, &str)> {
    let number = leading(text, |c| c.is_ascii_digit() || c == '.');
    let after = &text[number.len()..];
    let unit = leading(after, |c| c.is_ascii_alphabetic());
    let (_, size) = UNITS.iter().find(|(name, _)| *name == unit)?;
    Some((scaled(number, *size)?, &after[unit.len()..]))
}

fn leading(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c| !belongs(c)).unwrap_or(text.len())]
}

/// A decimal number times `size`, exactly; what is below one is cut off.
fn scaled(number: &str, size: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole = digits(whole)?.checked_mul(size)?;
    let kept = &fraction[..fraction.len().min(9)];
    let divisor = 10_u128.pow(u32::try_from(kept.len()).ok()?);
    let part = u128::from(digits(kept)?) * u128::from(size) / divisor;
    whole.checked_add(u64::try_from(part).ok()?)
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// `50/s`, `3000/min`, `1/h`, `0/s`.
pub(crate) fn rate(text: &str) -> Option<Rate> {
    let (number, unit) = text.split_once('/')?;
    let seconds = match unit {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let rate = decimal(number)? / seconds;
    rate.is_finite().then_some(Rate(rate))
}

fn decimal(text: &str) -> Option<f64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let plain = count(whole).is_some() && digits(fraction).is_some();
    plain.then(|| text.replace('_', "").parse().ok()).flatten()
}

/// `normal 0.2`: a standard deviation below a million.
pub(crate) fn deviation(text: &str) -> Option<f64> {
    let number = text.strip_prefix("normal ")?.trim_start_matches(' ');
    let whole = number.split_once('.').map_or(number, |(whole, _)| whole);
    let is_plain = !number.contains('_') && whole.len() <= 6;
    decimal(number).filter(|_| is_plain && !number.ends_with('.'))
}

/// `50..200`: two counts.
pub(crate) fn sizes(text: &str) -> Option<(usize, usize)> {
    let (least, most) = text.split_once("..")?;
    let size = |text: &str| count(text).and_then(|number| usize::try_from(number).ok());
    Some((size(least.trim_end_matches(' '))?, size(most.trim_start_matches(' '))?))
}

/// Whether a text has the form of days, [`DAYS_PATTERN`].
pub(crate) fn is_days(text: &str) -> bool {
    let is_date = |text: &str| {
        let parts: Vec<&str> = text.split('-').collect();
        parts.iter().map(|part| part.len()).eq([4, 2, 2])
            && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    text.split_once("..").is_some_and(|(first, last)| {
        is_date(first.trim_end_matches(' ')) && is_date(last.trim_start_matches(' '))
    })
}

/// `2026-01-03`: days since 1970.
pub(crate) fn day(text: &str) -> Option<i64> {
    const MICROS_PER_DAY: i64 = 86_400_000_000;
    let is_date = text.len() == 10;
    let midnight = format!("{text}T00:00:00Z").parse().ok().filter(|_: &Timestamp| is_date);
    midnight.map(|time| time.unix_micros().div_euclid(MICROS_PER_DAY))
}

/// `2026-01-03..2026-01-10`: the first day and the last.
pub(crate) fn days(text: &str) -> Option<RangeInclusive<i64>> {
    let (first, last) = text.split_once("..")?;
    let (first, last) = (day(first.trim_end_matches(' '))?, day(last.trim_start_matches(' '))?);
    (first <= last).then_some(first..=last)
}

/// `1..20`: the first seed and the last. At most a million of them.
pub(crate) fn seed_range(text: &str) -> Option<RangeInclusive<u64>> {
    const MOST: u64 = 1_000_000;
    let (first, last) = text.split_once("..")?;
    let (first, last) = (count(first.trim())?, count(last.trim())?);
    (first <= last && last - first < MOST).then_some(first..=last)
}

/// `10000`, `10_000`.
pub(crate) fn count(text: &str) -> Option<u64> {
    let plain = |c: char| c.is_ascii_digit() || c == '_';
    let valid = text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(plain);
    valid.then(|| text.replace('_', "").parse().ok()).flatten()
}

/// A whole number, however it is written.
pub(super) fn whole(node: &Node) -> Option<i128> {
    match &node.value {
        Value::Number(number) => whole_number(number),
        Value::Text(text) => count(text).map(i128::from),
        Value::Interpolated(text) => text.parse().ok().or(count(text).map(i128::from)),
        _ => None,
    }
}

/// JSON Schema counts `1.0` and `1e3` among the integers.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and far below 2^127")]
fn whole_number(number: &Number) -> Option<i128> {
    let float = || number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 1.0e30);
    number.as_i128().or_else(|| float().map(|n| n as i128))
}

/// The value of a whole number that is not negative.
pub(crate) fn as_count(node: &Node) -> Option<u64> {
    whole(node).and_then(|number| u64::try_from(number).ok())
}

/// So many, or so many of a hundred.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Share {
    Count(u64),
    Percent(f64),
}

impl Share {
    /// The share of `total`; at least one.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "totals are below 2^53, percents between 0 and 100"
    )]
    pub fn of(self, total: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => ((total as f64 * percent / 100.0) as u64).max(1),
        }
    }
}

/// `10%`, `500`. Positive; at most all.
pub(crate) fn share(text: &str) -> Option<Share> {
    match text.strip_suffix('%') {
        Some(number) => {
            let percent = decimal(number).filter(|percent| *percent > 0.0 && *percent <= 100.0);
            let plain =
                !number.contains('_') && (number.starts_with("0.") || !number.starts_with('0'));
            percent.filter(|_| plain).map(Share::Percent)
        }
        None => count(text).filter(|count| *count > 0).map(Share::Count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, milliseconds) in [
            ("15s", 15_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("1.5s", 1_500),
            ("2d", 172_800_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(duration("1.5us"), Some(Duration::from_nanos(1_500)));
        for text in
            ["", "1:30", "15", "s", "1.s", ".5s", "5 s", "-5s", "1e3s", "5parsec", "99999999999d"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn rates() {
        for (text, per_second) in
            [("50/s", 50.0), ("3_000/min", 50.0), ("60/m", 1.0), ("9/h", 0.0025), ("0/s", 0.0)]
        {
            assert_eq!(rate(text), Some(Rate(per_second)), "{text}");
        }
        for text in ["50", "-1/s", "NaN/s", "inf/s", "1e3/s", "50/d", "50 /s", "/s", ".5/s"] {
            assert_eq!(rate(text), None, "{text}");
        }
    }

    #[test]
    fn days_and_sizes() {
        assert_eq!(day("1970-01-02"), Some(1));
        assert_eq!(days("2026-01-03..2026-01-10").map(Iterator::count), Some(8));
        assert_eq!(days("2024-02-28 .. 2024-03-01").map(Iterator::count), Some(3));
        for text in ["2026-02-30..2026-03-01", "2026-01-10..2026-01-03", "2026-1-3..2026-1-4", ".."]
        {
            assert_eq!(days(text), None, "{text}");
        }
        assert_eq!(sizes("50..1_000"), Some((50, 1_000)));
        for text in ["5", "..5", "5..", "-1..5"] {
            assert_eq!(sizes(text), None, "{text}");
        }
    }

    #[test]
    fn counts_and_shares() {
        assert_eq!(count("10_000"), Some(10_000));
        for text in ["", "_1", "10k", "-1", "1.0", "99999999999999999999"] {
            assert_eq!(count(text), None, "{text}");
        }
        assert_eq!(share("10%").unwrap().of(10_000), 1_000);
        assert_eq!(share("12.5%").unwrap().of(1), 1);
        assert_eq!(share("500").unwrap().of(10_000), 500);
        for text in ["0", "0%", "101%", "%", "x"] {
            assert_eq!(share(text), None, "{text}");
        }
    }
}
