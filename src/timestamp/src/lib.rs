//! Instants of the wire, RFC 3339 with microseconds, and how long something took, for people.
//!
//! Must not know: everything else.

mod elapsed;

pub use elapsed::elapsed;

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

/// A moment in UTC with microsecond resolution, from year 1 to 9999.
///
/// Displays as RFC 3339 (`2026-01-01T00:00:15.25Z`) and parses the forms a
/// Personalizer service writes: 0 to 7 fraction digits, `Z`, an offset, or no zone
/// (read as UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    micros: i64,
}

/// A text that is not a date and time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an RFC 3339 date and time such as `2026-01-01T00:00:00Z`")]
pub struct ParseTimestampError(String);

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

impl Timestamp {
    /// 0001-01-01T00:00:00Z: what the service says of a model that was never trained.
    pub const NEVER: Self = Self { micros: -62_135_596_800 * MICROS_PER_SECOND };

    /// Where every virtual run starts: 2026-01-01T00:00:00Z.
    pub const VIRTUAL_START: Self = Self::from_unix_micros(1_767_225_600 * MICROS_PER_SECOND);

    /// The moment `micros` microseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self { micros }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_micros(self) -> i64 {
        self.micros
    }

    /// The time since `earlier`, zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.micros - earlier.micros).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        let micros = i64::try_from(rhs.as_micros()).unwrap_or(i64::MAX);
        Self { micros: self.micros.saturating_add(micros) }
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        let micros = i64::try_from(rhs.as_micros()).unwrap_or(i64::MAX);
        Self { micros: self.micros.saturating_sub(micros).max(Self::NEVER.micros) }
    }
}

/// The longest text of a timestamp.
const LONGEST: &str = "2026-01-01T00:00:00.000000Z";

impl Timestamp {
    /// The text, written into `buffer`.
    fn write(self, buffer: &mut [u8; LONGEST.len()]) -> &str {
        let seconds = self.micros.div_euclid(MICROS_PER_SECOND);
        let micros = self.micros.rem_euclid(MICROS_PER_SECOND);
        let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
        let second = seconds.rem_euclid(SECONDS_PER_DAY);
        buffer.copy_from_slice(LONGEST.as_bytes());
        for (at, value) in [
            (0..4, year),
            (5..7, month),
            (8..10, day),
            (11..13, second / 3600),
            (14..16, second / 60 % 60),
            (17..19, second % 60),
            (20..26, micros),
        ] {
            write_digits(&mut buffer[at], value);
        }
        let fraction = buffer[20..26].iter().rposition(|digit| *digit != b'0');
        let end = fraction.map_or(19, |last| 20 + last + 1);
        buffer[end] = b'Z';
        std::str::from_utf8(&buffer[..=end]).expect("digits are ASCII")
    }
}

/// Writes a number into so many digits.
fn write_digits(digits: &mut [u8], mut value: i64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
        value /= 10;
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write(&mut [0; LONGEST.len()]))
    }
}

impl std::str::FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseTimestampError(text.to_owned()))
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.write(&mut [0; LONGEST.len()]))
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let days = parse_date(date)?;
    let (time, offset_seconds) = split_zone(time)?;
    let micros = parse_time(time)?;
    let seconds = days * SECONDS_PER_DAY - offset_seconds;
    Some(Timestamp { micros: seconds * MICROS_PER_SECOND + micros })
}

fn parse_date(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let year: i64 = fixed_digits(year, 4)?;
    let month = fixed_digits(month, 2).filter(|m| (1..=12).contains(m))?;
    let day = fixed_digits(day, 2).filter(|d| (1..=days_in_month(year, month)).contains(d))?;
    (parts.next().is_none() && year >= 1).then(|| days_from_civil(year, month, day))
}

/// Splits `12:00:00+01:00` into the time and the offset east of UTC in seconds.
fn split_zone(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, 0));
    }
    let Some(at) = time.rfind(['+', '-']) else {
        return Some((time, 0));
    };
    let (hours, minutes) = time[at + 1..].split_once(':')?;
    let offset = fixed_digits(hours, 2)? * 3600 + fixed_digits(minutes, 2)? * 60;
    let sign = if time[at..].starts_with('-') { -1 } else { 1 };
    Some((&time[..at], sign * offset))
}

fn parse_time(time: &str) -> Option<i64> {
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = whole.split(':');
    let hour = fixed_digits(parts.next()?, 2).filter(|h| *h < 24)?;
    let minute = fixed_digits(parts.next()?, 2).filter(|m| *m < 60)?;
    let second = fixed_digits(parts.next()?, 2).filter(|s| *s <= 60)?;
    if parts.next().is_some() || fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let fraction_micros: i64 = fixed_digits(&format!("{fraction:0<9}"), 9)? / 1000;
    Some((hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND + fraction_micros)
}

fn fixed_digits(text: &str, width: usize) -> Option<i64> {
    let digits = text.len() == width && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_from_civil(next.0, next.1, 1) - days_from_civil(year, month, 1)
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar
/// (Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`] (same source, `civil_from_days`).
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_a_service_writes() {
        let same = "2022-08-10T08:55:34Z".parse::<Timestamp>().unwrap();
        for text in [
            "2022-08-10T08:55:34",
            "2022-08-10T08:55:34.0000000+00:00",
            "2022-08-10T10:55:34+02:00",
            "2022-08-10T06:25:34-02:30",
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap(), same, "{text}");
        }
        assert_eq!("0001-01-01T00:00:00+00:00".parse(), Ok(Timestamp::NEVER));
    }

    #[test]
    fn refuses_what_is_no_moment() {
        for text in ["", "2022-08-10", "2022-02-30T00:00:00Z", "0000-01-01T00:00:00Z", "x"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn display_is_the_inverse_of_parse(micros in -62_135_596_800_000_000_i64..253_402_300_800_000_000) {
            let moment = Timestamp::from_unix_micros(micros);
            proptest::prop_assert_eq!(moment.to_string().parse(), Ok(moment));
        }
    }
}
