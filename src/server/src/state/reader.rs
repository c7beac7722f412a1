//! Reading what a state folder holds into a loop.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;

use flate2::read::GzDecoder;

use super::disk::{self, Disk};
use super::folder::{Files, StateError};
use super::journal;
use super::segment::{SegmentFile, digest, read_segment};
use super::snapshot::{Manifest, read_snapshot};
use crate::log;
use learning_loop::{LearningLoop, LogEntry, LoopOptions, RestoreError, SegmentEvents};
use timestamp::Timestamp;

/// Where damaged files go when a state is repaired.
pub(super) const SET_ASIDE: &str = "damaged";

/// Reads the files of a state.
pub(super) struct Reader<'a> {
    pub path: &'a Path,
    pub options: &'a LoopOptions,
    pub repair: bool,
    pub disk: &'a Disk,
}

impl Reader<'_> {
    /// The loop of the last snapshot; a new one if the folder has no state.
    pub fn snapshot(
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
    pub fn segments(
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
    pub fn journals(
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
