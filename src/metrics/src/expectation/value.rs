use std::ops::Range;

use super::{ExpectationError, Sign};
use crate::metric::Dimension;

/// A value as it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value {
    /// `0.8`
    Number(f64),
    /// `80%`, as a share
    Percentage(f64),
    /// `50/s`
    PerSecond(f64),
    /// `100ms`, in microseconds
    Duration(f64),
}

/// Units of durations in microseconds; a longer unit stands before its own end (`ms`
/// before `s`).
const UNITS: [(&str, f64); 9] = [
    ("ns", 1e-3),
    ("us", 1.0),
    ("µs", 1.0),
    ("ms", 1e3),
    ("sec", 1e6),
    ("s", 1e6),
    ("min", 60e6),
    ("m", 60e6),
    ("h", 3600e6),
];

impl Value {
    /// Reads a value.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(percent) = text.strip_suffix('%') {
            return number(percent).map(|percent| Self::Percentage(percent / 100.0));
        }
        if let Some(rate) = text.strip_suffix("/s") {
            return number(rate).map(Self::PerSecond);
        }
        let duration = UNITS.iter().find_map(|(unit, micros)| {
            Some(Self::Duration(number(text.strip_suffix(unit)?)? * micros))
        });
        duration.or_else(|| number(text).map(Self::Number))
    }

    /// The value in the unit of a dimension.
    fn of(self, dimension: Dimension) -> Option<f64> {
        match (self, dimension) {
            (Self::Duration(micros), Dimension::Latency) => Some(micros),
            (_, Dimension::Latency) => None,
            (Self::Number(value), _)
            | (Self::Percentage(value), Dimension::Share | Dimension::Reward)
            | (Self::PerSecond(value), Dimension::PerSecond) => Some(value),
            _ => None,
        }
    }
}

/// Reads a value for a metric of this dimension.
pub(super) fn parse_value(
    text: &str,
    span: Range<usize>,
    dimension: Dimension,
) -> Result<f64, ExpectationError> {
    let form = form(dimension);
    let Some(value) = Value::parse(text) else {
        let message = match text {
            "" => "a value is missing".to_owned(),
            _ => format!("`{text}` is not a value"),
        };
        return Err(ExpectationError { span, message, help: Some(format!("write {form}")) });
    };
    value.of(dimension).ok_or_else(|| ExpectationError {
        span,
        message: format!("{} cannot be compared with `{text}`", dimension.noun()),
        help: Some(format!("write {form}")),
    })
}

/// Refuses a threshold that no metric of this dimension can reach, nor the sum or difference of
/// two: a comparison with it always holds, or never.
pub(super) fn check_range(
    value: f64,
    text: &str,
    span: Range<usize>,
    dimension: Dimension,
    sign: Option<Sign>,
) -> Result<(), ExpectationError> {
    let (low, high) = dimension.range().into_inner();
    let (what, range) = match sign {
        None => (dimension.noun().to_owned(), low..=high),
        Some(Sign::Plus) => (format!("the sum of {}s", bare(dimension)), low + low..=high + high),
        Some(Sign::Minus) => {
            let width = high - low;
            (format!("the difference of {}s", bare(dimension)), -width..=width)
        }
    };
    // Infinity minus infinity is no bound.
    if range.contains(&value) || range.end().is_nan() {
        return Ok(());
    }
    let (low, high) = range.into_inner();
    let message = if high.is_finite() {
        format!("{what} lies between {low} and {high}, found `{text}`")
    } else {
        format!("{what} is not below {low}, found `{text}`")
    };
    let percent = value / 100.0;
    let is_percentage = dimension == Dimension::Share && (0.0..=1.0).contains(&percent);
    let help = is_percentage.then(|| format!("write `{value}%` for {percent}"));
    Err(ExpectationError { span, message, help })
}

/// The dimension without its article.
fn bare(dimension: Dimension) -> &'static str {
    dimension.noun().trim_start_matches("a ")
}

/// How a value of this dimension is written.
fn form(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Share => "a number such as `0.8`, or a percentage such as `80%`",
        Dimension::Reward | Dimension::Count => "a number",
        Dimension::PerSecond => "a rate such as `50/s`",
        Dimension::Latency => "a duration such as `100ms`",
    }
}

/// A finite number with optional underscores; `nan` and `inf` are none.
fn number(text: &str) -> Option<f64> {
    let text = text.trim_end().replace('_', "");
    let is_numeric = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let value = text.bytes().all(is_numeric).then(|| text.parse::<f64>().ok()).flatten();
    value.filter(|value| value.is_finite())
}
