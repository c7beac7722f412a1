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

/// Seven blanks above a byte.
const FILL: u64 = (ONES * 0x20) << 8;

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

const POWERS_OF_TEN: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

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

    fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[inline]
    pub fn skip_white_space(&mut self) {
        while matches!(self.byte(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    /// Goes past `byte` if it comes next.
    pub fn take(&mut self, byte: u8) -> bool {
        self.skip_white_space();
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

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

    /// Whether an array goes on; goes past the comma, or past its end.
    pub fn next_element(&mut self, first: &mut bool) -> Read<bool> {
        if self.take(b']') {
            return Ok(false);
        }
        if !std::mem::take(first) {
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// A string. Bytes are not checked to be UTF-8: VW does not check them.
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

    fn skip_plain(&mut self) {
        while let Some(word) = self.rest().first_chunk::<8>() {
            let special = special_bytes(u64::from_le_bytes(*word));
            if special != 0 {
                self.at += special.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
        let rest = self.rest();
        let plain = rest.iter().position(|byte| special_bytes(u64::from(*byte) | FILL) != 0);
        self.at += plain.unwrap_or(rest.len());
    }

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

    /// A number within the range of `f64`.
    pub fn number(&mut self) -> Read<f64> {
        let start = self.at;
        if let Some(number) = self.short_decimal() {
            return Ok(number);
        }
        self.at = start;
        self.skip_number()?;
        let text = std::str::from_utf8(self.since(start)).map_err(|_| DropReason::Syntax)?;
        let number: f64 = text.parse().map_err(|_| DropReason::Syntax)?;
        if number.is_finite() { Ok(number) } else { Err(DropReason::Syntax) }
    }

    /// A number of few digits without exponent, exactly: digits and power of ten are whole
    /// in `f64`, so that their quotient is rounded once (Clinger, PLDI 1990).
    fn short_decimal(&mut self) -> Option<f64> {
        let is_negative = self.byte() == b'-';
        self.at += usize::from(is_negative);
        let start = self.at;
        let whole = self.digits(0);
        let whole_digits = self.at - start;
        let mut digits = whole;
        let mut fraction_digits = 0;
        if self.byte() == b'.' {
            self.at += 1;
            let start = self.at;
            digits = self.digits(whole);
            fraction_digits = self.at - start;
            if fraction_digits == 0 {
                return None;
            }
        }
        let has_leading_zero = whole_digits > 1 && self.bytes[start] == b'0';
        let is_long = whole_digits + fraction_digits > 15;
        let has_exponent = matches!(self.byte(), b'e' | b'E');
        if whole_digits == 0 || has_leading_zero || is_long || has_exponent {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "fifteen digits are whole in f64")]
        let number = digits as f64 / POWERS_OF_TEN[fraction_digits];
        Some(if is_negative { -number } else { number })
    }

    /// A number of few digits, which nothing else follows.
    fn short_unsigned(&mut self) -> Option<usize> {
        let start = self.at;
        let number = self.digits(0);
        let (digits, has_leading_zero) = (self.at - start, self.bytes.get(start) == Some(&b'0'));
        let goes_on = matches!(self.byte(), b'.' | b'e' | b'E');
        let is_short = (1..=15).contains(&digits) && !(has_leading_zero && digits > 1);
        usize::try_from(number).ok().filter(|_| is_short && !goes_on)
    }

    /// Goes past digits and appends them to a number; wrong beyond nineteen of them.
    fn digits(&mut self, mut number: u64) -> u64 {
        while self.byte().is_ascii_digit() {
            number = number.wrapping_mul(10).wrapping_add(u64::from(self.byte() - b'0'));
            self.at += 1;
        }
        number
    }

    /// A number without sign, point and exponent.
    pub fn unsigned(&mut self) -> Read<usize> {
        let start = self.at;
        if let Some(number) = self.short_unsigned() {
            return Ok(number);
        }
        self.at = start;
        self.skip_number()?;
        let text = std::str::from_utf8(self.since(start)).map_err(|_| DropReason::Syntax)?;
        text.parse().map_err(|_| DropReason::Type)
    }

    fn skip_number(&mut self) -> Read<()> {
        self.at += usize::from(self.byte() == b'-');
        let whole = self.at;
        self.skip_digits()?;
        if self.bytes[whole] == b'0' && self.at > whole + 1 {
            return Err(DropReason::Syntax);
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.skip_digits()?;
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), b'+' | b'-'));
            self.skip_digits()?;
        }
        Ok(())
    }

    fn skip_digits(&mut self) -> Read<()> {
        let rest = self.rest();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        if digits > 0 { Ok(()) } else { Err(DropReason::Syntax) }
    }

    /// Goes past the colon and the value of a key that nobody reads, as VW does: the colon
    /// must follow at once, and only quotes and brackets are looked at. VW looks for the
    /// colon behind the decoded key, which is shorter than one with escapes
    /// (`parse_example_json.cc`, `DefaultState::Ignore`).
    #[expect(clippy::ptr_arg, reason = "an owned key is one with escapes")]
    pub fn skip_unread(&mut self, key: &Cow<'_, [u8]>) -> Read<()> {
        if matches!(key, Cow::Owned(_)) || self.byte() != b':' {
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
