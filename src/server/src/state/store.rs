//! The thread that writes entries.
//!
//! It writes the entries that were queued since its last write and syncs them, so that
//! concurrent requests share a sync. While the disk is full, it tries again, and requests fail.
//! Nothing else is done here, since requests wait for it: whoever wants a new journal creates it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::metrics::histogram::Histogram;
use tokio::sync::watch;

use super::disk::Disk;
use super::journal::{Journal, Record};
use crate::response::ErrorResponse;
use crate::{Time, log};

/// The pause before a failed write is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// After so long without an entry, a journal gives back the room that it has for more.
const IDLE: Duration = Duration::from_secs(1);

/// The deadline for a new journal.
const PATIENCE: Duration = Duration::from_secs(5);

/// The bounds of the histogram of the time that a write takes, in seconds.
const WRITE_BOUNDS: [f64; 9] = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.25];

/// Entries that are on disk once their batch is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ticket(u64);

/// The queue of entries, and how many batches of them are on disk.
pub(crate) struct Store {
    queue: Arc<Queue>,
    /// Told of even and of odd batches: while one is written, requests wait for the next one,
    /// and need not wake for this one.
    written: [watch::Receiver<Written>; 2],
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    bytes: Arc<AtomicU64>,
    write_seconds: Histogram,
    journals: Mutex<Journals>,
}

/// Where the next journal is created.
struct Journals {
    folder: PathBuf,
    disk: Disk,
    /// The number of the next journal.
    next: u64,
    /// The bytes of the records of the last complete one.
    length: u64,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

/// Entries to write.
#[derive(Default)]
struct Waiting {
    records: Vec<Record>,
    /// The number of batches that were taken.
    batches: u64,
    rotate: Option<Rotation>,
    closed: bool,
}

/// A new journal, and who wants the one that it replaces.
struct Rotation {
    next: Journal,
    replaced: mpsc::Sender<io::Result<Journal>>,
}

/// A journal that is complete.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(super) path: PathBuf,
    /// The largest number of its entries; none if it is empty.
    pub(crate) last: Option<u64>,
}

/// The progress of the writer.
#[derive(Clone, Default)]
struct Written {
    /// So many batches are on disk.
    batches: u64,
    /// Why the next one is not.
    failure: Option<String>,
}

/// The writer's end.
struct Writer {
    progress: [watch::Sender<Written>; 2],
    journal: Journal,
    bytes: Arc<AtomicU64>,
    write_seconds: Histogram,
    time: Time,
}

impl Store {
    /// Starts a writer with a new journal.
    pub(super) fn start(
        folder: &Path,
        generation: u64,
        disk: Disk,
        time: Time,
    ) -> io::Result<Self> {
        let (bytes, queue) = (Arc::new(AtomicU64::new(0)), Arc::new(Queue::default()));
        let mut journals =
            Journals { folder: folder.to_owned(), disk, next: generation, length: 0 };
        let ((even, even_written), (odd, odd_written)) =
            (watch::channel(Written::default()), watch::channel(Written::default()));
        let write_seconds = Histogram::new(WRITE_BOUNDS);
        let mut writer = Writer {
            progress: [even, odd],
            journal: journals.create()?,
            bytes: Arc::clone(&bytes),
            write_seconds: write_seconds.clone(),
            time,
        };
        let read = Arc::clone(&queue);
        let write = move || writer.write(&read);
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(write)?;
        let written = [even_written, odd_written];
        let (writer, journals) = (Mutex::new(Some(thread)), Mutex::new(journals));
        Ok(Self { queue, written, writer, bytes, write_seconds, journals })
    }

    /// Queues entries. The ticket is for them and all entries before.
    pub(crate) fn append(&self, records: Vec<Record>) -> Ticket {
        let mut waiting =
            self.queue.waiting.lock().expect("the writer does not panic under the lock");
        // A writer that waits was woken when the first of them came.
        let is_first = waiting.records.is_empty() && !records.is_empty();
        waiting.records.extend(records);
        let ticket = Ticket(waiting.batches + u64::from(!waiting.records.is_empty()));
        drop(waiting);
        if is_first {
            self.queue.more.notify_one();
        }
        ticket
    }

    /// Waits until the entries of a ticket are on disk. Fails while they cannot be written:
    /// they are written once there is room.
    pub(crate) async fn wait(&self, Ticket(batch): Ticket) -> Result<(), ErrorResponse> {
        let mut written = self.written[parity(batch)].clone();
        let done = |written: &Written| written.batches >= batch || written.failure.is_some();
        match written.wait_for(done).await.map(|written| written.clone()) {
            Ok(Written { batches, .. }) if batches >= batch => Ok(()),
            Ok(Written { failure, .. }) => Err(unwritable(&failure.unwrap_or_default())),
            Err(_) => Err(unwritable("the writer has ended")),
        }
    }

    /// Refuses requests while entries cannot be written.
    pub(crate) fn check(&self) -> Result<(), ErrorResponse> {
        self.failure().map_or(Ok(()), |why| Err(unwritable(&why)))
    }

    /// Why entries cannot be written now.
    pub(crate) fn failure(&self) -> Option<String> {
        self.written[0].borrow().failure.clone()
    }

    /// Begins a new journal, and returns the complete one. Blocks.
    pub(crate) fn rotate(&self) -> io::Result<Closed> {
        let ended = || io::Error::other("the journal cannot be changed now");
        let mut journals = self.journals.lock().map_err(|_| ended())?;
        let next = journals.create()?;
        let path = next.path().to_owned();
        let (replaced, answer) = mpsc::channel();
        self.queue.waiting.lock().map_err(|_| ended())?.rotate = Some(Rotation { next, replaced });
        self.queue.more.notify_one();
        let answer = answer.recv_timeout(PATIENCE).map_err(|_| ended()).or_else(|error| {
            // A writer that has taken the new journal answers at once.
            let is_waiting = self.queue.take_rotation().is_some();
            if is_waiting { Err(error) } else { answer.recv().map_err(|_| error) }
        });
        match answer.flatten() {
            Ok(complete) => {
                journals.length = complete.length();
                Ok(Closed { path: complete.path().to_owned(), last: complete.last() })
            }
            Err(error) => {
                std::fs::remove_file(path).ok();
                Err(error)
            }
        }
    }

    /// How long it takes to write and sync entries.
    pub(crate) fn write_seconds(&self) -> Histogram {
        self.write_seconds.clone()
    }

    /// The bytes of the entries in the journal, before they were compressed.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Writes the rest of the queue, and ends.
    ///
    /// # Errors
    /// If the rest cannot be written.
    pub(crate) fn close(&self) -> Result<(), String> {
        if let Ok(mut waiting) = self.queue.waiting.lock() {
            waiting.closed = true;
        }
        self.queue.more.notify_one();
        let writer = self.writer.lock().ok().and_then(|mut writer| writer.take());
        if writer.is_some_and(|writer| writer.join().is_err()) {
            return Err("the writer has failed".to_owned());
        }
        self.failure().map_or(Ok(()), Err)
    }
}

/// The response while the state cannot be written.
pub(crate) fn unwritable(why: &str) -> ErrorResponse {
    let message = format!("the state cannot be written: {why}; it is tried again");
    ErrorResponse::gateway(StatusCode::SERVICE_UNAVAILABLE, message)
}

/// The journal of a generation.
pub(super) fn path(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("journal-{generation:08}"))
}

impl Journals {
    /// The next journal, with room for as much as the last one had.
    fn create(&mut self) -> io::Result<Journal> {
        let path = path(&self.folder, self.next);
        self.next += 1;
        Journal::create(path, self.disk.clone(), self.length)
    }
}

impl Writer {
    /// Writes until the store is closed.
    fn write(&mut self, queue: &Queue) {
        while let Some((records, batches)) = queue.take() {
            if records.is_empty() {
                self.journal.shrink();
            } else if !self.write_batch(&records, queue) {
                return;
            }
            self.progress[parity(batches)].send_modify(|written| written.batches = batches);
            if let Some(Rotation { next, replaced }) = queue.take_rotation() {
                let complete = std::mem::replace(&mut self.journal, next);
                self.bytes.store(0, Ordering::Relaxed);
                // A worker that has failed waits no more.
                replaced.send(Ok(complete)).ok();
            }
        }
        self.journal.finish();
    }

    /// Writes a batch, again and again if it must. Returns false if the store was closed
    /// before it succeeded.
    fn write_batch(&mut self, records: &[Record], queue: &Queue) -> bool {
        let mut has_failed = false;
        while let Err(error) = self.append(records) {
            if !std::mem::replace(&mut has_failed, true) {
                let message = format!("the state cannot be written: {error}; requests are refused");
                log::error(message, &[]);
            }
            self.set_failure(Some(&error));
            queue.refuse_rotation(&error);
            if queue.pause() {
                return false;
            }
        }
        if has_failed {
            log::note("the state can be written again", &[]);
            self.set_failure(None);
        }
        self.bytes.store(self.journal.entry_bytes(), Ordering::Relaxed);
        true
    }

    fn set_failure(&self, failure: Option<&io::Error>) {
        let failure = failure.map(ToString::to_string);
        for progress in &self.progress {
            progress.send_modify(|written| written.failure.clone_from(&failure));
        }
    }

    fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let began = (self.time)();
        let appended = self.journal.append(records);
        self.write_seconds.observe((self.time)().since(began).as_secs_f64());
        appended
    }
}

fn parity(batch: u64) -> usize {
    usize::from(batch % 2 == 1)
}

impl Queue {
    /// The records that are queued and the number of their batch, or none if only a new journal
    /// is wanted or nothing was for long; `None` once the queue is closed and empty.
    fn take(&self) -> Option<(Vec<Record>, u64)> {
        let waiting = self.waiting.lock().ok()?;
        let is_idle = |waiting: &mut Waiting| {
            waiting.records.is_empty() && waiting.rotate.is_none() && !waiting.closed
        };
        let (mut waiting, _) = self.more.wait_timeout_while(waiting, IDLE, is_idle).ok()?;
        if waiting.closed && waiting.records.is_empty() && waiting.rotate.is_none() {
            return None;
        }
        waiting.batches += u64::from(!waiting.records.is_empty());
        Some((std::mem::take(&mut waiting.records), waiting.batches))
    }

    /// Waits before a write is tried again. Returns true if the queue was closed.
    fn pause(&self) -> bool {
        let Ok(waiting) = self.waiting.lock() else { return true };
        let is_idle = |waiting: &mut Waiting| !waiting.closed && waiting.rotate.is_none();
        let paused = self.more.wait_timeout_while(waiting, RETRY, is_idle);
        paused.map_or(true, |(waiting, _)| waiting.closed)
    }

    /// The request for a new journal.
    fn take_rotation(&self) -> Option<Rotation> {
        self.waiting.lock().ok().and_then(|mut waiting| waiting.rotate.take())
    }

    /// Answers a request for a new journal while the current one cannot be completed: the worker
    /// must not wait for room on the disk.
    fn refuse_rotation(&self, error: &io::Error) {
        if let Some(Rotation { replaced, .. }) = self.take_rotation() {
            // A worker that has failed waits no more.
            replaced.send(Err(io::Error::new(error.kind(), error.to_string()))).ok();
        }
    }
}
