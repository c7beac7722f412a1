//! The write-ahead log of the loop on disk.
//!
//! Entries are rows of an embedded database, in order. A thread writes the entries that were
//! queued since its last write and syncs them, so that concurrent requests share a sync. A
//! request is answered after its entries are synced.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, RepairSession, TableDefinition,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use learning_loop::{LearningLoop, LogEntry, LoopOptions};
use protocol::{ErrorCode, ServiceConfiguration, ServiceError};
use timestamp::Timestamp;

const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("facts");
/// The initial settings of the loop, by the number of the format.
const INITIAL_SETTINGS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("beginning");
const FORMAT: u64 = 1;

/// Why a state cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process uses it.
    #[error("another process is using it")]
    InUse,
    /// Another version of the program wrote it.
    #[error("it has format {0}, and this program reads {FORMAT}")]
    Format(u64),
    /// The initial settings cannot be read.
    #[error("its initial settings cannot be read: {0}")]
    InitialSettings(String),
    /// The database cannot be used.
    #[error("{0}")]
    Database(#[from] redb::Error),
}

/// The initial settings of a loop.
#[derive(Serialize, Deserialize)]
struct InitialSettings {
    at: Timestamp,
    app_id: String,
    configuration: ServiceConfiguration,
    policy: String,
}

/// The queue of entries, and how many of them are on disk.
pub(crate) struct Store {
    queue: Arc<Queue>,
    written: watch::Receiver<Written>,
    writer: Option<std::thread::JoinHandle<()>>,
}

/// Entries to write.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    more: Condvar,
}

#[derive(Default)]
struct Waiting {
    rows: Vec<Vec<u8>>,
    /// The number of the next row.
    next: u64,
    closed: bool,
}

/// The progress of the writer.
#[derive(Clone)]
enum Written {
    Below(u64),
    Failed(String),
}

/// An opened state.
pub(crate) struct Restored {
    pub learning_loop: LearningLoop,
    /// Pending evaluations.
    pub jobs: Vec<learning_loop::EvaluationJob>,
    pub store: Store,
    /// Whether the state existed.
    pub is_old: bool,
}

/// Opens the state in a file, or creates it.
pub(crate) fn open(
    path: &Path,
    options: &LoopOptions,
    now: Timestamp,
) -> Result<Restored, StoreError> {
    let note = |_: &mut RepairSession| {
        eprintln!("note: the state was not closed properly and is checked first");
    };
    let database =
        Database::builder().set_repair_callback(note).create(path).map_err(
            |error| match error {
                DatabaseError::DatabaseAlreadyOpen => StoreError::InUse,
                error => StoreError::Database(error.into()),
            },
        )?;
    let (beginning, is_old) = initial_settings(&database, options, now)?;
    let mut learning_loop = first(options, beginning)?;
    let (jobs, next) = replay(&database, &mut learning_loop)?;
    learning_loop.start_recording();
    Ok(Restored { learning_loop, jobs, store: Store::start(database, next), is_old })
}

/// The initial settings of the state; writes those of `options` to a new one.
fn initial_settings(
    database: &Database,
    options: &LoopOptions,
    now: Timestamp,
) -> Result<(InitialSettings, bool), StoreError> {
    let transaction = database.begin_write().map_err(redb::Error::from)?;
    let found = {
        let mut table = transaction.open_table(INITIAL_SETTINGS).map_err(redb::Error::from)?;
        transaction.open_table(ENTRIES).map_err(redb::Error::from)?;
        let found = table.first().map_err(redb::Error::from)?;
        let found = found.map(|(format, row)| (format.value(), row.value().to_vec()));
        match found {
            Some((FORMAT, row)) => {
                (serde_json::from_slice(&row).map_err(|error| invalid_settings(&error))?, true)
            }
            Some((format, _)) => return Err(StoreError::Format(format)),
            None => {
                let beginning = InitialSettings {
                    at: now,
                    app_id: options.app_id.clone(),
                    configuration: options.configuration.clone(),
                    policy: options.policy.arguments().to_owned(),
                };
                let row = serde_json::to_vec(&beginning).expect("settings are JSON");
                table.insert(FORMAT, row.as_slice()).map_err(redb::Error::from)?;
                (beginning, false)
            }
        }
    };
    transaction.commit().map_err(redb::Error::from)?;
    Ok(found)
}

fn first(options: &LoopOptions, beginning: InitialSettings) -> Result<LearningLoop, StoreError> {
    let InitialSettings { at, app_id, configuration, policy } = beginning;
    let policy = learner::LearningPolicy::parse(&policy).map_err(|errors| {
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        StoreError::InitialSettings(format!("`{policy}`: {}", errors.join("; ")))
    })?;
    let options = LoopOptions { configuration, policy, app_id, ..options.clone() };
    Ok(LearningLoop::new(options, at))
}

fn invalid_settings(error: &serde_json::Error) -> StoreError {
    StoreError::InitialSettings(error.to_string())
}

/// Replays the entries. Returns the pending evaluations and the number of the next entry.
/// An entry that cannot be replayed is skipped with a note: it must not make the others
/// unreachable.
fn replay(
    database: &Database,
    learning_loop: &mut LearningLoop,
) -> Result<(Vec<learning_loop::EvaluationJob>, u64), StoreError> {
    let transaction = database.begin_read().map_err(redb::Error::from)?;
    let table = transaction.open_table(ENTRIES).map_err(redb::Error::from)?;
    let (mut jobs, mut next) = (Vec::new(), 0);
    for row in table.iter().map_err(redb::Error::from)? {
        let (number, row) = row.map_err(redb::Error::from)?;
        let number = number.value();
        match replay_row(learning_loop, row.value()) {
            Ok(job) => jobs.extend(job),
            Err(error) => eprintln!("note: log entry {number} is set aside: {error}"),
        }
        jobs.retain(|job| learning_loop.is_pending(job.id()));
        next = number + 1;
    }
    Ok((jobs, next))
}

fn replay_row(
    learning_loop: &mut LearningLoop,
    row: &[u8],
) -> Result<Option<learning_loop::EvaluationJob>, String> {
    let entry: LogEntry = serde_json::from_slice(row).map_err(|error| error.to_string())?;
    learning_loop.replay(entry).map_err(|error| error.to_string())
}

impl Store {
    fn start(database: Database, next: u64) -> Self {
        let queue = Arc::new(Queue::default());
        queue.waiting.lock().expect("not shared yet").next = next;
        let (progress, written) = watch::channel(Written::Below(next));
        let read = Arc::clone(&queue);
        let write = move || write(&database, &read, &progress);
        let writer = std::thread::Builder::new().name("state".to_owned()).spawn(write);
        let writer = Some(writer.expect("cannot start a thread"));
        Self { queue, written, writer }
    }

    /// Queues entries. Returns the number of entries that must be on disk before the request
    /// is answered.
    pub fn append(&self, entries: &[LogEntry]) -> u64 {
        let rows =
            entries.iter().map(|entry| serde_json::to_vec(entry).expect("an entry is finite"));
        let mut waiting =
            self.queue.waiting.lock().expect("the writer does not panic under the lock");
        waiting.rows.extend(rows);
        waiting.next += entries.len() as u64;
        if !entries.is_empty() {
            self.queue.more.notify_one();
        }
        waiting.next
    }

    /// Waits until every entry below `number` is on disk.
    pub async fn wait(&self, number: u64) -> Result<(), ServiceError> {
        let mut written = self.written.clone();
        let done = |written: &Written| match written {
            Written::Below(all) => *all >= number,
            Written::Failed(_) => true,
        };
        let outcome = written.wait_for(done).await.map(|written| written.clone());
        match outcome {
            Ok(Written::Below(_)) => Ok(()),
            Ok(Written::Failed(why)) => Err(broken(&why)),
            Err(_) => Err(broken("the writer has ended")),
        }
    }

    /// Fails after a failed write.
    pub fn check(&self) -> Result<(), ServiceError> {
        match &*self.written.borrow() {
            Written::Below(_) => Ok(()),
            Written::Failed(why) => Err(broken(why)),
        }
    }
}

impl Drop for Store {
    /// Writes the rest of the queue.
    fn drop(&mut self) {
        if let Ok(mut waiting) = self.queue.waiting.lock() {
            waiting.closed = true;
        }
        self.queue.more.notify_one();
        if let Some(writer) = self.writer.take() {
            let _panicked = writer.join();
        }
    }
}

fn broken(why: &str) -> ServiceError {
    let message = format!("the state cannot be written: {why}; make room on the disk and restart");
    ServiceError::new(ErrorCode::InternalServerError, message)
}

/// Writes until the store is closed or a write fails.
fn write(database: &Database, queue: &Queue, progress: &watch::Sender<Written>) {
    while let Some((rows, next)) = queue.take() {
        let first = next - rows.len() as u64;
        if let Err(error) = commit(database, first, &rows) {
            eprintln!("the state cannot be written: {error}");
            progress.send_replace(Written::Failed(error.to_string()));
            return;
        }
        progress.send_replace(Written::Below(next));
    }
}

fn commit(database: &Database, first: u64, rows: &[Vec<u8>]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(ENTRIES)?;
        for (number, row) in (first..).zip(rows) {
            table.insert(number, row.as_slice())?;
        }
    }
    transaction.commit()?;
    Ok(())
}

impl Queue {
    /// The queued rows and the number after the last; `None` once the queue is closed and
    /// empty.
    fn take(&self) -> Option<(Vec<Vec<u8>>, u64)> {
        let mut waiting = self.waiting.lock().ok()?;
        while waiting.rows.is_empty() {
            if waiting.closed {
                return None;
            }
            waiting = self.more.wait(waiting).ok()?;
        }
        Some((std::mem::take(&mut waiting.rows), waiting.next))
    }
}
