//! Files of log entries: records with two checksums.
//!
//! A record is the length of its content (4 bytes), its number (8), the CRC-32 of both (4), the
//! content, and the CRC-32 of the content (4), all little-endian. The first checksum tells a
//! record that was not written to its end from one with a damaged length. The content is an entry
//! in JSON; that of a large one is compressed, since others wait until it is synced.

use std::fs::{self, File};
use std::io::{self, IoSlice, Read, Write};
use std::path::Path;

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, Crc};
use serde::Serialize;

use super::disk::Disk;

const HEADER: usize = 16;

/// Entries of more bytes of JSON are compressed.
const LARGE: usize = 64 << 10;

/// The first bytes of a compressed entry. JSON does not begin with them.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A journal that is open for writing.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    disk: Disk,
    length: u64,
    /// The bytes of its entries before they were compressed.
    entry_bytes: u64,
}

/// The records of a file.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) entries: Vec<(u64, Vec<u8>)>,
    /// The first byte of a record that was damaged, and why it is not valid. Records after it
    /// are not read.
    pub(super) damage: Option<(usize, &'static str)>,
    /// The bytes of a last record that was not written to its end: it was never acknowledged.
    pub(super) unfinished: usize,
}

impl Journal {
    pub(super) fn create(path: &Path, disk: Disk) -> io::Result<Self> {
        Ok(Self { file: disk.create_empty(path)?, disk, length: 0, entry_bytes: 0 })
    }

    /// Appends records and syncs them. After an error the file is as before, for all that
    /// follows.
    pub(super) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let mut parts: Vec<_> = records.iter().map(|record| IoSlice::new(&record.bytes)).collect();
        self.disk.append(&mut self.file, self.length, &mut parts)?;
        self.length += records.iter().map(|record| record.bytes.len() as u64).sum::<u64>();
        self.entry_bytes += records.iter().map(|record| record.entry_bytes as u64).sum::<u64>();
        Ok(())
    }

    /// The bytes of its entries, before they were compressed.
    pub(super) fn entry_bytes(&self) -> u64 {
        self.entry_bytes
    }
}

/// An entry as it is written.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) number: u64,
    bytes: Vec<u8>,
    entry_bytes: usize,
}

impl Record {
    /// The record of an entry.
    pub(super) fn new(number: u64, entry: &impl Serialize) -> Self {
        let mut bytes = vec![0; HEADER];
        serde_json::to_writer(&mut bytes, entry).expect("an entry is finite");
        let entry_bytes = bytes.len() - HEADER;
        if entry_bytes > LARGE {
            bytes = compressed(&bytes);
        }
        let (header, content) = bytes.split_at_mut(HEADER);
        let length = u32::try_from(content.len()).expect("entries are smaller than bodies");
        header[..4].copy_from_slice(&length.to_le_bytes());
        header[4..12].copy_from_slice(&number.to_le_bytes());
        let checksum = crc(&header[..12]);
        header[12..].copy_from_slice(&checksum.to_le_bytes());
        let checksum = crc(content);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        Self { number, bytes, entry_bytes }
    }
}

/// A header, and the compressed content after it.
fn compressed(bytes: &[u8]) -> Vec<u8> {
    let (header, content) = bytes.split_at(HEADER);
    let mut encoder = GzEncoder::new(header.to_vec(), Compression::fast());
    let written = encoder.write_all(content).and_then(|()| encoder.finish());
    written.expect("memory takes everything")
}

/// The entry in JSON.
///
/// # Errors
/// If the content of a record is not what was compressed.
pub(super) fn entry(content: Vec<u8>) -> io::Result<Vec<u8>> {
    if !content.starts_with(&GZIP) {
        return Ok(content);
    }
    let mut entry = Vec::new();
    GzDecoder::new(&*content).read_to_end(&mut entry)?;
    Ok(entry)
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Reads a journal.
pub(super) fn read(path: &Path) -> io::Result<Records> {
    Ok(records(&fs::read(path)?))
}

fn records(bytes: &[u8]) -> Records {
    let mut found = Records::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let at = bytes.len() - rest.len();
        let Some((header, after)) = rest.split_first_chunk::<HEADER>() else {
            found.unfinished = rest.len();
            return found;
        };
        if crc(&header[..12]).to_le_bytes() != header[12..] {
            // After a power failure the end of a file may be zeros that were never synced.
            if rest.iter().all(|byte| *byte == 0) {
                found.unfinished = rest.len();
            } else {
                found.damage = Some((at, "the checksum of its header is wrong"));
            }
            return found;
        }
        let (length, number) = header[..12].split_at(4);
        let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
        let number = u64::from_le_bytes(number.try_into().expect("eight bytes"));
        let Some((content, after)) = after.split_at_checked(length) else {
            found.unfinished = rest.len();
            return found;
        };
        let Some((checksum, after)) = after.split_first_chunk::<4>() else {
            found.unfinished = rest.len();
            return found;
        };
        if crc(content).to_le_bytes() != *checksum {
            found.damage = Some((at, "the checksum of its content is wrong"));
            return found;
        }
        found.entries.push((number, content.to_vec()));
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(records: &[(u64, &str)]) -> Vec<u8> {
        let record = |(number, content): &(u64, &str)| Record::new(*number, content).bytes;
        records.iter().flat_map(record).collect()
    }

    #[test]
    fn a_file_that_ends_early_gives_its_whole_records_and_no_damage() {
        let bytes = file(&[(1, "one"), (2, ""), (7, "seven")]);
        for end in 0..=bytes.len() {
            let found = records(&bytes[..end]);
            assert!(found.damage.is_none(), "{end}");
            let read: usize = found.entries.iter().map(|(_, content)| content.len() + 20).sum();
            assert_eq!(read + found.unfinished, end);
        }
        assert_eq!(records(&bytes).entries.len(), 3);
        let zeros = [&bytes[..], &[0; 100]].concat();
        assert_eq!((records(&zeros).entries.len(), records(&zeros).unfinished), (3, 100));
    }

    #[test]
    fn a_large_entry_is_compressed_and_read_back() {
        for length in [LARGE - 2, LARGE - 1] {
            let text = "x".repeat(length);
            let record = Record::new(1, &text);
            assert_eq!(record.entry_bytes, length + 2);
            assert_eq!(record.bytes.len() < 1000, length + 2 > LARGE);
            let found = records(&record.bytes).entries.pop().unwrap();
            assert_eq!(entry(found.1).unwrap(), format!("\"{text}\"").into_bytes());
        }
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let bytes = file(&[(1, "one"), (2, "two"), (7, "seven")]);
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(records(&changed).damage.is_some(), "bit {bit}");
        }
    }
}
