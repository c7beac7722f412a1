//! The segments of a state: files of joined events.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use learning_loop::SegmentEvents;
use timestamp::Timestamp;

/// So much memory is reserved for the lines of a segment, whatever the snapshot says.
const MOST_RESERVED: usize = 32 << 20;

/// A file of joined events.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SegmentFile {
    pub name: String,
    pub events: usize,
    /// The SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// The bytes of the file.
    #[serde(default)]
    pub bytes: u64,
    /// The bytes of its lines, before they are compressed.
    #[serde(default)]
    pub lines: u64,
    /// When its first events were written.
    #[serde(default)]
    pub began: Option<Timestamp>,
}

pub(super) fn read_segment(path: &Path, segment: &SegmentFile) -> Result<SegmentEvents, String> {
    SegmentEvents::read(&segment_lines(path, segment)?)
}

pub(super) fn segment_lines(path: &Path, segment: &SegmentFile) -> Result<Vec<u8>, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    if digest(&bytes) != segment.sha256 {
        return Err("its checksum is wrong".to_owned());
    }
    let expected = usize::try_from(segment.lines).unwrap_or_default();
    let mut lines = Vec::with_capacity(expected.min(MOST_RESERVED));
    GzDecoder::new(&*bytes).read_to_end(&mut lines).map_err(|error| error.to_string())?;
    Ok(lines)
}

pub(super) fn digest(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        use std::fmt::Write;
        // Writing to a string cannot fail.
        _ = write!(text, "{byte:02x}");
    }
    text
}
