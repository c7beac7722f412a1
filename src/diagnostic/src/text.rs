use std::fmt;

use crate::Format;

/// Bytes that are no text, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotText {
    /// The first byte that is none, counted from 0.
    pub at: usize,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Format(Format),
    NotUtf8,
    Nul,
}

/// The byte order mark that some editors put before a text.
const MARK: char = '\u{feff}';

/// The text of a file, without the byte order mark before it.
///
/// # Errors
/// Where it is not UTF-8, or has a NUL byte, which no text has.
pub fn text_of(bytes: &[u8]) -> Result<&str, NotText> {
    if let Some(format) = Format::of(bytes) {
        return Err(NotText { at: 0, what: What::Format(format) });
    }
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let is_before = std::str::from_utf8(&bytes[..at]).is_ok();
        if is_before {
            return Err(NotText { at, what: What::Nul });
        }
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix(MARK).unwrap_or(text)),
        Err(error) => Err(NotText { at: error.valid_up_to(), what: What::NotUtf8 }),
    }
}

impl NotText {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self.what {
            What::Format(format) => format.remedy,
            What::NotUtf8 => "save the file in UTF-8",
            What::Nul => "delete it; a file with many is not text, or text in another encoding",
        }
    }
}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.what {
            What::Format(format) => format.name,
            What::NotUtf8 => "not UTF-8",
            What::Nul => "a NUL byte",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_has_a_place() {
        for (bytes, text) in [
            (&b"\xef\xbb\xbfkey\r\n"[..], "key\r\n"),
            (b"key", "key"),
            (b"", ""),
            (b"\xef\xbb\xbf", ""),
        ] {
            assert_eq!(text_of(bytes), Ok(text));
        }
        for (bytes, at, said) in [
            (&b"ab\xffc\0"[..], 2, "not UTF-8"),
            (b"ab\0\xff", 2, "a NUL byte"),
            (b"\xff\xfea\0", 0, "UTF-16, not UTF-8"),
            (b"\xfe\xff\0a", 0, "UTF-16, not UTF-8"),
            (b"PAR1\x15\x04", 0, "a Parquet file, not text"),
        ] {
            let found = text_of(bytes).unwrap_err();
            assert_eq!((found.at, found.to_string().as_str()), (at, said));
        }
    }
}
