//! Opening a state, and its snapshots.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::disk::{self, Disk};
use super::migration;
use super::reader::{Reader, SET_ASIDE};
use super::segment::{SegmentFile, digest, segment_lines};
use super::snapshot::{FORMAT, Manifest, write_snapshot};
use super::store::{Closed, Store};
use crate::{Time, log};
use learning_loop::{EvaluationJob, LearningLoop, LoopOptions, Segment};
use timestamp::Timestamp;

/// A segment is the unit in which events expire on disk: it has so many events at most, and those
/// of so long. No events are added to one with more bytes: each time, all are written again.
pub(crate) const SEGMENT_EVENTS: usize = 2500;
const SEGMENT_BYTES: usize = 16 << 20;
const SEGMENT_TIME: Duration = Duration::from_secs(3600);
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
pub(super) struct Files {
    pub snapshots: BTreeMap<u64, PathBuf>,
    pub journals: BTreeMap<u64, PathBuf>,
    pub segments: BTreeMap<u64, PathBuf>,
    /// Files that a crash left incomplete.
    pub incomplete: Vec<PathBuf>,
}

/// Opens the state in a folder, or creates it. With `repair`, damaged files are set aside, and
/// what they hold is lost; without, they are an error that says what would be lost.
pub(crate) fn open(
    path: &Path,
    options: &LoopOptions,
    time: &Time,
    repair: bool,
    disk: Disk,
) -> Result<Opened, StateError> {
    let now = time();
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
    let store = Store::start(path, generation, disk, Arc::clone(time))?;
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
    if path.symlink_metadata().is_ok() && !path.is_dir() {
        let message = "it is neither a folder nor a link to one: name another, which may be new";
        return Err(io::Error::new(io::ErrorKind::NotADirectory, message));
    }
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
