use unicode_width::UnicodeWidthChar;

/// About how wide a text is, in units of the picture, at a font size. Which font the
/// reader has is unknown; the numbers lie a little above those of the usual ones.
#[must_use]
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// The width of a character as a share of the font size.
fn em(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.31,
        'f' | 'r' | 't' | ' ' | '(' | ')' | '[' | ']' | '-' | '/' | '·' => 0.4,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '—' | '…' => 0.95,
        'A'..='Z' => 0.72,
        _ if character.is_ascii() => 0.6,
        _ if character.width() == Some(0) => 0.0,
        _ if character.width() == Some(2) => 1.1,
        _ => 0.7,
    }
}

/// The text, cut short with an ellipsis if it is wider than `room`; empty if not even
/// two characters fit.
#[must_use]
pub fn fit(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut used = em('…') * size;
    let mut short = String::new();
    for character in text.chars() {
        used += em(character) * size;
        if used > room {
            break;
        }
        short.push(character);
    }
    match short.chars().count() {
        0 | 1 => String::new(),
        _ => short.trim_end().to_owned() + "…",
    }
}

/// The text in at most so many lines, none wider than `room`; the last is cut short if there are
/// more.
#[must_use]
pub fn folded(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut words = text.split(' ');
    let mut line = words.next().unwrap_or_default().to_owned();
    for word in words {
        let longer = format!("{line} {word}");
        let is_last = lines.len() >= most;
        if is_last || width(&longer, size) <= room {
            line = longer;
        } else {
            lines.insert(lines.len() - 1, std::mem::replace(&mut line, word.to_owned()));
        }
    }
    if let Some(last) = lines.last_mut() {
        *last = line;
    }
    lines.iter().map(|line| fit(line, size, room)).collect()
}

/// A count with a comma every three digits.
#[must_use]
pub fn group_digits(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A share as a whole number of percent, set off by a no-break space.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.0}\u{a0}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_are_grouped_from_the_right() {
        for (count, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(group_digits(count), text);
        }
    }

    #[test]
    fn a_text_is_folded_at_blanks() {
        let text = "success rate minus that of the same seed";
        let lines = folded(text, 10.0, 130.0, 2);
        assert_eq!(lines.join(" "), text);
        assert!(
            lines.len() == 2 && lines.iter().all(|line| width(line, 10.0) <= 130.0),
            "{lines:?}"
        );
        assert_eq!(folded("", 10.0, 130.0, 2), [""]);
    }

    proptest! {
        #[test]
        fn what_is_folded_fits(text in ".*", room in 20.0_f64..400.0, most in 1_usize..4) {
            let lines = folded(&text, 15.0, room, most);
            prop_assert!(lines.len() <= most);
            prop_assert!(lines.iter().all(|line| width(line, 15.0) <= room));
        }

        #[test]
        fn what_is_fitted_fits(text in ".*", room in 0.0_f64..400.0) {
            prop_assert!(width(&fit(&text, 15.0, room), 15.0) <= room);
        }
    }
}
