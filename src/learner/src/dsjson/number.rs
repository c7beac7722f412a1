//! Numbers of JSON. Most have few digits, and are read without a look at what they might be
//! otherwise.

use super::DropReason;
use super::cursor::{Cursor, Read};

const POWERS_OF_TEN: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

impl Cursor<'_> {
    /// A number within the range of `f64`.
    pub fn number(&mut self) -> Read<f64> {
        match self.short_number() {
            Some(number) => Ok(number),
            None => self.long_number(),
        }
    }

    /// The number that comes next, if it has few digits and no exponent; else nothing is read.
    #[inline]
    pub fn short_number(&mut self) -> Option<f64> {
        let (number, length) = short_decimal(self.rest())?;
        self.at += length;
        Some(number)
    }

    #[inline(never)]
    fn long_number(&mut self) -> Read<f64> {
        let start = self.at;
        self.skip_number()?;
        let text = std::str::from_utf8(self.since(start)).map_err(|_| DropReason::Syntax)?;
        let number: f64 = text.parse().map_err(|_| DropReason::Syntax)?;
        if number.is_finite() { Ok(number) } else { Err(DropReason::Syntax) }
    }

    /// A number without sign, point and exponent.
    pub fn unsigned(&mut self) -> Read<usize> {
        if let Some((number, length)) = short_unsigned(self.rest()) {
            self.at += length;
            return Ok(number);
        }
        let start = self.at;
        self.skip_number()?;
        let text = std::str::from_utf8(self.since(start)).map_err(|_| DropReason::Syntax)?;
        text.parse().map_err(|_| DropReason::Type)
    }

    fn skip_number(&mut self) -> Read<()> {
        self.at += usize::from(self.byte() == b'-');
        let starts_with_zero = self.byte() == b'0';
        let whole_digits = self.skip_digits()?;
        if starts_with_zero && whole_digits > 1 {
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

    /// Goes past digits, and returns how many there are.
    fn skip_digits(&mut self) -> Read<usize> {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        if digits > 0 { Ok(digits) } else { Err(DropReason::Syntax) }
    }
}

/// A number of few digits without exponent at the beginning of a text, exactly, and its length:
/// digits and power of ten are whole in `f64`, so that their quotient is rounded once (Clinger,
/// PLDI 1990).
#[inline]
fn short_decimal(text: &[u8]) -> Option<(f64, usize)> {
    let start = usize::from(text.first() == Some(&b'-'));
    let (mut digits, mut end) = leading_digits(0, text, start);
    let (whole_digits, mut fraction_digits) = (end - start, 0);
    if whole_digits != 1 && (whole_digits == 0 || text[start] == b'0') {
        return None;
    }
    let mut next = text.get(end).copied().unwrap_or(0);
    if next == b'.' {
        let fraction = end + 1;
        (digits, end) = leading_digits(digits, text, fraction);
        fraction_digits = end - fraction;
        next = text.get(end).copied().unwrap_or(0);
        if fraction_digits == 0 {
            return None;
        }
    }
    if whole_digits + fraction_digits > 15 || matches!(next, b'e' | b'E') {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "fifteen digits are whole in f64")]
    let mut number = digits.cast_signed() as f64;
    if fraction_digits > 0 {
        number /= POWERS_OF_TEN[fraction_digits];
    }
    Some((if start == 1 { -number } else { number }, end))
}

/// A number of few digits, which nothing else follows, at the beginning of a text, and its
/// length.
#[inline]
fn short_unsigned(text: &[u8]) -> Option<(usize, usize)> {
    let (number, end) = leading_digits(0, text, 0);
    let has_leading_zero = end > 1 && text[0] == b'0';
    let goes_on = matches!(text.get(end), Some(b'.' | b'e' | b'E'));
    let is_short = (1..=15).contains(&end) && !has_leading_zero;
    let number = usize::try_from(number).ok().filter(|_| is_short && !goes_on)?;
    Some((number, end))
}

/// Appends the digits from `at` on to a number, and where they end; wrong beyond nineteen of
/// them.
#[inline]
fn leading_digits(mut number: u64, text: &[u8], mut at: usize) -> (u64, usize) {
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0'))
        && digit < 10
    {
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (number, at)
}
