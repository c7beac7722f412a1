//! Files of log entries: records with two checksums.
//!
//! A record is the length of its content (4 bytes), its number (8), the CRC-32 of both (4), the
//! content, and the CRC-32 of the content (4), all little-endian. The content is an entry in JSON;
//! that of a large one is compressed, since others wait until it is synced.
//!
//! A journal is written into zeros that are on disk before: to sync a file that grows, a
//! filesystem such as ext4 commits its own journal, with what other files have changed. Records
//! are written in batches, each of which is synced before the next and begins with a mark, an
//! empty record. So what stands before a mark was synced; in the last batch, sectors may be missing
//! after a crash, which then are zeros ([`is_torn`]).

use std::fs::{self, File};
use std::io::{self, IoSlice, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, Crc};
use serde::Serialize;

use super::disk::{Disk, SECTOR};
use learning_loop::LogEntry;

const HEADER: usize = 16;
const CHECKSUM: usize = 4;

/// The number of marks.
const MARK: u64 = u64::MAX;

/// A header may have fewer zeros one after the other.
const MANY_ZEROS: usize = 8;

/// The zeros of a new journal, at least and at most.
const LEAST_ZEROS: u64 = 64 << 10;
const MOST_ZEROS: u64 = 4 << 20;

/// Entries of more bytes of JSON are compressed.
const LARGE: usize = 64 << 10;

/// The first bytes of a compressed entry. JSON does not begin with them.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A journal that is open for writing.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    disk: Disk,
    /// The bytes of its records. Zeros follow.
    length: u64,
    /// The bytes of the file.
    size: u64,
    /// The bytes of its entries before they were compressed.
    entry_bytes: u64,
    /// The number of its last entry; `None` if it has no entries.
    last: Option<u64>,
}

/// The records of a file.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) entries: Vec<(u64, Vec<u8>)>,
    /// The first byte of a record that was damaged, and why it is not valid. Records after it
    /// are not read.
    pub(super) damage: Option<(usize, &'static str)>,
    /// The bytes of last records that were not written to their end: they were never
    /// acknowledged.
    pub(super) unfinished: usize,
}

impl Journal {
    /// A new journal with zeros for about so many bytes of records.
    pub(super) fn create(path: PathBuf, disk: Disk, expected: u64) -> io::Result<Self> {
        let size = expected.clamp(LEAST_ZEROS, MOST_ZEROS);
        let file = disk.create_zeros(&path, size)?;
        Ok(Self { path, file, disk, length: 0, size, entry_bytes: 0, last: None })
    }

    /// Appends records and syncs them. After an error it can be tried again.
    pub(super) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let mark = Record::mark();
        let batch = || std::iter::once(&mark).chain(records);
        let mut parts: Vec<_> = batch().map(|record| IoSlice::new(&record.bytes)).collect();
        let end = self.length + batch().map(|record| record.bytes.len() as u64).sum::<u64>();
        self.disk.write_at(&mut self.file, self.length, &mut parts)?;
        if end > self.size {
            self.size =
                self.disk.add_zeros(&mut self.file, end, end.clamp(LEAST_ZEROS, MOST_ZEROS));
        }
        self.file.sync_data()?;
        self.length = end;
        self.entry_bytes += records.iter().map(|record| record.entry_bytes as u64).sum::<u64>();
        self.last = records.iter().map(|record| record.number).max().max(self.last);
        Ok(())
    }

    /// Removes zeros, all but so many as a new journal has. It is only to save room.
    pub(super) fn shrink(&mut self) {
        self.cut(self.length + LEAST_ZEROS);
    }

    /// Removes the zeros.
    pub(super) fn finish(&mut self) {
        self.cut(self.length);
    }

    fn cut(&mut self, size: u64) {
        if size < self.size && self.file.set_len(size).is_ok() {
            self.size = size;
        }
    }

    /// The bytes of its entries, before they were compressed.
    pub(super) fn entry_bytes(&self) -> u64 {
        self.entry_bytes
    }

    /// The bytes of its records.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The number of its last entry; `None` if it has no entries.
    pub(super) fn last(&self) -> Option<u64> {
        self.last
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// An entry as it is written.
#[derive(Debug)]
pub(crate) struct Record {
    pub(super) number: u64,
    bytes: Vec<u8>,
    entry_bytes: usize,
}

impl Record {
    /// The records of entries with their numbers.
    pub(crate) fn all<'a>(entries: impl Iterator<Item = (u64, &'a LogEntry)>) -> Vec<Self> {
        entries.map(|(number, entry)| Self::new(number, entry)).collect()
    }

    /// The record of an entry.
    fn new(number: u64, entry: &impl Serialize) -> Self {
        let mut bytes = vec![0; HEADER];
        serde_json::to_writer(&mut bytes, entry).expect("an entry is finite");
        let entry_bytes = bytes.len() - HEADER;
        if entry_bytes > LARGE {
            bytes = compressed(&bytes);
        }
        Self { number, bytes: sealed(bytes, number), entry_bytes }
    }

    /// The begin of a batch.
    fn mark() -> Self {
        Self { number: MARK, bytes: sealed(vec![0; HEADER], MARK), entry_bytes: 0 }
    }
}

/// Fills in the header of a record, and adds the checksum of its content.
fn sealed(mut bytes: Vec<u8>, number: u64) -> Vec<u8> {
    let (header, content) = bytes.split_at_mut(HEADER);
    let length = u32::try_from(content.len()).expect("entries are smaller than bodies");
    header[..4].copy_from_slice(&length.to_le_bytes());
    header[4..12].copy_from_slice(&number.to_le_bytes());
    let checksum = crc(&header[..12]);
    header[12..].copy_from_slice(&checksum.to_le_bytes());
    let checksum = crc(content);
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
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
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let mut at = 0;
    while at < end {
        match record(&bytes[at..]) {
            Ok((number, content, length)) => {
                if number != MARK {
                    found.entries.push((number, content.to_vec()));
                }
                at += length;
            }
            Err(Invalid { needed, .. }) if is_torn(bytes, at, needed, end) => {
                found.unfinished = end - at;
                return found;
            }
            Err(Invalid { why, .. }) => {
                found.damage = Some((at, why));
                return found;
            }
        }
    }
    found
}

/// A record that is not valid.
struct Invalid {
    /// The bytes that it takes, as far as its header can be read.
    needed: usize,
    why: &'static str,
}

/// The number and the content of a record, and its length.
fn record(bytes: &[u8]) -> Result<(u64, &[u8], usize), Invalid> {
    let invalid = |needed, why| Invalid { needed, why };
    let header = bytes.first_chunk::<HEADER>();
    let header = header.ok_or(invalid(HEADER, "its header is not complete"))?;
    if crc(&header[..12]).to_le_bytes() != header[12..] {
        return Err(invalid(HEADER, "the checksum of its header is wrong"));
    }
    let (length, number) = header[..12].split_at(4);
    let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
    let number = u64::from_le_bytes(number.try_into().expect("eight bytes"));
    let needed = HEADER + length + CHECKSUM;
    let incomplete = invalid(needed, "its content is not complete");
    let content = bytes.get(HEADER..needed).ok_or(incomplete)?;
    let (content, checksum) = content.split_at(length);
    if crc(content).to_le_bytes() != checksum {
        return Err(invalid(needed, "the checksum of its content is wrong"));
    }
    Ok((number, content, needed))
}

/// Whether the record at `at`, which takes `needed` bytes and is not valid, is of a batch that was
/// not written to its end: no batch follows, and the file ends too early or has sectors that are
/// still zeros. `end` is where the zeros at the end of the file begin.
fn is_torn(bytes: &[u8], at: usize, needed: usize, end: usize) -> bool {
    let mark = Record::mark().bytes;
    if bytes[at + 1..].windows(mark.len()).any(|window| window == mark) {
        return false;
    }
    // Without its header, the length of a record is not known.
    let until = at + needed.max((end - at).min(HEADER + SECTOR));
    if until > bytes.len() {
        return true;
    }
    let mut from = at;
    while from < until {
        let to = (from / SECTOR + 1) * SECTOR;
        let part = from..to.min(until);
        let is_missing = part.len() >= MANY_ZEROS || part.start >= end;
        if is_missing && bytes[part].iter().all(|byte| *byte == 0) {
            return true;
        }
        from = to;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(records: &[(u64, &str)]) -> Vec<u8> {
        let record = |(number, content): &(u64, &str)| Record::new(*number, content).bytes;
        let records = records.iter().map(record);
        std::iter::once(Record::mark().bytes).chain(records).flatten().collect()
    }

    /// A file of two batches with zeros after them, where the second begins, and where it ends.
    /// The first has so many bytes more.
    fn file(more: usize) -> (Vec<u8>, usize, usize) {
        let first = batch(&[(1, &"x".repeat(more)), (2, "")]);
        let second = batch(&[(7, &"long ".repeat(300)), (8, "eight")]);
        let (begin, end) = (first.len(), first.len() + second.len());
        ([first, second, vec![0; 3 * SECTOR]].concat(), begin, end)
    }

    fn numbers(found: &Records) -> Vec<u64> {
        found.entries.iter().map(|(number, _)| *number).collect()
    }

    #[test]
    fn a_file_that_ends_early_gives_its_whole_records_and_no_damage() {
        let (bytes, ..) = file(0);
        for end in 0..=bytes.len() {
            let found = records(&bytes[..end]);
            assert!(found.damage.is_none(), "{end}");
            assert!([1, 2, 7, 8].starts_with(&numbers(&found)), "{end}");
        }
        assert_eq!((numbers(&records(&bytes)).len(), records(&bytes).unfinished), (4, 0));
    }

    /// What a killed process leaves: sectors from some one on were never written.
    #[test]
    fn a_batch_whose_end_is_missing_is_not_finished() {
        for more in 0..SECTOR {
            let (whole, begin, end) = file(more);
            for cut in (0..end).step_by(SECTOR).filter(|cut| *cut >= begin) {
                let mut bytes = whole.clone();
                bytes[cut..].fill(0);
                let found = records(&bytes);
                assert!(found.damage.is_none(), "{more} {cut}");
                assert!([1, 2, 7].starts_with(&numbers(&found)), "{more} {cut}");
                assert!(numbers(&found).len() >= 2, "{more} {cut}");
            }
        }
    }

    /// What a power failure leaves: a disk writes sectors in any order. The batch before was
    /// synced.
    #[test]
    fn a_missing_sector_is_damage_unless_it_is_of_the_last_batch() {
        for more in 0..SECTOR {
            let (whole, begin, end) = file(more);
            for sector in (0..end).step_by(SECTOR) {
                let next = sector + SECTOR;
                let [of_first, of_second] = [sector..next.min(begin), sector.max(begin)..next];
                if of_first.len() > CHECKSUM {
                    let mut bytes = whole.clone();
                    bytes[of_first].fill(0);
                    assert!(records(&bytes).damage.is_some(), "{more} {sector}");
                }
                if of_second.len() >= MANY_ZEROS {
                    let mut bytes = whole.clone();
                    bytes[of_second].fill(0);
                    let found = records(&bytes);
                    assert!(found.damage.is_none(), "{more} {sector}");
                    assert!(numbers(&found).starts_with(&[1, 2]), "{more} {sector}");
                }
            }
        }
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
        let bytes = [batch(&[(1, "one"), (2, "two")]), batch(&[(7, "seven")])].concat();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(records(&changed).damage.is_some(), "bit {bit}");
        }
    }
}
