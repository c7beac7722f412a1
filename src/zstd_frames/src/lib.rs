//! Files that are compressed with Zstandard (RFC 8878): frames one after the other.
//!
//! A frame stands for itself, so a file grows by appending frames, and a process that is killed
//! leaves whole frames and at most one torn frame behind them.
//!
//! Must not know: what is compressed.

mod read;
mod whole;

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

pub use read::{MAGIC, ZstdReader};
pub use whole::{WholeFrames, whole_frames};

/// A frame of these bytes. The same bytes give the same frame.
#[must_use]
pub fn frame(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}
