//! Notations of texts.

use std::time::Duration;

use super::hint;
use crate::format::{
    self, DURATION_PATTERN, Either, Form, Notation, RATE_PATTERN, SEEDS_PATTERN, SHARE_PATTERN,
    Share, count, either, no_hint,
};
use plan::Rate;
use std::ops::RangeInclusive;

pub(super) const IDENTIFIER: Notation<String> = Notation {
    what: "a name of letters, digits, `-` and `_` that begins with a letter",
    pattern: "^[A-Za-z][A-Za-z0-9_-]{0,99}$",
    parse: |text| is_identifier(text).then(|| text.to_owned()),
    hint: no_hint,
};

/// The name of a phase: of the letters of any language.
pub(super) const PHASE_NAME: Notation<String> = Notation {
    what: "a name of letters, digits, `-` and `_` that begins with a letter",
    pattern: r"^\p{Alphabetic}[\p{Alphabetic}\p{N}_-]{0,99}$",
    parse: |text| is_phase_name(text).then(|| text.to_owned()),
    hint: no_hint,
};

pub(super) const FEATURE_NAME: Notation<String> = Notation {
    what: "a name, or names joined by dots",
    pattern: r"^[^._\s][^.\s]*(\.[^._\s][^.\s]*)*$",
    parse: |text| is_feature_name(text).then(|| text.to_owned()),
    hint: no_hint,
};

pub(super) const DURATION: Notation<Duration> = Notation {
    what: "a duration such as `15s`, `5m`, `1h30m`, `PT15S` or `00:05:00`",
    pattern: DURATION_PATTERN,
    parse: format::duration,
    hint: hint::duration,
};

pub(super) const RATE: Notation<Rate> = Notation {
    what: "a rate such as `50/s`, `3000/min` or `0/s`",
    pattern: RATE_PATTERN,
    parse: format::rate,
    hint: hint::rate,
};

pub(super) const SEEDS: Notation<RangeInclusive<u64>> = Notation {
    what: "seeds from the first to the last, such as `1..20`",
    pattern: SEEDS_PATTERN,
    parse: format::seed_range,
    hint: hint::seeds,
};

pub(super) const URL: Notation<String> = Notation {
    what: "an address such as `https://example.com`",
    pattern: r"^https?://([^\s/?#@:\[\]]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^\s?#]*)?$",
    parse: |text| is_url(text).then(|| text.trim_end_matches('/').to_owned()),
    hint: hint::address,
};

pub(super) const PROXY: Notation<String> = Notation {
    what: "the address of a proxy such as `http://localhost:3128`",
    pattern: r"^https?://[^\s/?#]+/?$",
    parse: |text| is_proxy(text).then(|| text.to_owned()),
    hint: hint::address,
};

/// `normal 0.2`, by its standard deviation; stands beside a probability.
pub(super) const DEVIATION: Notation<f64> = Notation {
    what: "a probability from 0 to 1, or a deviation such as `normal 0.2`",
    pattern: format::DEVIATION_PATTERN,
    parse: format::deviation,
    hint: |node| format::number(0.0, 1.0).hint(node),
};

/// The formula of a reward; what stands in the braces is read later.
pub(super) const FORMULA: Notation<String> = Notation {
    what: "a formula such as `{{ clicked * price }}`",
    pattern: r"^\s*\{\{[^{}]*\}\}\s*$",
    parse: |text| is_formula(text).then(|| text.to_owned()),
    hint: no_hint,
};

pub(super) const SIZES: Notation<(usize, usize)> = Notation {
    what: "sizes from the least to the most, such as `50..200`",
    pattern: format::SIZES_PATTERN,
    parse: format::sizes,
    hint: no_hint,
};

/// Days as a text in their notation, which may not be in any calendar.
pub(super) const DAYS: Notation<String> = Notation {
    what: "days from the first to the last, such as `2026-01-01..2026-01-31`",
    pattern: format::DAYS_PATTERN,
    parse: |text| format::is_days(text).then(|| text.to_owned()),
    hint: no_hint,
};

/// A count, or a share of a total.
pub(super) fn share() -> Either<Share> {
    const PERCENT: Notation<Share> = Notation {
        what: "a share such as `10%`",
        pattern: SHARE_PATTERN,
        parse: format::share,
        hint: no_hint,
    };
    either([count(1, 1_000_000_000).map(Share::Count).boxed(), PERCENT.boxed()])
}

pub(super) fn is_odd_in_path(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '?' | '#')
}

/// A proxy may have a user and a password.
fn is_proxy(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.strip_suffix('/').unwrap_or(rest);
        !host.is_empty() && !host.contains(|c: char| is_odd_in_path(c) || c == '/')
    })
}

fn is_formula(text: &str) -> bool {
    let inner = text.trim().strip_prefix("{{").and_then(|text| text.strip_suffix("}}"));
    inner.is_some_and(|inner| !inner.contains(['{', '}']))
}

fn is_identifier(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    begins && text.chars().all(plain) && text.len() <= 100
}

fn is_phase_name(text: &str) -> bool {
    let belongs = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.starts_with(char::is_alphabetic)
        && text.chars().all(belongs)
        && text.chars().count() <= 100
}

/// Whether a context dimension may be called so.
pub(crate) fn is_feature_name(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && !part.starts_with('_') && !part.contains(char::is_whitespace)
    };
    text.split('.').all(part)
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let authority = rest.split('/').next().unwrap_or_default();
        is_authority(authority) && !rest.contains(is_odd_in_path)
    })
}

/// A host, perhaps with a port. `user:word` is none: it may be a secret that has a slash.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port = |port: &str| {
        (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_address = |inner: &str| {
        let digit = |c: char| c.is_ascii_hexdigit() || c == ':' || c == '.';
        !inner.is_empty() && inner.chars().all(digit)
    };
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) => is_address(inner),
        None => !host.is_empty() && !host.contains(['@', ':', '[', ']']),
    };
    is_host && port.is_none_or(is_port)
}
