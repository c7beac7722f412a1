//! The thread that writes entries.
//!
//! It writes the entries that were queued since its last write and syncs them, so that
//! concurrent requests share a sync. While the disk is full, it tries again, and requests fail.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::watch;

use super::disk::Disk;
use super::journal::{Journal, Record};
use crate::log;
use crate::response::ErrorResponse;
use learning_loop::LogEntry;

/// The pause before a failed write is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// The deadline for a new journal.
const PATIENCE: Duration = Duration::from_secs(5);

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
    rotate: Option<mpsc::Sender<io::Result<Closed>>>,
    closed: bool,
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
    folder: PathBuf,
    disk: Disk,
    generation: u64,
    journal: Journal,
    last: Option<u64>,
    bytes: Arc<AtomicU64>,
}

impl Store {
    /// Starts a writer with a new journal.
    pub(super) fn start(folder: &Path, generation: u64, disk: Disk) -> io::Result<Self> {
        let (bytes, queue) = (Arc::new(AtomicU64::new(0)), Arc::new(Queue::default()));
        let journal = Journal::create(&path(folder, generation), disk.clone())?;
        let ((even, even_written), (odd, odd_written)) =
            (watch::channel(Written::default()), watch::channel(Written::default()));
        let mut writer = Writer {
            progress: [even, odd],
            folder: folder.to_owned(),
            disk,
            generation,
            journal,
            last: None,
            bytes: Arc::clone(&bytes),
        };
        let read = Arc::clone(&queue);
        let write = move || writer.write(&read);
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(write)?;
        let written = [even_written, odd_written];
        Ok(Self { queue, written, writer: Mutex::new(Some(thread)), bytes })
    }

    /// Queues entries with their numbers. The ticket is for them and all entries before.
    pub(crate) fn append<'a>(&self, entries: impl Iterator<Item = (u64, &'a LogEntry)>) -> Ticket {
        let records: Vec<_> = entries.map(|(number, entry)| Record::new(number, entry)).collect();
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
        let (sender, closed) = mpsc::channel();
        let ended = || io::Error::other("the journal cannot be changed now");
        self.queue.waiting.lock().map_err(|_| ended())?.rotate = Some(sender);
        self.queue.more.notify_one();
        closed.recv_timeout(PATIENCE).map_err(|_| ended())?
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

impl Writer {
    /// Writes until the store is closed.
    fn write(&mut self, queue: &Queue) {
        while let Some((records, batches)) = queue.take() {
            if !records.is_empty() && !self.write_batch(&records, queue) {
                return;
            }
            self.progress[parity(batches)].send_modify(|written| written.batches = batches);
            if let Some(sender) = queue.take_rotation() {
                // A worker that has failed waits no more.
                sender.send(self.rotate()).ok();
            }
        }
    }

    /// Writes a batch, again and again if it must. Returns false if the store was closed
    /// before it succeeded.
    fn write_batch(&mut self, records: &[Record], queue: &Queue) -> bool {
        let mut has_failed = false;
        while let Err(error) = self.journal.append(records) {
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
        self.last = records.iter().map(|record| record.number).max().max(self.last);
        self.bytes.store(self.journal.entry_bytes(), Ordering::Relaxed);
        true
    }

    fn set_failure(&self, failure: Option<&io::Error>) {
        let failure = failure.map(ToString::to_string);
        for progress in &self.progress {
            progress.send_modify(|written| written.failure.clone_from(&failure));
        }
    }

    fn rotate(&mut self) -> io::Result<Closed> {
        let next = Journal::create(&path(&self.folder, self.generation + 1), self.disk.clone())?;
        let closed = Closed { path: path(&self.folder, self.generation), last: self.last.take() };
        self.generation += 1;
        self.journal = next;
        self.bytes.store(0, Ordering::Relaxed);
        Ok(closed)
    }
}

fn parity(batch: u64) -> usize {
    usize::from(batch % 2 == 1)
}

impl Queue {
    /// The records that are queued and the number of their batch, or none if only a new journal
    /// is wanted; `None` once the queue is closed and empty.
    fn take(&self) -> Option<(Vec<Record>, u64)> {
        let mut waiting = self.waiting.lock().ok()?;
        while waiting.records.is_empty() && waiting.rotate.is_none() {
            if waiting.closed {
                return None;
            }
            waiting = self.more.wait(waiting).ok()?;
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
    fn take_rotation(&self) -> Option<mpsc::Sender<io::Result<Closed>>> {
        self.waiting.lock().ok().and_then(|mut waiting| waiting.rotate.take())
    }

    /// Answers a request for a new journal while the current one cannot be completed: the worker
    /// must not wait for room on the disk.
    fn refuse_rotation(&self, error: &io::Error) {
        if let Some(sender) = self.take_rotation() {
            // A worker that has failed waits no more.
            sender.send(Err(io::Error::new(error.kind(), error.to_string()))).ok();
        }
    }
}
