//! Little-endian numbers, and the hash that VW chains over those of the header
//! (`io_buf.h`, `bin_write_fixed`).

use super::VwModelError;
use crate::features::uniform_hash;

/// Bytes that are being read.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    pub hash: u32,
}

/// Bytes that are being written.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
    pub hash: u32,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, hash: 0 }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The next `count` bytes of the part called `what`.
    pub fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], VwModelError> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..count).ok_or(VwModelError::Truncated(self.bytes.len(), what))?;
        self.at += count;
        self.hash = uniform_hash(taken, self.hash);
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], VwModelError> {
        let taken = self.take(N, what)?;
        Ok(taken.try_into().expect("as many bytes as were asked for"))
    }

    pub fn u8(&mut self, what: &'static str) -> Result<u8, VwModelError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    pub fn u32(&mut self, what: &'static str) -> Result<u32, VwModelError> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub fn u64(&mut self, what: &'static str) -> Result<u64, VwModelError> {
        self.array(what).map(u64::from_le_bytes)
    }

    pub fn f32(&mut self, what: &'static str) -> Result<f32, VwModelError> {
        self.array(what).map(f32::from_le_bytes)
    }

    pub fn f64(&mut self, what: &'static str) -> Result<f64, VwModelError> {
        self.array(what).map(f64::from_le_bytes)
    }

    /// A text behind its length, which counts the zero at its end.
    pub fn text(&mut self, what: &'static str) -> Result<&'a str, VwModelError> {
        let length = self.u32(what)? as usize;
        let text = self.take(length, what)?;
        let text = text.strip_suffix(&[0]).and_then(|text| std::str::from_utf8(text).ok());
        text.ok_or_else(|| VwModelError::Content(format!("its {what} is no text")))
    }
}

impl Writer {
    pub fn put(&mut self, bytes: &[u8]) {
        self.hash = uniform_hash(bytes, self.hash);
        self.bytes.extend_from_slice(bytes);
    }

    pub fn u32(&mut self, number: u32) {
        self.put(&number.to_le_bytes());
    }

    pub fn u64(&mut self, number: u64) {
        self.put(&number.to_le_bytes());
    }

    pub fn f32(&mut self, number: f32) {
        self.put(&number.to_le_bytes());
    }

    pub fn f64(&mut self, number: f64) {
        self.put(&number.to_le_bytes());
    }

    /// # Panics
    /// If the text is longer than 4 GiB.
    pub fn text(&mut self, text: &str) {
        let bytes = [text.as_bytes(), &[0]].concat();
        self.u32(u32::try_from(bytes.len()).expect("a text of less than 4 GiB"));
        self.put(&bytes);
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
