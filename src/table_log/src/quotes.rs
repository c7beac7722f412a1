//! The quotes of CSV.

use std::fmt::{self, Display, Formatter};
use std::io::{self, BufRead, Read};

use crate::refused::RefusedText;

/// Follows the quotes of a CSV text, and finds one that is not closed: the reader would take the
/// rows behind it for a part of its field. As in the crate `csv`, a quote opens a field that it
/// begins, two are one within it, and a quote elsewhere is a letter.
#[derive(Debug, Clone)]
pub struct Quotes {
    separator: u8,
    state: State,
    byte: usize,
    line: u64,
    start_of_line: usize,
    opened: OpenQuote,
}

/// Where a quote was opened that is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenQuote {
    /// Its byte in the text, from zero.
    pub byte: usize,
    /// Its line, from one.
    pub line: u64,
    /// Its byte in the line, from one.
    pub column: usize,
}

impl OpenQuote {
    /// What to do about it.
    pub const REMEDY: &str = "close it, or write a quote within a text as two, and quotes around";
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    StartOfField,
    Unquoted,
    Quoted,
    /// Behind a quote in a quoted field: its end, or the first of two.
    Quote,
    /// Behind blanks after a quoted field.
    Closed,
}

/// The bytes of a text, as long as its quotes are closed.
pub(crate) struct QuotedText {
    text: Box<dyn BufRead + Send>,
    quotes: Quotes,
}

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

impl Quotes {
    /// At the beginning of a text.
    #[must_use]
    pub fn new(separator: u8) -> Self {
        let opened = OpenQuote { byte: 0, line: 1, column: 1 };
        let state = State::StartOfField;
        Self { separator, state, byte: 0, line: 1, start_of_line: 0, opened }
    }

    /// Follows what comes next of the text.
    ///
    /// # Errors
    /// A field over several lines goes on behind its last quote: that opened another field.
    pub fn follow(&mut self, text: &[u8]) -> Result<(), OpenQuote> {
        let is_quoted = matches!(self.state, State::Quoted | State::Quote | State::Closed);
        let is_begun = self.byte >= BYTE_ORDER_MARK.len();
        if is_begun && !is_quoted && !text.contains(&b'"') {
            self.follow_unquoted(text);
            return Ok(());
        }
        for &byte in text {
            self.state = self.next(byte)?;
            self.byte += 1;
            if byte == b'\n' {
                self.line += 1;
                self.start_of_line = self.byte;
            }
        }
        Ok(())
    }

    /// The end of the text.
    ///
    /// # Errors
    /// The last quote is not closed.
    pub fn end(&self) -> Result<(), OpenQuote> {
        if self.state == State::Quoted { Err(self.opened) } else { Ok(()) }
    }

    fn follow_unquoted(&mut self, text: &[u8]) {
        let Some(last) = text.last() else { return };
        if let Some(end) = text.iter().rposition(|byte| *byte == b'\n') {
            self.line += text.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
            self.start_of_line = self.byte + end + 1;
        }
        let ends_field = [self.separator, b'\n', b'\r'].contains(last);
        self.state = if ends_field { State::StartOfField } else { State::Unquoted };
        self.byte += text.len();
    }

    fn next(&mut self, byte: u8) -> Result<State, OpenQuote> {
        let ends_field = [self.separator, b'\n', b'\r'].contains(&byte);
        Ok(match self.state {
            State::StartOfField if byte == b'"' => {
                let column = self.byte - self.start_of_line + 1;
                self.opened = OpenQuote { byte: self.byte, line: self.line, column };
                State::Quoted
            }
            State::StartOfField if BYTE_ORDER_MARK.get(self.byte) == Some(&byte) => {
                State::StartOfField
            }
            State::Quoted if byte == b'"' => State::Quote,
            State::Quoted => State::Quoted,
            State::Quote if byte == b'"' => State::Quoted,
            _ if ends_field => State::StartOfField,
            State::Quote | State::Closed if byte == b' ' => State::Closed,
            State::Quote | State::Closed if self.line > self.opened.line => {
                return Err(self.opened);
            }
            _ => State::Unquoted,
        })
    }
}

impl Display for OpenQuote {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { line, column, .. } = self;
        write!(
            f,
            "the quote at line {line}, column {column} has no end: expected `\"` before the next \
             separator or line end"
        )
    }
}

impl QuotedText {
    pub fn new(text: Box<dyn BufRead + Send>, separator: u8) -> Self {
        Self { text, quotes: Quotes::new(separator) }
    }
}

impl Read for QuotedText {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.text.read(into)?;
        let followed =
            if length == 0 { self.quotes.end() } else { self.quotes.follow(&into[..length]) };
        let refused = |quote: OpenQuote| RefusedText::error(quote.to_string(), OpenQuote::REMEDY);
        followed.map(|()| length).map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The place of a quote that is not closed, for pieces of any size.
    fn open(separator: u8, text: &str) -> Option<(u64, usize)> {
        let of = |size: usize| {
            let mut quotes = Quotes::new(separator);
            let followed = text.as_bytes().chunks(size).try_for_each(|part| quotes.follow(part));
            followed.and_then(|()| quotes.end()).err()
        };
        let whole = of(text.len().max(1));
        (1..9).for_each(|size| assert_eq!(of(size), whole, "{size} {text:?}"));
        whole.map(|OpenQuote { byte, line, column }| {
            assert_eq!(text.as_bytes()[byte], b'"');
            (line, column)
        })
    }

    #[test]
    fn a_quote_without_end_is_found_where_it_was_opened() {
        let table = [
            ("a,b\n1,\"x\n2,y\n", Some((2, 3))),
            ("a,b\r\n1,\"x\r\n2,y\r\n", Some((2, 3))),
            // The quote of another field seems to close it.
            ("a,b\n1,\"x\n2,\"y\"\n3,z\n", Some((2, 3))),
            ("a,b\n1,\"x\n2,\"y\"\"\"\n3,\"z\"\n", Some((2, 3))),
            // In the last line, with and without a line end.
            ("a,b\n1,\"x", Some((2, 3))),
            ("a,b\n\"", Some((2, 1))),
            ("a,b\n1,x\"\"\n1,\"x\"\"\n", Some((3, 3))),
            ("\u{feff}\"a,b\n1,2\n", Some((1, 4))),
            ("é,\"b\n", Some((1, 4))),
        ];
        for (text, expected) in table {
            assert_eq!(open(b',', text), expected, "{text:?}");
            let of = |separator: &str| text.replace(',', separator);
            assert_eq!(open(b';', &of(";")), expected);
            assert_eq!(open(b'\t', &of("\t")), expected);
        }
    }

    #[test]
    fn quotes_that_are_closed_or_are_letters_are_left_alone() {
        for text in [
            "",
            "a,b\n1,\"x\"\n",
            "a,b\n1,\"x\"",
            "a,b\r\n1,\"x\r\ny\"\r\n",
            "a,b\n\"x \"\"y\"\", z\n\",2\n",
            "a,b\n\"\"\"\",\"\"\n",
            // Within a field that is not quoted.
            "a,b\n5\" x 3\", 2\n",
            "a,b\n \"x,2\n",
            "a,b\n\"x\"y,2\n\"x\ny\" ,2\n",
            "\u{feff}\"a\",b\n1,2\n",
        ] {
            assert_eq!(open(b',', text), None, "{text:?}");
        }
    }

    proptest! {
        /// A writer of CSV closes every quote. Without the last one, it is found to be open.
        #[test]
        fn whatever_is_written_has_closed_quotes(
            rows in proptest::collection::vec(
                proptest::collection::vec("[a\",;\t\r\n é]{0,5}", 2), 1..6,
            ),
        ) {
            for separator in [b',', b';', b'\t'] {
                let mut writer =
                    csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
                rows.iter().for_each(|row| writer.write_record(row).unwrap());
                let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
                prop_assert_eq!(open(separator, &text), None);
                if let Some(text) = text.strip_suffix("\"\n") {
                    prop_assert!(open(separator, text).is_some(), "{:?}", text);
                }
            }
        }
    }
}
