//! What happened to the loop, on disk.
//!
//! Facts are rows of an embedded database, in their order. A thread writes what has come
//! together since it last wrote, and syncs it, so that many callers share one sync; a call
//! is answered when its facts are on disk. What was not synced when the machine stopped
//! was never answered, and the database drops it.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, RepairSession, TableDefinition,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use learning_loop::{LearningLoop, LoopOptions, Recorded};
use protocol::{ErrorCode, ServiceConfiguration, ServiceError};
use timestamp::Timestamp;

const FACTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("facts");
/// What the loop began with, under the number of the format.
const BEGINNING: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("beginning");
const FORMAT: u64 = 1;

/// Why there is no state to go on with.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process has it.
    #[error("another process is using it")]
    InUse,
    /// Another version of the program wrote it.
    #[error("it has format {0}, and this program reads {FORMAT}")]
    Format(u64),
    /// A row is not what was written.
    #[error("fact {0} cannot be read: {1}")]
    Fact(u64, serde_json::Error),
    /// The database cannot be used.
    #[error("{0}")]
    Database(#[from] redb::Error),
}

/// What a loop began with.
#[derive(Serialize, Deserialize)]
struct Beginning {
    at: Timestamp,
    app_id: String,
    configuration: ServiceConfiguration,
    policy: String,
}

/// Takes facts, and says when they are on disk.
pub(super) struct Store {
    queue: Arc<Queue>,
    written: watch::Receiver<Written>,
    writer: Option<std::thread::JoinHandle<()>>,
}

/// What waits to be written.
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

/// How far the writer has come.
#[derive(Clone)]
enum Written {
    Below(u64),
    Failed(String),
}

/// A loop as it was left, and where what happens to it goes.
pub(super) struct Restored {
    pub learning_loop: LearningLoop,
    /// Evaluations that had not ended.
    pub jobs: Vec<learning_loop::EvaluationJob>,
    pub store: Store,
    /// Whether there was a state before.
    pub is_old: bool,
}

/// The loop whose state is in the file; a new one, if there is none.
pub(super) fn open(
    path: &Path,
    options: LoopOptions,
    now: Timestamp,
) -> Result<Restored, StateError> {
    let note =
        |_: &mut RepairSession| eprintln!("note: the state was not closed; it is checked first");
    let database =
        Database::builder().set_repair_callback(note).create(path).map_err(
            |error| match error {
                DatabaseError::DatabaseAlreadyOpen => StateError::InUse,
                error => StateError::Database(error.into()),
            },
        )?;
    let (beginning, is_old) = begin(&database, &options, now)?;
    let mut learning_loop = first(options, beginning);
    let (jobs, next) = replay(&database, &mut learning_loop)?;
    learning_loop.record();
    Ok(Restored { learning_loop, jobs, store: Store::start(database, next), is_old })
}

/// What the loop began with: long ago, or now.
fn begin(
    database: &Database,
    options: &LoopOptions,
    now: Timestamp,
) -> Result<(Beginning, bool), StateError> {
    let transaction = database.begin_write().map_err(redb::Error::from)?;
    let found = {
        let mut table = transaction.open_table(BEGINNING).map_err(redb::Error::from)?;
        transaction.open_table(FACTS).map_err(redb::Error::from)?;
        let found = table.first().map_err(redb::Error::from)?;
        let found = found.map(|(format, row)| (format.value(), row.value().to_vec()));
        match found {
            Some((FORMAT, row)) => {
                (serde_json::from_slice(&row).map_err(|error| StateError::Fact(0, error))?, true)
            }
            Some((format, _)) => return Err(StateError::Format(format)),
            None => {
                let beginning = Beginning {
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

fn first(options: LoopOptions, beginning: Beginning) -> LearningLoop {
    let Beginning { at, app_id, configuration, policy } = beginning;
    let policy = learner::LearningPolicy::parse(&policy).unwrap_or(options.policy);
    let options = LoopOptions { configuration, policy, app_id, ..options };
    LearningLoop::new(options, at)
}

/// Lets every fact happen again; the evaluations that had not ended, and the number of the
/// next fact.
fn replay(
    database: &Database,
    learning_loop: &mut LearningLoop,
) -> Result<(Vec<learning_loop::EvaluationJob>, u64), StateError> {
    let transaction = database.begin_read().map_err(redb::Error::from)?;
    let table = transaction.open_table(FACTS).map_err(redb::Error::from)?;
    let (mut jobs, mut next) = (Vec::new(), 0);
    for row in table.iter().map_err(redb::Error::from)? {
        let (number, row) = row.map_err(redb::Error::from)?;
        let number = number.value();
        let fact: Recorded =
            serde_json::from_slice(row.value()).map_err(|error| StateError::Fact(number, error))?;
        jobs.extend(learning_loop.replay(fact));
        jobs.retain(|job| learning_loop.is_pending(job.id()));
        next = number + 1;
    }
    Ok((jobs, next))
}

impl Store {
    fn start(database: Database, next: u64) -> Self {
        let queue = Arc::new(Queue::default());
        queue.waiting.lock().expect("nobody has it yet").next = next;
        let (tell, written) = watch::channel(Written::Below(next));
        let read = Arc::clone(&queue);
        let write = move || write(&database, &read, &tell);
        let writer = std::thread::Builder::new().name("state".to_owned()).spawn(write);
        let writer = Some(writer.expect("the machine gives a thread"));
        Self { queue, written, writer }
    }

    /// Takes facts that happened, and what happened before them; the moment up to which
    /// all must be on disk before anybody is told.
    pub fn append(&self, facts: &[Recorded]) -> u64 {
        let rows = facts.iter().map(|fact| serde_json::to_vec(fact).expect("facts are JSON"));
        let mut waiting = self.queue.waiting.lock().expect("the writer does not fail there");
        waiting.rows.extend(rows);
        waiting.next += facts.len() as u64;
        if !facts.is_empty() {
            self.queue.more.notify_one();
        }
        waiting.next
    }

    /// Waits until every fact below `number` is on disk.
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
            Err(_) => Err(broken("its writer is gone")),
        }
    }

    /// Refuses to go on once something could not be written.
    pub fn check(&self) -> Result<(), ServiceError> {
        match &*self.written.borrow() {
            Written::Below(_) => Ok(()),
            Written::Failed(why) => Err(broken(why)),
        }
    }
}

impl Drop for Store {
    /// Writes what is left.
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
    let message = format!("the state cannot be written: {why}; make room, and start again");
    ServiceError::new(ErrorCode::InternalServerError, message)
}

/// Writes until the store is closed, or something cannot be written.
fn write(database: &Database, queue: &Queue, tell: &watch::Sender<Written>) {
    while let Some((rows, next)) = queue.take() {
        let first = next - rows.len() as u64;
        if let Err(error) = commit(database, first, &rows) {
            eprintln!("the state cannot be written: {error}");
            tell.send_replace(Written::Failed(error.to_string()));
            return;
        }
        tell.send_replace(Written::Below(next));
    }
}

fn commit(database: &Database, first: u64, rows: &[Vec<u8>]) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(FACTS)?;
        for (number, row) in (first..).zip(rows) {
            table.insert(number, row.as_slice())?;
        }
    }
    transaction.commit()?;
    Ok(())
}

impl Queue {
    /// What has come together, and the number after it; nothing, once it is closed and
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
