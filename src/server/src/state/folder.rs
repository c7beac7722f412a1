//! Opening a state, and its snapshots.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::disk::{self, Disk};
use super::store::{Closed, Store};
use super::{journal, migration};
use crate::log;
use learning_loop::{
    EvaluationJob, LearningLoop, LogEntry, LoopOptions, RestoreError, Segment, SegmentEvents,
};
use timestamp::Timestamp;

const MAGIC: &[u8; 8] = b"rnrstate";
const FORMAT: u16 = 3;
/// The bytes of the checksum of a snapshot.
const CHECKSUM: usize = 32;
/// The bytes that are read or written at once.
const BUFFER: usize = 64 << 10;
/// A segment is the unit in which events expire on disk: it has so many events at most, and those
/// of so long. No events are added to one with more bytes: each time, all are written again.
pub(crate) const SEGMENT_EVENTS: usize = 2500;
const SEGMENT_BYTES: usize = 16 << 20;
const SEGMENT_TIME: Duration = Duration::from_secs(3600);
/// Where damaged files go when a state is repaired.
const SET_ASIDE: &str = "damaged";

/// Why a state cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process uses it.
    #[error("another process is using it")]
    InUse,
    /// A file is not what was written.
    #[error("{0}")]
    Damaged(String),
    /// Its learning policy is a program, and the options name none.
    #[error(
        "its learning policy is a program, `{0}`: name it again with `--policy`, or with \
         `learning_policy` in `--settings`"
    )]
    Program(String),
    /// A file cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// The beginning of a snapshot.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Manifest {
    /// The number of the first entry that is not covered.
    next: u64,
    /// The number of events in the log: the last ones of the segments.
    logged: usize,
    segments: Vec<SegmentFile>,
}

/// A file of joined events.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SegmentFile {
    name: String,
    events: usize,
    /// The SHA-256 of the file, in hexadecimal digits.
    sha256: String,
    /// The bytes of the file.
    #[serde(default)]
    bytes: u64,
    /// The bytes of its lines, before they are compressed.
    #[serde(default)]
    lines: u64,
    /// When its first events were written.
    #[serde(default)]
    began: Option<Timestamp>,
}

/// A state that is open.
pub(crate) struct Folder {
    path: PathBuf,
    disk: Disk,
    /// Held until the state is closed.
    _lock: File,
    /// The number of the last snapshot.
    generation: u64,
    segments: Vec<SegmentFile>,
    /// The number of the next segment.
    next_segment: u64,
    /// Joined events that could not be written to a segment yet.
    unwritten: Segment,
    /// Journals that the next snapshot covers.
    closed: Vec<Closed>,
}

/// A state, its loop, and where new entries go.
pub(crate) struct Opened {
    pub(crate) learning_loop: LearningLoop,
    /// Pending evaluations.
    pub(crate) jobs: Vec<EvaluationJob>,
    pub(crate) store: Store,
    pub(crate) folder: Folder,
    /// The number of the next entry.
    pub(crate) next: u64,
    /// Whether the state existed.
    pub(crate) is_old: bool,
}

/// The files of a state, by kind and number.
#[derive(Debug, Default)]
struct Files {
    snapshots: BTreeMap<u64, PathBuf>,
    journals: BTreeMap<u64, PathBuf>,
    segments: BTreeMap<u64, PathBuf>,
    /// Files that a crash left incomplete.
    incomplete: Vec<PathBuf>,
}

/// Opens the state in a folder, or creates it. With `repair`, damaged files are set aside, and
/// what they hold is lost; without, they are an error that says what would be lost.
pub(crate) fn open(
    path: &Path,
    options: &LoopOptions,
    now: Timestamp,
    repair: bool,
    disk: Disk,
) -> Result<Opened, StateError> {
    create_folder(path)?;
    let lock = disk::open_lock(&path.join("lock"))?;
    match lock.try_lock() {
        Err(TryLockError::WouldBlock) => return Err(StateError::InUse),
        Err(TryLockError::Error(error)) => return Err(error.into()),
        Ok(()) => {}
    }
    let files = files(path)?;
    let old = path.join(migration::FILE);
    let reader = Reader { path, options, repair, disk: &disk };
    let (mut learning_loop, mut manifest, is_old) = if old.exists() {
        log::note(format!("the state is migrated to format {FORMAT}"), &[]);
        (migration::read(&old, options)?, Manifest::default(), true)
    } else {
        reader.snapshot(&files, now)?
    };
    reader.segments(&mut manifest, &mut learning_loop)?;
    if is_old {
        restart_policy(&mut learning_loop);
    }
    let next = reader.journals(&files, &manifest, &mut learning_loop)?;
    let last = [&files.snapshots, &files.journals].map(|files| files.keys().last().copied());
    let generation = last.into_iter().flatten().max().map_or(0, |last| last + 1);
    let jobs = learning_loop.pending_jobs();
    let closed = |path: &PathBuf| Closed { path: path.clone(), last: None };
    let mut folder = Folder {
        path: path.to_owned(),
        disk: disk.clone(),
        _lock: lock,
        generation,
        segments: manifest.segments,
        next_segment: files.segments.keys().last().map_or(0, |last| last + 1),
        unwritten: Segment::default(),
        closed: files.journals.values().map(closed).collect(),
    };
    folder.write_segments(&mut learning_loop, now)?;
    folder.snapshot(&mut learning_loop, next)?;
    if old.exists() {
        disk.rename(&old, &path.join(migration::BACKUP))?;
        disk::make_private(&path.join(migration::BACKUP))?;
        log::note(format!("the state before is kept as `{}`", migration::BACKUP), &[]);
    }
    let store = Store::start(path, generation, disk)?;
    Ok(Opened { learning_loop, jobs, store, folder, next, is_old })
}

/// Starts the program again that the learning policy is, with what it had learned. Entries that
/// it learns afterwards are told it again where it fails.
fn restart_policy(learning_loop: &mut LearningLoop) {
    match learning_loop.restart_policy() {
        None => {}
        Some(Ok(restarted)) => log::restarted(restarted),
        Some(Err(why)) => log::error(why, &[]),
    }
}

/// Creates the folder of a state, or makes it private. A folder with other things, such as the
/// current one, keeps its rights.
fn create_folder(path: &Path) -> io::Result<()> {
    let is_ours = |name: &str| path.join(name).exists();
    let has_entries = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
    if has_entries && !is_ours("lock") && !is_ours(migration::FILE) {
        let folder = path.display();
        log::warning(format!("`{folder}` has other files; its rights are not changed"), &[]);
        return Ok(());
    }
    disk::create_folder(path)
}

fn files(folder: &Path) -> io::Result<Files> {
    let mut files = Files::default();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let number = |prefix: &str, suffix: &str| {
            name.strip_prefix(prefix)?.strip_suffix(suffix)?.parse::<u64>().ok()
        };
        if let Some(number) = number("snapshot-", "") {
            files.snapshots.insert(number, path);
        } else if let Some(number) = number("journal-", "") {
            files.journals.insert(number, path);
        } else if let Some(number) = number("events-", ".dsjson.gz") {
            files.segments.insert(number, path);
        } else if disk::is_incomplete(&path) {
            files.incomplete.push(path);
        }
    }
    Ok(files)
}

/// Reads the files of a state.
struct Reader<'a> {
    path: &'a Path,
    options: &'a LoopOptions,
    repair: bool,
    disk: &'a Disk,
}

impl Reader<'_> {
    /// The loop of the last snapshot; a new one if the folder has no state.
    fn snapshot(
        &self,
        files: &Files,
        now: Timestamp,
    ) -> Result<(LearningLoop, Manifest, bool), StateError> {
        let is_new =
            files.snapshots.is_empty() && files.journals.is_empty() && files.segments.is_empty();
        if is_new {
            let folder = self.path.display();
            log::note(format!("`{folder}` has no state; a new one is created"), &[]);
            let learning_loop = LearningLoop::new(self.options.clone(), now);
            return Ok((learning_loop, Manifest::default(), false));
        }
        let lost = "the model, the settings and the open events that it holds";
        if files.snapshots.is_empty() {
            self.damage(None, "there is no snapshot", lost)?;
        }
        // A crash may leave the snapshot before, with everything that it needs.
        for path in files.snapshots.values().rev() {
            match read_snapshot(&mut File::open(path)?, self.options)? {
                Ok((learning_loop, manifest)) => return Ok((learning_loop, manifest, true)),
                Err(RestoreError::Program(text)) => return Err(StateError::Program(text)),
                Err(RestoreError::Invalid(why)) => self.damage(Some(path), &why, lost)?,
            }
        }
        let learning_loop = LearningLoop::new(self.options.clone(), now);
        Ok((learning_loop, recovered(files)?, true))
    }

    /// Reads the events of the log into the loop. Segments that were set aside leave the
    /// manifest.
    fn segments(
        &self,
        manifest: &mut Manifest,
        learning_loop: &mut LearningLoop,
    ) -> Result<(), StateError> {
        let stored: usize = manifest.segments.iter().map(|segment| segment.events).sum();
        let mut skipped = stored.saturating_sub(manifest.logged);
        let listed = std::mem::take(&mut manifest.segments);
        for (segment, read) in listed.iter().zip(self.read_segments(&listed)) {
            let path = self.path.join(&segment.name);
            let first = skipped.min(segment.events);
            skipped -= first;
            match read {
                Ok(events) => {
                    learning_loop.restore_events(events, first);
                    manifest.segments.push(segment.clone());
                }
                Err(why) => {
                    let lost = format!("{} joined events", segment.events);
                    let found = path.exists().then_some(&path);
                    let missing = || format!("`{}` is missing", segment.name);
                    self.damage(found, &found.map_or_else(missing, |_| why), &lost)?;
                }
            }
        }
        Ok(())
    }

    /// Reads segments on all cores.
    fn read_segments(&self, segments: &[SegmentFile]) -> Vec<Result<SegmentEvents, String>> {
        let threads = self.options.threads.max(1);
        let chunk = segments.len().div_ceil(threads).max(1);
        let read = |segment: &SegmentFile| read_segment(&self.path.join(&segment.name), segment);
        std::thread::scope(|scope| {
            let chunks = segments.chunks(chunk);
            let threads: Vec<_> = chunks
                .map(|chunk| scope.spawn(move || chunk.iter().map(read).collect::<Vec<_>>()))
                .collect();
            let joined = threads.into_iter().map(ScopedJoinHandle::join);
            joined.flat_map(|read| read.expect("reading does not panic")).collect()
        })
    }

    /// Replays the entries that the snapshot does not cover, in the order of their numbers.
    /// Returns the number after the last.
    fn journals(
        &self,
        files: &Files,
        manifest: &Manifest,
        learning_loop: &mut LearningLoop,
    ) -> Result<u64, StateError> {
        let mut entries = BTreeMap::new();
        for path in files.journals.values() {
            let found = journal::read(path)?;
            if let Some((at, why)) = found.damage {
                let why = format!("the record at byte {at}: {why}");
                self.damage(Some(path), &why, "the requests from this record on")?;
            }
            if found.unfinished > 0 {
                let message = format!(
                    "the state was not closed: {} bytes of `{}` were not written to their end and \
                     not acknowledged",
                    found.unfinished,
                    path.display()
                );
                log::note(message, &[("bytes", found.unfinished.into())]);
            }
            entries.extend(found.entries);
        }
        let mut next = manifest.next;
        let uncovered = entries.split_off(&manifest.next);
        let count = uncovered.len();
        if count > 0 {
            let message = format!("the state was not closed: {count} log entries are replayed");
            log::note(message, &[("entries", count.into())]);
        }
        for (number, content) in uncovered {
            match journal::entry(content) {
                Ok(entry) => replay(learning_loop, number, &entry),
                Err(error) => {
                    log::warning(format!("log entry {number} is set aside: {error}"), &[]);
                }
            }
            next = number + 1;
        }
        Ok(next)
    }

    /// Sets a damaged file aside, or refuses to.
    fn damage(&self, path: Option<&PathBuf>, why: &str, lost: &str) -> Result<(), StateError> {
        let name = path.and_then(|path| path.file_name()).map(|name| name.display().to_string());
        let name = name.unwrap_or_else(|| "the folder".to_owned());
        if !self.repair {
            return Err(StateError::Damaged(format!(
                "`{name}` is damaged: {why}; `--repair` sets it aside and loses {lost}"
            )));
        }
        let fields = [("file", name.clone().into()), ("lost", lost.into())];
        log::warning(format!("`{name}` is damaged: {why}; lost: {lost}"), &fields);
        if let Some(path) = path {
            let aside = self.path.join(SET_ASIDE);
            disk::create_folder(&aside)?;
            fs::copy(path, aside.join(path.file_name().unwrap_or_default()))?;
            if self.path.join("loop.redb") != *path && !name.starts_with("journal-") {
                self.disk.remove(path)?;
            }
        }
        Ok(())
    }
}

/// Replays an entry. One that cannot be replayed is set aside with a note: it must not make the
/// others unreachable.
pub(super) fn replay(learning_loop: &mut LearningLoop, number: u64, entry: &[u8]) {
    let parsed = serde_json::from_slice::<LogEntry>(entry).map_err(|error| error.to_string());
    let replayed = parsed
        .and_then(|entry| learning_loop.replay(entry).map_err(|error| error.to_string()).map(drop));
    if let Err(error) = replayed {
        log::warning(format!("log entry {number} is set aside: {error}"), &[]);
    }
}

/// The loop and the manifest of a snapshot, or why there is none.
fn read_snapshot(
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

/// The segments that can be read, for a state without a snapshot.
fn recovered(files: &Files) -> io::Result<Manifest> {
    let mut manifest = Manifest::default();
    for path in files.segments.values() {
        let file = fs::read(path)?;
        let mut lines = Vec::new();
        if GzDecoder::new(&*file).read_to_end(&mut lines).is_err() {
            log::warning(format!("`{}` is damaged and not used", path.display()), &[]);
            continue;
        }
        let events = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = file.len() as u64;
        let segment = SegmentFile {
            name,
            events,
            sha256: digest(&file),
            bytes,
            lines: lines.len() as u64,
            began: None,
        };
        manifest.segments.push(segment);
        manifest.logged += events;
    }
    Ok(manifest)
}

fn read_segment(path: &Path, segment: &SegmentFile) -> Result<SegmentEvents, String> {
    SegmentEvents::read(&segment_lines(path, segment)?)
}

fn segment_lines(path: &Path, segment: &SegmentFile) -> Result<Vec<u8>, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    if digest(&bytes) != segment.sha256 {
        return Err("its checksum is wrong".to_owned());
    }
    let mut lines = Vec::new();
    GzDecoder::new(&*bytes).read_to_end(&mut lines).map_err(|error| error.to_string())?;
    Ok(lines)
}

fn digest(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        use std::fmt::Write;
        // Writing to a string cannot fail.
        _ = write!(text, "{byte:02x}");
    }
    text
}

impl Folder {
    /// Remembers a journal that the next snapshot covers.
    pub(crate) fn close_journal(&mut self, closed: Closed) {
        self.closed.push(closed);
    }

    /// Writes a snapshot that covers all entries below `next`, once all joined events are in
    /// segments; then removes what is no longer needed.
    pub(crate) fn snapshot(
        &mut self,
        learning_loop: &mut LearningLoop,
        next: u64,
    ) -> io::Result<()> {
        let logged = learning_loop.logged();
        self.expire(logged);
        let manifest = Manifest { next, logged, segments: self.segments.clone() };
        let path = self.path.join(format!("snapshot-{:08}", self.generation));
        let write = |file: &mut File| write_snapshot(file, &manifest, learning_loop);
        self.disk.create_with(&path, write)?;
        self.remove_covered(&path)?;
        self.generation += 1;
        Ok(())
    }

    /// Forgets the events that are in no segment yet: the log was cleared.
    pub(crate) fn forget_unwritten(&mut self) {
        self.unwritten = Segment::default();
    }

    /// Writes the events that were joined since the last time into segments.
    pub(crate) fn write_segments(
        &mut self,
        learning_loop: &mut LearningLoop,
        now: Timestamp,
    ) -> io::Result<()> {
        loop {
            if self.unwritten.events == 0 {
                self.unwritten = learning_loop.take_segment(SEGMENT_EVENTS, SEGMENT_BYTES);
            }
            if self.unwritten.events == 0 {
                return Ok(());
            }
            self.write_segment(now)?;
        }
    }

    /// Writes the events that are in no segment yet: into a new one, or with those of the last
    /// one, which it replaces. If it fails, they wait for the next time.
    fn write_segment(&mut self, now: Timestamp) -> io::Result<()> {
        let name = format!("events-{:08}.dsjson.gz", self.next_segment);
        let mut lines = self.unwritten.lines.len() as u64;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let joined = self.last_to_join(now);
        if let Some((_, earlier)) = &joined {
            encoder.write_all(earlier)?;
            lines += earlier.len() as u64;
        }
        encoder.write_all(&self.unwritten.lines)?;
        let file = encoder.finish()?;
        self.disk.create(&self.path.join(&name), &file)?;
        let mut segment = SegmentFile {
            name,
            events: std::mem::take(&mut self.unwritten).events,
            sha256: digest(&file),
            bytes: file.len() as u64,
            lines,
            began: Some(now),
        };
        if let Some((last, _)) = joined {
            self.segments.pop();
            (segment.events, segment.began) = (segment.events + last.events, last.began);
        }
        self.segments.push(segment);
        self.next_segment += 1;
        Ok(())
    }

    /// The last segment and its lines, if it is small and young enough for more events. One that
    /// cannot be read stays as it is: the next start names it.
    fn last_to_join(&self, now: Timestamp) -> Option<(SegmentFile, Vec<u8>)> {
        let last = self.segments.last()?;
        let is_young = now.since(last.began?) < SEGMENT_TIME;
        let events = last.events + self.unwritten.events;
        let bytes = last.lines.max(last.bytes) + self.unwritten.lines.len() as u64;
        if !is_young || events > SEGMENT_EVENTS || bytes > SEGMENT_BYTES as u64 {
            return None;
        }
        let lines = segment_lines(&self.path.join(&last.name), last).ok()?;
        Some((last.clone(), lines))
    }

    /// The bytes of all segments.
    pub(crate) fn segment_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Removes what a migration or a repair has kept of deleted events.
    pub(crate) fn remove_copies(&self) -> io::Result<()> {
        let (backup, aside) = (self.path.join(migration::BACKUP), self.path.join(SET_ASIDE));
        if backup.exists() {
            self.disk.remove(&backup)?;
        }
        if aside.exists() {
            fs::remove_dir_all(&aside)?;
        }
        Ok(())
    }

    /// The bytes of the files of the state.
    pub(crate) fn bytes(&self) -> u64 {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.metadata().ok()).map(|found| found.len()).sum()
    }

    /// Forgets the segments without events of the log.
    fn expire(&mut self, logged: usize) {
        let mut needed = logged;
        let mut kept = 0;
        for segment in self.segments.iter().rev() {
            if needed == 0 {
                break;
            }
            needed = needed.saturating_sub(segment.events);
            kept += 1;
        }
        let expired = self.segments.len() - kept;
        self.segments.drain(..expired);
    }

    /// Removes the snapshots, journals and segments that a snapshot replaces.
    fn remove_covered(&mut self, snapshot: &Path) -> io::Result<()> {
        while let Some(closed) = self.closed.last() {
            if closed.path.exists() {
                self.disk.remove(&closed.path)?;
            }
            self.closed.pop();
        }
        let files = files(&self.path)?;
        let is_listed = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            self.segments.iter().any(|segment| segment.name == name)
        };
        let old_snapshots = files.snapshots.values().filter(|path| **path != snapshot);
        let unlisted = files.segments.values().filter(|path| !is_listed(path));
        for path in old_snapshots.chain(unlisted).chain(&files.incomplete) {
            self.disk.remove(path)?;
        }
        Ok(())
    }
}

/// Writes a snapshot after its checksum. It may be large, and is never in memory as a whole.
fn write_snapshot(
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
