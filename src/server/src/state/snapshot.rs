//! The snapshot of a state: its manifest and the loop, after a checksum of both.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::migration;
use super::segment::SegmentFile;
use learning_loop::{LearningLoop, LoopOptions, RestoreError};

const MAGIC: &[u8; 8] = b"rnrstate";
pub(super) const FORMAT: u16 = 3;
/// The bytes of the checksum of a snapshot.
const CHECKSUM: usize = 32;
/// The bytes that are read or written at once.
const BUFFER: usize = 64 << 10;

/// The beginning of a snapshot.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The number of the first entry that is not covered.
    pub next: u64,
    /// The number of events in the log: the last ones of the segments.
    pub logged: usize,
    pub segments: Vec<SegmentFile>,
}

/// The loop and the manifest of a snapshot, or why there is none.
pub(super) fn read_snapshot(
    file: &mut File,
    options: &LoopOptions,
) -> io::Result<Result<(LearningLoop, Manifest), RestoreError>> {
    let damaged = |why: &str| Ok(Err(RestoreError::Invalid(why.to_owned())));
    let mut checksum = [0; CHECKSUM];
    if file.metadata()?.len() < CHECKSUM as u64 {
        return damaged("it is too short");
    }
    file.read_exact(&mut checksum)?;
    let mut content = BufReader::with_capacity(BUFFER, &*file);
    let mut digest = Digested { inner: io::sink(), digest: Sha256::new() };
    io::copy(&mut content, &mut digest)?;
    if digest.digest.finalize()[..] != checksum[..] {
        return damaged("its checksum is wrong");
    }
    file.seek(SeekFrom::Start(CHECKSUM as u64))?;
    Ok(parse_snapshot(BufReader::with_capacity(BUFFER, file), options))
}

fn parse_snapshot(
    mut content: impl Read,
    options: &LoopOptions,
) -> Result<(LearningLoop, Manifest), RestoreError> {
    let (manifest, format) = parse_manifest(&mut content).map_err(RestoreError::Invalid)?;
    let snapshot = BufReader::with_capacity(BUFFER, GzDecoder::new(content));
    let learning_loop = if format == FORMAT {
        LearningLoop::restore(snapshot, options)?
    } else {
        let snapshot = migration::json_last(snapshot).map_err(RestoreError::Invalid)?;
        LearningLoop::restore(&*snapshot, options)?
    };
    Ok((learning_loop, manifest))
}

/// The manifest, and the format of the snapshot after it.
fn parse_manifest(content: &mut impl Read) -> Result<(Manifest, u16), String> {
    let (mut magic, mut format, mut length) = ([0; 8], [0; 2], [0; 8]);
    for part in [&mut magic[..], &mut format, &mut length] {
        content.read_exact(part).map_err(|_| "it is too short".to_owned())?;
    }
    let format = u16::from_le_bytes(format);
    if magic != *MAGIC || ![FORMAT, migration::JSON_FIRST].contains(&format) {
        return Err(format!("it has format {format}, this program reads {FORMAT}"));
    }
    let manifest = content.by_ref().take(u64::from_le_bytes(length));
    let manifest = serde_json::from_reader(manifest).map_err(|error| error.to_string())?;
    Ok((manifest, format))
}

/// Writes a snapshot after its checksum. It may be large, and is never in memory as a whole.
pub(super) fn write_snapshot(
    file: &mut File,
    manifest: &Manifest,
    learning_loop: &mut LearningLoop,
) -> io::Result<()> {
    let manifest = serde_json::to_vec(manifest)?;
    file.write_all(&[0; CHECKSUM])?;
    let mut content = Digested { inner: &*file, digest: Sha256::new() };
    content.write_all(MAGIC)?;
    content.write_all(&FORMAT.to_le_bytes())?;
    content.write_all(&(manifest.len() as u64).to_le_bytes())?;
    content.write_all(&manifest)?;
    let encoder = GzEncoder::new(content, Compression::fast());
    let mut snapshot = BufWriter::with_capacity(BUFFER, encoder);
    learning_loop.write_snapshot(&mut snapshot)?;
    let encoder = snapshot.into_inner().map_err(io::IntoInnerError::into_error)?;
    let checksum = encoder.finish()?.digest.finalize();
    file.rewind()?;
    file.write_all(&checksum)
}

/// A writer, and the SHA-256 of what was written.
struct Digested<W> {
    inner: W,
    digest: Sha256,
}

impl<W: Write> Write for Digested<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
