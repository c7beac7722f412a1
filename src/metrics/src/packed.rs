use std::io::{self, Read, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes that stand in JSON as zlib in base64.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed(pub Vec<u8>);

/// A column of a phase has at most so many bytes: eight for each of a billion iterations.
const LARGEST: u64 = 8_000_000_000;

impl Packed {
    /// Numbers of eight bytes, the lowest first.
    pub(super) fn of_numbers(numbers: &[f64]) -> Self {
        let mut bytes = Vec::with_capacity(8 * numbers.len());
        numbers.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        Self(bytes)
    }

    /// The numbers; what is left over at the end is none.
    pub(super) fn numbers(&self) -> impl Iterator<Item = f64> + '_ {
        let (numbers, _) = self.0.as_chunks();
        numbers.iter().map(|bytes| f64::from_le_bytes(*bytes))
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Writing to memory cannot fail.
        let compressed = compress(&self.0).unwrap_or_default();
        serializer.serialize_str(&BASE64_STANDARD.encode(compressed))
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let compressed = BASE64_STANDARD.decode(text).map_err(de::Error::custom)?;
        let mut bytes = Vec::new();
        let decoder = ZlibDecoder::new(&compressed[..]);
        decoder.take(LARGEST).read_to_end(&mut bytes).map_err(de::Error::custom)?;
        Ok(Self(bytes))
    }
}

fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}
