//! Files of log entries: records with two checksums.
//!
//! A record is the length of its content (4 bytes), its number (8), the CRC-32 of both (4), the
//! content, and the CRC-32 of the content (4), all little-endian. The first checksum tells a
//! record that was not written to its end from one with a damaged length.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use flate2::Crc;

use super::disk::Disk;

const HEADER: usize = 16;

/// A journal that is open for writing.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    disk: Disk,
    length: u64,
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
        Ok(Self { file: disk.create_empty(path)?, disk, length: 0 })
    }

    /// Appends records and syncs them. After an error the file is as before, for all that
    /// follows.
    pub(super) fn append(&mut self, records: &[(u64, Vec<u8>)]) -> io::Result<()> {
        let mut bytes = Vec::new();
        records.iter().for_each(|(number, content)| push(&mut bytes, *number, content));
        self.disk.append(&mut self.file, self.length, &bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// The bytes that were written.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

fn push(bytes: &mut Vec<u8>, number: u64, content: &[u8]) {
    let start = bytes.len();
    let length = u32::try_from(content.len()).expect("entries are smaller than bodies");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&crc(&bytes[start..]).to_le_bytes());
    bytes.extend_from_slice(content);
    bytes.extend_from_slice(&crc(content).to_le_bytes());
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

    fn file(records: &[(u64, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        records.iter().for_each(|(number, content)| push(&mut bytes, *number, content));
        bytes
    }

    #[test]
    fn a_file_that_ends_early_gives_its_whole_records_and_no_damage() {
        let bytes = file(&[(1, b"one"), (2, b""), (7, b"seven")]);
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
    fn every_changed_bit_is_noticed() {
        let bytes = file(&[(1, b"one"), (2, b"two"), (7, b"seven")]);
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(records(&changed).damage.is_some(), "bit {bit}");
        }
    }
}
