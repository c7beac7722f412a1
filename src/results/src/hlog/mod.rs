//! `.hlog`: an `HdrHistogram` interval log, version 1.3, in microseconds.

mod encoding;

use std::io::{self, Write};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use metrics::IntervalLatencies;
use timestamp::Timestamp;

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

/// Appends the line of one interval to a log. The tag must hold no comma, blank or line
/// break.
pub(super) fn push_interval(
    tag: &str,
    (start, length): (Duration, Duration),
    latencies: &IntervalLatencies,
    log: &mut Vec<u8>,
) -> io::Result<()> {
    let mut histogram = Vec::new();
    encoding::encode(latencies, &mut histogram)?;
    let (start, length) = (start.as_secs_f64(), length.as_secs_f64());
    let longest = milliseconds(latencies.highest_us().unwrap_or_default());
    write!(log, "Tag={tag},{start:.3},{length:.3},{longest:.3},")?;
    let text = STANDARD.encode(histogram);
    log.extend(text.as_bytes());
    log.push(b'\n');
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "no latency is longer than 60 s")]
fn milliseconds(micros: u64) -> f64 {
    micros as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use hdrhistogram::Histogram;

    use super::*;
    use crate::hgrm::percentile_distribution;
    use crate::hgrm::tests::{drawn, recorded};

    const FOLDER: &str = "tests/fixtures";

    fn second(index: u64) -> Vec<u64> {
        drawn(20 + 140 * index, |_, draw| 50 + draw.below(9_926))
    }

    fn log() -> Vec<u8> {
        let mut log = header("runner 0.1.0 scenario=golden", Timestamp::VIRTUAL_START).into_bytes();
        for index in 0..3 {
            let interval = (Duration::from_secs(index), Duration::from_secs(1));
            let latencies: Vec<_> = second(index).into_iter().map(Duration::from_micros).collect();
            for tag in ["baseline.rank", "baseline.reward"] {
                let latencies = IntervalLatencies::new(&latencies);
                push_interval(tag, interval, &latencies, &mut log).unwrap();
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
                let bytes = STANDARD.decode(interval.encoded_histogram()).unwrap();
                let histogram = Deserializer::new().deserialize(&mut &*bytes).unwrap();
                let tag = interval.tag().map(|tag| tag.as_str().to_owned());
                (tag, interval.start_timestamp(), interval.duration(), histogram)
            })
            .collect()
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
        let all = recorded((0..3).flat_map(second));
        let ours = percentile_distribution(&all.histogram());
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
