//! `.hlog`: an `HdrHistogram` interval log, version 1.3, in microseconds.

use std::io::{self, Write};
use std::time::Duration;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use hdrhistogram::serialization::{Serializer, V2Serializer};
use hdrhistogram::{Counter, Histogram};

use crate::clock::Timestamp;

/// The largest value of an interval is written in milliseconds.
const MAX_VALUE_DIVISOR: f64 = 1000.0;

/// What stands before the first interval. `StartTime` is the origin of plots and
/// `BaseTime` is what intervals count from; with one of them Java's reader guesses.
pub(super) fn header(comment: &str, start: Timestamp) -> String {
    let seconds = format!("{:.3}", since_epoch(start).as_secs_f64());
    let comment = comment.replace(['\n', '\r'], " ");
    format!(
        "#[{comment}]\n\
         #[Histogram log format version 1.3]\n\
         #[StartTime: {seconds} (seconds since epoch), {start}]\n\
         #[BaseTime: {seconds} (seconds since epoch)]\n\
         \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"
    )
}

fn since_epoch(moment: Timestamp) -> Duration {
    Duration::from_micros(u64::try_from(moment.unix_micros()).unwrap_or(0))
}

/// Writes lines of an interval log.
pub(super) struct IntervalWriter {
    serializer: CompressedV2,
}

impl IntervalWriter {
    pub fn new() -> Self {
        let encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        Self { serializer: CompressedV2 { plain: V2Serializer::new(), encoder } }
    }

    /// The line of one interval. The tag must hold no comma, blank or line break.
    pub fn line(
        &mut self,
        tag: &str,
        start: Duration,
        length: Duration,
        histogram: &Histogram<u64>,
    ) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut builder = IntervalLogWriterBuilder::new();
        builder.with_max_value_divisor(MAX_VALUE_DIVISOR);
        let mut writer = builder.begin_log_with(&mut bytes, &mut self.serializer)?;
        let written = writer.write_histogram(histogram, start, length, Tag::new(tag));
        written.map_err(io::Error::other)?;
        Ok(without_comments(&bytes))
    }
}

/// The compressed V2 encoding, as `V2DeflateSerializer` writes it; the plain one is
/// "malformed" to Java. That serializer sets a compressor up for every histogram, which
/// costs more (70 µs) than all the rest of an interval.
struct CompressedV2 {
    plain: V2Serializer,
    encoder: ZlibEncoder<Vec<u8>>,
}

impl Serializer for CompressedV2 {
    type SerializeError = io::Error;

    fn serialize<T: Counter, W: Write>(
        &mut self,
        histogram: &Histogram<T>,
        writer: &mut W,
    ) -> io::Result<usize> {
        const COOKIE: u32 = 0x1c84_9314;
        let payload = self.plain.serialize(histogram, &mut self.encoder);
        payload.map_err(io::Error::other)?;
        let compressed = self.encoder.reset(Vec::new())?;
        let length = u32::try_from(compressed.len()).map_err(io::Error::other)?;
        writer.write_all(&COOKIE.to_be_bytes())?;
        writer.write_all(&length.to_be_bytes())?;
        writer.write_all(&compressed)?;
        Ok(compressed.len() + 8)
    }
}

/// The crate's writer begins with a comment of its own.
fn without_comments(log: &[u8]) -> Vec<u8> {
    let lines = log.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| !line.starts_with(b"#")).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::metrics::Latencies;
    use crate::results::hgrm::percentile_distribution;
    use crate::results::hgrm::tests::drawn;

    const FOLDER: &str = "tests/fixtures/results";

    fn second(index: u64) -> Latencies {
        drawn(100 * (index + 1), |_, draw| 50 + draw.below(9_926))
    }

    fn log() -> Vec<u8> {
        let mut log = header("runner 0.1.0 scenario=golden", Timestamp::VIRTUAL_START).into_bytes();
        let mut writer = IntervalWriter::new();
        for index in 0..3 {
            let (start, length) = (Duration::from_secs(index), Duration::from_secs(1));
            for tag in ["baseline.rank", "baseline.reward"] {
                log.extend(writer.line(tag, start, length, second(index).histogram()).unwrap());
            }
        }
        log
    }

    fn fixture(name: &str) -> Vec<u8> {
        let path = format!("{FOLDER}/{name}");
        std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Tag, start, length, and the histogram.
    type Interval = (Option<String>, Duration, Duration, Histogram<u64>);

    fn intervals(log: &[u8]) -> Vec<Interval> {
        let entries = IntervalLogIterator::new(log).map(|entry| entry.expect("a line of a log"));
        let intervals = entries.filter_map(|entry| match entry {
            LogEntry::Interval(interval) => Some(interval),
            _ => None,
        });
        intervals
            .map(|interval| {
                let bytes = base64(interval.encoded_histogram());
                let histogram = Deserializer::new().deserialize(&mut &*bytes).unwrap();
                let tag = interval.tag().map(|tag| tag.as_str().to_owned());
                (tag, interval.start_timestamp(), interval.duration(), histogram)
            })
            .collect()
    }

    /// Decodes Base64 (RFC 4648 §4).
    fn base64(text: &str) -> Vec<u8> {
        let alphabet = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']);
        let alphabet: Vec<char> = alphabet.collect();
        let digits = text.trim_end_matches('=').chars();
        let bits = digits.flat_map(|digit| {
            let value = alphabet.iter().position(|known| *known == digit).unwrap();
            (0..6).rev().map(move |bit| value >> bit & 1)
        });
        let bits: Vec<usize> = bits.collect();
        let byte =
            |bits: &[usize]| bits.iter().fold(0_u8, |byte, bit| byte << 1 | u8::from(*bit == 1));
        bits.chunks_exact(8).map(byte).collect()
    }

    #[test]
    fn java_reads_these_bytes() {
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::write(format!("{FOLDER}/runner.hlog"), log()).unwrap();
        }
        assert!(log() == fixture("runner.hlog"), "make.sh must be run again");
        let tags = String::from_utf8(fixture("runner.tags")).unwrap();
        assert!(tags.contains("baseline.rank") && tags.contains("baseline.reward"), "{tags}");
    }

    #[test]
    fn java_understands_what_was_recorded() {
        let mut sum = Latencies::default();
        (0..3).for_each(|index| sum.add(&second(index)));
        let ours = percentile_distribution(sum.histogram());
        for operation in ["rank", "reward"] {
            let javas = String::from_utf8(fixture(&format!("runner.{operation}.hgrm"))).unwrap();
            let uncommented = javas.lines().skip_while(|line| line.starts_with("#["));
            assert_eq!(uncommented.collect::<Vec<_>>(), ours.lines().collect::<Vec<_>>());
        }
    }

    #[test]
    fn java_writes_the_same_intervals() {
        let ours = intervals(&log()).into_iter();
        let ours: Vec<_> =
            ours.filter(|(tag, ..)| tag.as_deref() == Some("baseline.rank")).collect();
        let javas = intervals(&fixture("java.hlog"));
        assert_eq!(ours.len(), 3);
        assert_eq!(ours, javas);
    }
}
