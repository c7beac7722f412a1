//! JSON, read from front to back.

use std::borrow::Cow;

use super::DropReason;

pub type Read<T> = Result<T, DropReason>;

/// A place in a line.
#[derive(Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    pub at: usize,
}

/// What a value begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Object,
    Array,
    Text,
    Number,
    True,
    False,
    Null,
}

/// One in every byte.
const ONES: u64 = u64::MAX / 255;

/// Eight bytes at once: those that do not stand for themselves in a string, quotes,
/// backslashes and control characters, have their highest bit set in the result. The
/// lowest of them is right, which is the one that counts (Mycroft's test).
const fn special_bytes(word: u64) -> u64 {
    let quotes = word ^ (ONES * b'"' as u64);
    let backslashes = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = quotes.wrapping_sub(ONES) & !quotes;
    let backslash = backslashes.wrapping_sub(ONES) & !backslashes;
    (control | quote | backslash) & (ONES * 0x80)
}

/// The same of one byte; not zero if it is one of them.
const fn is_special(byte: u8) -> u8 {
    (byte == b'"') as u8 | (byte == b'\\') as u8 | (byte < 0x20) as u8
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// What stands between an earlier place and this one.
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.at]
    }

    pub fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    #[inline]
    pub fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[inline]
    pub fn skip_white_space(&mut self) {
        while matches!(self.byte(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    /// Goes past `byte` if it comes next.
    #[inline]
    pub fn take(&mut self, byte: u8) -> bool {
        if self.bytes.get(self.at) != Some(&byte) {
            self.skip_white_space();
        }
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    pub fn expect(&mut self, byte: u8) -> Read<()> {
        if self.take(byte) { Ok(()) } else { Err(DropReason::Syntax) }
    }

    fn expect_word(&mut self, word: &[u8]) -> Read<()> {
        if !self.rest().starts_with(word) {
            return Err(DropReason::Syntax);
        }
        self.at += word.len();
        Ok(())
    }

    /// The kind of the next value.
    pub fn kind(&mut self) -> Read<Kind> {
        self.skip_white_space();
        Ok(match self.byte() {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b'"' => Kind::Text,
            b'-' | b'0'..=b'9' => Kind::Number,
            b't' => Kind::True,
            b'f' => Kind::False,
            b'n' => Kind::Null,
            _ => return Err(DropReason::Syntax),
        })
    }

    /// The next value, which is true, false or null by its kind.
    pub fn literal(&mut self, kind: Kind) -> Read<()> {
        match kind {
            Kind::True => self.expect_word(b"true"),
            Kind::False => self.expect_word(b"false"),
            Kind::Null => self.expect_word(b"null"),
            _ => Err(DropReason::Type),
        }
    }

    /// The next key of an object or none at its end; the colon is still to come.
    pub fn key(&mut self, first: &mut bool) -> Read<Option<Cow<'a, [u8]>>> {
        let is_first = std::mem::take(first);
        self.skip_white_space();
        match self.byte() {
            b'}' => {
                self.at += 1;
                return Ok(None);
            }
            b',' if !is_first => self.at += 1,
            _ if is_first => {}
            _ => return Err(DropReason::Syntax),
        }
        self.string().map(Some)
    }

    /// Goes past `text` if it comes next.
    #[inline]
    pub fn take_text(&mut self, text: &[u8]) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    /// Whether an array goes on; goes past the comma, or past its end.
    #[inline]
    pub fn next_element(&mut self, first: &mut bool) -> Read<bool> {
        if !*first && self.byte() == b',' {
            self.at += 1;
            return Ok(true);
        }
        if self.take(b']') {
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// A string. Bytes are not checked to be UTF-8: VW does not check them.
    #[inline]
    pub fn string(&mut self) -> Read<Cow<'a, [u8]>> {
        self.expect(b'"')?;
        let start = self.at;
        self.skip_plain();
        if self.byte() == b'"' {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.bytes[start..self.at - 1]));
        }
        self.escaped_string(start).map(Cow::Owned)
    }

    #[inline]
    fn skip_plain(&mut self) {
        while let Some(chunk) = self.rest().first_chunk::<16>()
            && chunk.iter().fold(0, |any, byte| any | is_special(*byte)) == 0
        {
            self.at += 16;
        }
        while let Some(word) = self.rest().first_chunk::<8>() {
            let special = special_bytes(u64::from_le_bytes(*word));
            if special != 0 {
                self.at += special.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
        let rest = self.rest();
        let plain = rest.iter().position(|byte| is_special(*byte) != 0);
        self.at += plain.unwrap_or(rest.len());
    }

    #[cold]
    fn escaped_string(&mut self, start: usize) -> Read<Vec<u8>> {
        let mut text = self.since(start).to_vec();
        loop {
            match self.byte() {
                b'"' => {
                    self.at += 1;
                    return Ok(text);
                }
                b'\\' => self.escape(&mut text)?,
                _ => return Err(DropReason::Syntax),
            }
            let plain = self.at;
            self.skip_plain();
            text.extend_from_slice(self.since(plain));
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Read<()> {
        self.at += 1;
        let byte = match self.byte() {
            b'"' => b'"',
            b'\\' => b'\\',
            b'/' => b'/',
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.code_point(text),
            _ => return Err(DropReason::Syntax),
        };
        self.at += 1;
        text.push(byte);
        Ok(())
    }

    /// `u` with four hexadecimal digits, or a pair of surrogates.
    fn code_point(&mut self, text: &mut Vec<u8>) -> Read<()> {
        self.at += 1;
        let mut code = self.four_digits()?;
        if (0xd800..0xdc00).contains(&code) {
            self.expect_word(b"\\u")?;
            let low = self.four_digits()?.wrapping_sub(0xdc00);
            if low >= 0x400 {
                return Err(DropReason::Syntax);
            }
            code = 0x10000 + ((code - 0xd800) << 10) + low;
        }
        let character = char::from_u32(code).ok_or(DropReason::Syntax)?;
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn four_digits(&mut self) -> Read<u32> {
        let digits = self.rest().get(..4).ok_or(DropReason::Syntax)?;
        self.at += 4;
        digits.iter().try_fold(0, |code, digit| {
            let value = char::from(*digit).to_digit(16).ok_or(DropReason::Syntax)?;
            Ok(code * 16 + value)
        })
    }

    /// Goes past the colon and the value of a key that nobody reads. VW looks for the colon
    /// behind the decoded key, which is shorter than one with escapes
    /// (`parse_example_json.cc`, `DefaultState::Ignore`).
    #[expect(clippy::ptr_arg, reason = "an owned key is one with escapes")]
    pub fn skip_unread_key(&mut self, key: &Cow<'_, [u8]>) -> Read<()> {
        if matches!(key, Cow::Owned(_)) {
            return Err(DropReason::Syntax);
        }
        self.skip_unread()
    }

    /// The same of a key without escapes, as VW does: the colon must follow at once, and only
    /// quotes and brackets are looked at.
    pub fn skip_unread(&mut self) -> Read<()> {
        if self.byte() != b':' {
            return Err(DropReason::Syntax);
        }
        self.at += 1;
        self.skip_balanced()
    }

    /// Goes on to the comma or the bracket that ends a value.
    pub fn skip_balanced(&mut self) -> Read<()> {
        let (mut braces, mut brackets) = (0_i32, 0_i32);
        loop {
            let is_outside = braces == 0 && brackets == 0;
            match self.bytes.get(self.at) {
                None => return Err(DropReason::Syntax),
                Some(b'"') => self.skip_quoted()?,
                Some(b',' | b'}' | b']') if is_outside => return Ok(()),
                Some(b'{') => braces += 1,
                Some(b'}') => braces -= 1,
                Some(b'[') => brackets += 1,
                Some(b']') => brackets -= 1,
                Some(_) => {}
            }
            self.at += 1;
        }
    }

    /// Goes to the closing quote.
    fn skip_quoted(&mut self) -> Read<()> {
        loop {
            self.at += 1;
            match self.bytes.get(self.at) {
                None => return Err(DropReason::Syntax),
                Some(b'\\') => self.at += 1,
                Some(b'"') => return Ok(()),
                Some(_) => {}
            }
        }
    }
}
