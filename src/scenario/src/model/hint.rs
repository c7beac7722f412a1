//! What may have been meant by a text that is in no notation.
//!
//! What came from the environment is not repeated: it may be a secret.

use crate::document::{Node, Value};
use crate::format::{SEVERAL_SEEDS, fraction};

/// The value as it was written, if it is a text or a number of the document.
fn written(node: &Node) -> Option<String> {
    match &node.value {
        Value::Number(number) => Some(number.to_string()),
        Value::Text(text) => Some(text.trim().to_owned()),
        _ => None,
    }
}

/// A leading decimal number, and what follows it without the space between, in lower case.
fn quantity(text: &str) -> Option<(&str, String)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !".,_".contains(c));
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let starts = number.starts_with(|c: char| c.is_ascii_digit());
    starts.then(|| (number, unit.trim().to_lowercase()))
}

/// What to write for a quantity: `of_number` says it of a number that is not negative, and what follows
/// it; another text gets an `example`.
fn quantity_hint(
    text: &str,
    example: &str,
    of_number: impl Fn(&str, &str) -> Option<String>,
) -> Option<String> {
    if let Some(rest) = text.strip_prefix(['-', '−'])
        && let Some((number, unit)) = quantity(rest)
    {
        return Some(format!("it is not negative: write `{number}{unit}`"));
    }
    match quantity(text) {
        Some((number, unit)) => of_number(number, &unit),
        None => Some(format!("it is a number with a unit, such as `{example}`")),
    }
}

/// `20 rps` for `20/s`.
pub(super) fn rate(node: &Node) -> Option<String> {
    let text = written(node)?;
    if let Some(value) = fraction(&text) {
        return Some(format!("a rate has a unit: `{value}/s`"));
    }
    quantity_hint(&text, "50/s", |number, unit| rate_of(&text, number, unit))
}

fn rate_of(text: &str, number: &str, unit: &str) -> Option<String> {
    if unit.is_empty() {
        return Some(format!("a rate has a unit: `{number}/s`"));
    }
    if unit == "%" {
        return Some(format!("a rate is no share: write how many a second, such as `{number}/s`"));
    }
    let unit = match unit.trim_start_matches("requests").trim_start_matches("req").trim() {
        "rps" | "qps" | "tps" | "hz" | "/s" | "/ s" | "/sec" | "/second" | "per second"
        | "a second" | "per sec" | "per s" => "s",
        "rpm" | "qpm" | "/m" | "/min" | "/minute" | "per minute" | "a minute" | "per min" => "min",
        "rph" | "/h" | "/hour" | "per hour" | "an hour" => "h",
        _ => return None,
    };
    let rate = format!("{number}/{unit}");
    (rate != text).then(|| format!("write `{rate}`"))
}

/// `5 seconds` for `5s`; `1:30` could be minutes or hours.
pub(super) fn duration(node: &Node) -> Option<String> {
    let text = written(node)?;
    if let Some((first, second)) = text.split_once(':')
        && [first, second].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
        && !first.is_empty()
        && !second.is_empty()
    {
        let (first, second) = (first.trim_start_matches('0'), second.trim_start_matches('0'));
        let part = |number: &str, unit| match number {
            "" => String::new(),
            number => format!("{number}{unit}"),
        };
        let both = |long, short| format!("{}{}", part(first, long), part(second, short));
        let help = format!("write `{}` or `{}`", both("m", "s"), both("h", "m"));
        return Some(format!("`{text}` could be minutes or hours: {help}"));
    }
    if let Some(value) = fraction(&text) {
        return Some(format!("a duration has a unit: `{value}s` or `{value}m`"));
    }
    quantity_hint(&text, "15s", |number, unit| duration_of(&text, number, unit))
}

fn duration_of(text: &str, number: &str, unit: &str) -> Option<String> {
    if unit.is_empty() {
        return Some(format!("a duration has a unit: `{number}s` or `{number}ms`"));
    }
    if unit == "%" {
        return Some(format!("a duration is no share: write a time, such as `{number}s`"));
    }
    let unit = match unit {
        "ms" | "msec" | "millis" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    };
    let duration = format!("{number}{unit}");
    (duration != text).then(|| format!("write `{duration}`"))
}

/// `1..5` where there is one seed.
pub(super) fn seed(node: &Node) -> Option<String> {
    let is_several = match &node.value {
        Value::List(_) => true,
        // The number below zero in `-5` is one.
        Value::Text(text) => {
            let unsigned = text.strip_prefix('-').unwrap_or(text);
            [",", "..", "-"].iter().any(|between| unsigned.contains(between))
        }
        _ => false,
    };
    is_several.then(|| SEVERAL_SEEDS.to_owned())
}

/// `1-5` for `1..5`; a number alone may be the last seed, or the only one.
pub(super) fn seeds(node: &Node) -> Option<String> {
    let text = written(node)?;
    let is_number = |text: &str| {
        let digits = |byte: u8| byte.is_ascii_digit() || byte == b'_';
        !text.is_empty() && text.bytes().all(digits)
    };
    if is_number(&text) {
        let range = format!("write `1..{text}` for the seeds from 1 to {text}");
        return Some(format!("{range}, or `[{text}]` for the seed {text} alone"));
    }
    let mut between = ["...", "-", "–", ":", " to ", ","].into_iter();
    let (first, last) = between.find_map(|between| text.split_once(between))?;
    let (first, last) = (first.trim(), last.trim());
    (is_number(first) && is_number(last)).then(|| format!("write `{first}..{last}`"))
}

/// An address without its scheme.
pub(super) fn address(node: &Node) -> Option<String> {
    let Value::Text(text) = &node.value else { return None };
    with_scheme(text).map(|address| format!("an address has a scheme: `{address}`"))
}

/// An address where a service is described: it is one of its keys.
pub(super) fn service(node: &Node) -> Option<String> {
    let Value::Text(text) = &node.value else { return None };
    let is_whole = text.starts_with("http://") || text.starts_with("https://");
    let address = if is_whole { Some(text.clone()) } else { with_scheme(text) };
    // What stands before an at sign may be a secret.
    let address = address.filter(|address| !address.contains('@'))?;
    Some(format!("a service is a map: write `{{ url: {address} }}`"))
}

/// An address that has no scheme, with one.
fn with_scheme(text: &str) -> Option<String> {
    let host = text.split(['/', ':']).next().unwrap_or_default();
    let is_host = !host.is_empty()
        && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
        && (host == "localhost" || host.contains('.'));
    if !is_host || text.contains("://") || text.contains(['@', ' ', '?', '#']) {
        return None;
    }
    let is_near = host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok();
    let scheme = if is_near { "http" } else { "https" };
    Some(format!("{scheme}://{text}"))
}
