//! Notations of texts.

use crate::model::scalar;
use crate::model::shape::{Notation, Shape};

pub(super) static SEED: Shape = Shape::Count { least: 0, most: u64::MAX };

pub(super) static IDENTIFIER: Shape = Shape::Notation(&Notation {
    what: "a name of letters, digits, `-` and `_` that begins with a letter",
    pattern: "^[A-Za-z][A-Za-z0-9_-]{0,99}$",
    accepts: is_identifier,
    from_number: None,
});

pub(super) static FEATURE_NAME: Shape = Shape::Notation(&Notation {
    what: "a name, or names joined by dots",
    pattern: r"^[^._\s][^.\s]*(\.[^._\s][^.\s]*)*$",
    accepts: is_feature_name,
    from_number: None,
});

pub(super) static DURATION: Shape = Shape::Notation(&Notation {
    what: "a duration such as `15s`, `5m`, `1h30m`, `PT15S` or `00:05:00`",
    pattern: scalar::DURATION_PATTERN,
    accepts: |text| scalar::duration(text).is_some(),
    from_number: Some(|number| format!("a duration has a unit: `{number}s` or `{number}ms`")),
});

pub(super) static RATE: Notation = Notation {
    what: "a rate above zero such as `50/s`, `3000/min` or `1/h`",
    pattern: scalar::RATE_PATTERN,
    accepts: |text| scalar::rate(text).is_some(),
    from_number: Some(|number| format!("a rate has a unit: `{number}/s`")),
};

pub(super) static SHARE: Shape = Shape::Either(&[
    &Shape::Count { least: 1, most: 1_000_000_000 },
    &Shape::Notation(&Notation {
        what: "a share such as `10%`",
        pattern: scalar::SHARE_PATTERN,
        accepts: |text| scalar::share(text).is_some(),
        from_number: None,
    }),
]);

pub(super) static SEEDS: Shape = Shape::Notation(&Notation {
    what: "seeds from the first to the last, such as `1..20`",
    pattern: scalar::SEEDS_PATTERN,
    accepts: |text| scalar::seed_range(text).is_some(),
    from_number: Some(|number| format!("one seed is a range or a list too: `[{number}]`")),
});

pub(super) static URL: Notation = Notation {
    what: "an address such as `https://example.com`",
    pattern: r"^https?://[^\s/?#@]+(/[^\s?#]*)?$",
    accepts: is_url,
    from_number: None,
};

pub(super) static PROXY: Notation = Notation {
    what: "the address of a proxy such as `http://localhost:3128`",
    pattern: r"^https?://[^\s/?#]+/?$",
    accepts: is_proxy,
    from_number: None,
};

pub(super) static PATH: Notation = Notation {
    what: "a path such as `/rank`, or `none`",
    pattern: r"^(/[^\s?#]*|none)$",
    accepts: |text| text == "none" || (text.starts_with('/') && !text.contains(is_odd_in_path)),
    from_number: None,
};

fn is_odd_in_path(letter: char) -> bool {
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

fn is_identifier(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    begins && text.chars().all(plain) && text.len() <= 100
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
    let odd = |c: char| c.is_whitespace() || matches!(c, '?' | '#');
    rest.is_some_and(|rest| {
        let host = rest.split('/').next().unwrap_or_default();
        !host.is_empty() && !host.contains('@') && !rest.contains(odd)
    })
}
