use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration on the wire: written as ISO 8601 (`PT15S`), read as ISO 8601 or as .NET
/// writes it (`[d.]hh:mm[:ss[.fffffff]]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WireDuration(pub Duration);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// Reads `P[nW][nD][T[nH][nM][n[.n]S]]` or `[d.]hh:mm[:ss[.fffffff]]`.
///
/// Negative durations, and those whose length is not fixed (years, months), are none.
#[must_use]
pub fn parse_wire_duration(text: &str) -> Option<Duration> {
    match text.strip_prefix('P') {
        Some(iso) => parse_iso(iso),
        None => parse_dotnet(text),
    }
}

/// What follows the `P`.
fn parse_iso(text: &str) -> Option<Duration> {
    let (date, time) = match text.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None if text.is_empty() => return None,
        None => (text, ""),
    };
    let date = parse_units(date, &[('W', WEEK), ('D', DAY)])?;
    date.checked_add(parse_units(time, &[('H', HOUR), ('M', MINUTE), ('S', 1)])?)
}

/// `2H30M`: numbers with units, each at most once, in the order of `units`.
fn parse_units(mut text: &str, mut units: &[(char, u64)]) -> Option<Duration> {
    let mut total = Duration::ZERO;
    while !text.is_empty() {
        let end = text.find(|c: char| c.is_ascii_alphabetic())?;
        let unit = units.iter().position(|(letter, _)| text[end..].starts_with(*letter))?;
        let seconds = units[unit].1;
        total = total.checked_add(parse_quantity(&text[..end], seconds)?)?;
        units = &units[unit + 1..];
        text = &text[end + 1..];
    }
    Some(total)
}

/// A number of units of `seconds`; only seconds may have a fraction.
fn parse_quantity(text: &str, seconds: u64) -> Option<Duration> {
    if seconds == 1 {
        return parse_seconds(text);
    }
    whole(text)?.checked_mul(seconds).map(Duration::from_secs)
}

fn parse_seconds(text: &str) -> Option<Duration> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    Some(Duration::new(whole(seconds)?, nanoseconds(fraction)?))
}

/// The digits after the point; those beyond the ninth do not count.
fn nanoseconds(fraction: &str) -> Option<u32> {
    is_digits(fraction).then(|| format!("{fraction:0<9}")[..9].parse().ok())?
}

fn whole(text: &str) -> Option<u64> {
    is_digits(text).then(|| text.parse().ok())?
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn parse_dotnet(text: &str) -> Option<Duration> {
    let mut parts = text.split(':');
    let (days, hours) = days_and_hours(parts.next()?)?;
    let minutes = below(parts.next()?, 60)?;
    let seconds = parts.next().map_or(Some(Duration::ZERO), parse_clock_seconds)?;
    if parts.next().is_some() {
        return None;
    }
    let whole = days.checked_mul(DAY)?.checked_add(hours * HOUR + minutes * MINUTE)?;
    Duration::from_secs(whole).checked_add(seconds)
}

/// `1.02` is one day and two hours.
fn days_and_hours(text: &str) -> Option<(u64, u64)> {
    let (days, hours) = text.split_once('.').unwrap_or(("0", text));
    Some((whole(days)?, below(hours, 24)?))
}

fn parse_clock_seconds(text: &str) -> Option<Duration> {
    parse_seconds(text).filter(|seconds| seconds.as_secs() < 60)
}

fn below(text: &str, limit: u64) -> Option<u64> {
    whole(text).filter(|value| *value < limit)
}

impl fmt::Display for WireDuration {
    /// As .NET's `XmlConvert` writes it: days, hours, minutes, seconds, zeros left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if self.0.is_zero() {
            return f.write_str("PT0S");
        }
        f.write_str("P")?;
        write_unit(f, seconds / DAY, 'D')?;
        if !seconds.is_multiple_of(DAY) || self.0.subsec_nanos() > 0 {
            f.write_str("T")?;
            write_unit(f, seconds % DAY / HOUR, 'H')?;
            write_unit(f, seconds % HOUR / MINUTE, 'M')?;
            write_seconds(f, seconds % MINUTE, self.0.subsec_nanos())?;
        }
        Ok(())
    }
}

fn write_unit(f: &mut fmt::Formatter<'_>, count: u64, unit: char) -> fmt::Result {
    if count > 0 { write!(f, "{count}{unit}") } else { Ok(()) }
}

fn write_seconds(f: &mut fmt::Formatter<'_>, seconds: u64, nanoseconds: u32) -> fmt::Result {
    if nanoseconds == 0 {
        return write_unit(f, seconds, 'S');
    }
    let fraction = format!("{nanoseconds:09}");
    write!(f, "{seconds}.{}S", fraction.trim_end_matches('0'))
}

impl Serialize for WireDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WireDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let error = || serde::de::Error::custom(format!("`{text}` is not a duration like `PT15S`"));
        parse_wire_duration(&text).map(Self).ok_or_else(error)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{WireDuration, parse_wire_duration};

    #[test]
    fn reads_both_spellings_that_services_wrote() {
        for (text, seconds) in [
            ("PT15S", 15.0),
            ("00:00:15", 15.0),
            ("PT0.25S", 0.25),
            ("00:00:00.2500000", 0.25),
            ("P1DT12H", 129_600.0),
            ("1.12:00:00", 129_600.0),
            ("1.00:00:00", 86_400.0),
            ("01:00:00", 3600.0),
            ("01:30", 5400.0),
            ("P7D", 604_800.0),
            ("P1W", 604_800.0),
            ("PT0S", 0.0),
            ("P0D", 0.0),
            ("PT90M", 5400.0),
        ] {
            assert_eq!(parse_wire_duration(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn refuses_what_has_no_fixed_positive_length() {
        for text in [
            "",
            "P",
            "PT",
            "P1DT",
            "15",
            "15S",
            "-PT15S",
            "-00:00:15",
            "P-1D",
            "P1Y",
            "P1M",
            "PT1D",
            "PT1S1M",
            "PT1M1M",
            "PT1.5H",
            "PT1.S",
            "PT.5S",
            "00:60:00",
            "24:00:00",
            "00:00:60",
            "00:00:00:00",
            "1.:00",
            "PT1é",
            "00:00:1é",
            "P99999999999999999999D",
            "P18446744073709551615D",
            "PT1.éS",
        ] {
            assert_eq!(parse_wire_duration(text), None, "{text}");
        }
    }

    #[test]
    fn writes_as_the_service_did() {
        let written = |seconds: f64| WireDuration(Duration::from_secs_f64(seconds)).to_string();
        for (seconds, text) in [
            (0.0, "PT0S"),
            (15.0, "PT15S"),
            (0.25, "PT0.25S"),
            (600.0, "PT10M"),
            (14_400.0, "PT4H"),
            (129_600.0, "P1DT12H"),
            (2_419_200.0, "P28D"),
        ] {
            assert_eq!(written(seconds), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn reading_is_the_inverse_of_writing(seconds in 0..u64::MAX / 2, nanoseconds in 0..1_000_000_000_u32) {
            let duration = WireDuration(Duration::new(seconds, nanoseconds));
            proptest::prop_assert_eq!(parse_wire_duration(&duration.to_string()), Some(duration.0));
        }

        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,12}") {
            let _ = parse_wire_duration(&text);
        }
    }
}
