//! The compressed V2 encoding of a histogram (Java `HdrHistogram`,
//! `AbstractHistogram.encodeIntoCompressedByteBuffer`), written from the buckets that hold
//! something. What the crate offers goes through all buckets and sets a compressor up for
//! every histogram, which costs more (70 µs) than all the rest of an interval.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use metrics::{HIGHEST_US, IntervalLatencies, SIGNIFICANT_DIGITS};

const V2: u32 = 0x1c84_9313;
const V2_COMPRESSED: u32 = 0x1c84_9314;
/// Shorter payloads are stored as they are: a compressor would hardly shorten them.
const WORTH_COMPRESSING: usize = 256;

/// Appends the encoding of an interval to `bytes`.
pub(super) fn encode(latencies: &IntervalLatencies, bytes: &mut Vec<u8>) -> io::Result<()> {
    let counts = counts(latencies);
    let mut payload = Vec::with_capacity(40 + counts.len());
    payload.extend(V2.to_be_bytes());
    payload.extend(u32::try_from(counts.len()).map_err(io::Error::other)?.to_be_bytes());
    payload.extend(0_u32.to_be_bytes()); // the offset of the first bucket
    payload.extend(u32::from(SIGNIFICANT_DIGITS).to_be_bytes());
    payload.extend(1_u64.to_be_bytes());
    payload.extend(HIGHEST_US.to_be_bytes());
    payload.extend(1_f64.to_be_bytes()); // what a value counts, in its unit
    payload.extend(counts);
    let compressed = zlib(&payload)?;
    bytes.extend(V2_COMPRESSED.to_be_bytes());
    bytes.extend(u32::try_from(compressed.len()).map_err(io::Error::other)?.to_be_bytes());
    bytes.extend(compressed);
    Ok(())
}

/// The counts up to the last bucket that holds something; a negative number stands for so
/// many empty buckets.
fn counts(latencies: &IntervalLatencies) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut next = 0;
    for (bucket, count) in latencies.buckets() {
        match bucket - next {
            0 => {}
            1 => push_number(0, &mut bytes),
            empty => push_number(-empty.cast_signed(), &mut bytes),
        }
        push_number(count.cast_signed(), &mut bytes);
        next = bucket + 1;
    }
    bytes
}

/// Zigzag, then 7 bits a byte, the lowest first. (The ninth byte of a number would have
/// eight; counts are far shorter.)
fn push_number(number: i64, bytes: &mut Vec<u8>) {
    let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
    while rest > 0x7f {
        bytes.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    bytes.push(rest.to_le_bytes()[0]);
}

fn zlib(payload: &[u8]) -> io::Result<Vec<u8>> {
    if payload.len() < WORTH_COMPRESSING {
        return Ok(stored(payload));
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(payload)?;
    encoder.finish()
}

/// A zlib stream of one stored block (RFC 1950 and RFC 1951 §3.2.4).
fn stored(payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a short payload");
    let mut stream = Vec::with_capacity(payload.len() + 11);
    stream.extend([0x78, 0x01, 0x01]);
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(payload);
    stream.extend(adler2::adler32_slice(payload).to_be_bytes());
    stream
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};

    use super::*;
    use metrics::Latencies;

    proptest::proptest! {
        #[test]
        fn the_crate_reads_what_it_would_have_written(
            values in proptest::collection::vec((0..27_u32, 0_u64..2048), 0..200),
        ) {
            let micros: Vec<_> =
                values.iter().map(|(shift, value)| Duration::from_micros(value << shift)).collect();
            let mut recorded = Latencies::default();
            micros.iter().for_each(|latency| recorded.record(*latency));
            let mut bytes = Vec::new();
            encode(&IntervalLatencies::new(&micros), &mut bytes).unwrap();
            let read = Deserializer::new().deserialize::<u64, _>(&mut &*bytes).unwrap();
            proptest::prop_assert_eq!(&read, &*recorded.histogram());
            let mut theirs = Vec::new();
            V2Serializer::new().serialize(&recorded.histogram(), &mut theirs).unwrap();
            let empty = usize::from(micros.is_empty());
            let ours = counts(&IntervalLatencies::new(&micros));
            proptest::prop_assert_eq!(&ours, &theirs[40..theirs.len() - empty]);
        }
    }
}
