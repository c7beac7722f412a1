use std::fmt::Write as _;

/// An element of SVG or HTML: the only way in which text comes into a picture or a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Child>,
}

#[derive(Debug, Clone, PartialEq)]
enum Child {
    Element(Element),
    Text(String),
    Verbatim(String),
}

impl Element {
    /// An element without attributes and children.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), children: Vec::new() }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// Adds an attribute that is a length or a coordinate.
    #[must_use]
    pub fn at(self, name: &'static str, value: f64) -> Self {
        self.with(name, number(value))
    }

    /// Adds a child.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(Child::Element(child));
        self
    }

    /// Adds children.
    #[must_use]
    pub fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children.into_iter().map(Child::Element));
        self
    }

    /// Adds text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.children.push(Child::Text(text.into()));
        self
    }

    /// Adds what this room made or holds itself: another picture, a style, a script.
    #[must_use]
    pub(crate) fn verbatim(mut self, text: impl Into<String>) -> Self {
        self.children.push(Child::Verbatim(text.into()));
        self
    }

    /// The element as text.
    pub(crate) fn into_text(self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// Adds what is shown when the pointer rests on the element, and read aloud.
    #[must_use]
    pub fn tooltip(mut self, text: impl Into<String>) -> Self {
        self.children.insert(0, Child::Element(Self::new("title").text(text)));
        self
    }

    /// Writes the element, a line for each element that holds others.
    pub(super) fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            push_escaped(out, value);
            out.push('"');
        }
        if self.children.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        for child in &self.children {
            child.write(out);
        }
        out.push_str("</");
        out.push_str(self.name);
        out.push('>');
    }
}

impl Child {
    fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => push_escaped(out, text),
            Self::Verbatim(text) => out.push_str(text),
            Self::Element(element) => {
                if !matches!(element.name, "title" | "tspan" | "code" | "wbr") {
                    out.push('\n');
                }
                element.write(out);
            }
        }
    }
}

/// A coordinate to a tenth of a unit, in as few characters as it takes. What is not
/// finite has no place in a picture, and stands at 0.
pub(super) fn number(value: f64) -> String {
    let mut text = String::new();
    push_number(&mut text, value);
    text
}

/// Adds a coordinate as [`number`] writes it. A picture has thousands of them, and most are written
/// without the exact digits of a float.
pub(super) fn push_number(out: &mut String, value: f64) {
    match tenths(value) {
        Some(0) => out.push('0'),
        Some(tenths) => {
            let sign = if tenths < 0 { "-" } else { "" };
            let (whole, tenth) = (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10);
            // Writing to a string cannot fail.
            _ = match tenth {
                0 => write!(out, "{sign}{whole}"),
                _ => write!(out, "{sign}{whole}.{tenth}"),
            };
        }
        None => out.push_str(&exact(value)),
    }
}

/// The tenths of a value, unless it is large, or so near the middle of two that its exact digits
/// decide.
#[expect(clippy::cast_possible_truncation, reason = "checked to be far below 2^53")]
fn tenths(value: f64) -> Option<i64> {
    const LARGEST: f64 = 1e9;
    const NEAR: f64 = 1e-6;
    let scaled = value * 10.0;
    let from_middle = (scaled - libm::floor(scaled) - 0.5).abs();
    let is_plain = scaled.abs() < LARGEST && from_middle > NEAR;
    is_plain.then(|| libm::round(scaled) as i64)
}

fn exact(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{value:.1}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

/// Adds text as XML may hold it: five characters by name. What XML 1.0 does not allow
/// (section 2.2), and what would turn the text around it (Unicode Annex 9, explicit
/// formatting), becomes U+FFFD.
fn push_escaped(out: &mut String, text: &str) {
    // Most text of a picture is coordinates.
    if text.bytes().all(is_plain) {
        return out.push_str(text);
    }
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            _ if is_barred(character) => out.push(char::REPLACEMENT_CHARACTER),
            _ => out.push(character),
        }
    }
}

/// Whether a byte is a character that is written as it is.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'')
}

fn is_barred(character: char) -> bool {
    matches!(character, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn coordinates_are_short_and_never_minus_zero() {
        for (value, text) in
            [(1.0, "1"), (1.26, "1.3"), (-0.01, "0"), (100.0, "100"), (f64::NAN, "0")]
        {
            assert_eq!(number(value), text);
        }
    }

    proptest! {
        /// What is quick gives the digits that the standard library gives.
        #[test]
        fn coordinates_are_rounded_exactly(
            value in prop_oneof![
                -2000.0_f64..2000.0,
                (-40_000_i32..40_000).prop_map(|twentieths| f64::from(twentieths) / 20.0),
                prop::num::f64::ANY,
            ],
        ) {
            prop_assert_eq!(number(value), exact(value));
        }

        /// A strict reader gives back what was put in, but for what is barred.
        #[test]
        fn text_survives_a_strict_reader(text in ".*") {
            let element = Element::new("text").with("data-name", text.clone()).text(text.clone());
            let mut xml = String::new();
            element.write(&mut xml);
            let document = roxmltree::Document::parse(&xml).unwrap();
            let root = document.root_element();
            let held = |c: char| match c {
                '\t' | '\n' | '\r' => ' ',
                _ if is_barred(c) => char::REPLACEMENT_CHARACTER,
                _ => c,
            };
            let expected: String = text.chars().map(held).collect();
            prop_assert_eq!(root.text().unwrap_or_default(), &expected);
            prop_assert_eq!(root.attribute("data-name").unwrap(), &expected);
        }
    }
}
