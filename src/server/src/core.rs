//! What requests, the worker and evaluations share.
//!
//! A Rank is decided by a ranker, which shares the served weights with the loop; its result is queued as a log
//! entry. The queue is the only thing that all requests share: it gives entries their order and
//! their time, and is locked for microseconds. The worker thread owns the loop, replays the
//! entries in order (so it joins, learns and exports), and publishes new rankers. Operations
//! that read or change the loop are queued as calls and run there too. Entries do not wake the
//! worker one by one, which would cost each request a system call: they wait for a call, for
//! more entries, or for the next tick.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::oneshot;

use super::backlog::{Backlog, Room};
use super::metrics::Metrics;
use super::response::ErrorResponse;
use super::state::{self, Record, Store, Ticket};
use super::{Time, body, log};
use learning_loop::{EvaluationJob, EventBytes, LearningLoop, LogEntry, LoopState, Ranker};
use protocol::{ErrorCode, ServiceError};
use timestamp::Timestamp;

/// Entries of so many units wake the worker.
const ENOUGH: u32 = 256;

/// How often a loop closes windows and exports models without a request.
const TICK: Duration = Duration::from_millis(100);

/// The log numbers that a command may use: one operation gives at most a few entries.
pub(crate) const NUMBERS: u64 = 16;

/// An operation on the loop, run by the worker.
pub(crate) type Operation = Box<dyn FnOnce(&mut LearningLoop, Timestamp) -> Reply + Send>;

/// Answers an operation once its entries are queued for the disk, or says why what it erased is
/// still there.
pub(crate) type Reply = Box<dyn FnOnce(Result<Ticket, String>) + Send>;

/// Something for the worker to do, in order.
pub(crate) enum Command {
    /// Replay an entry, which is queued for the disk already.
    Entry { number: u64, entry: LogEntry, room: Room },
    /// Run an operation; log its entries from `number` on.
    Call { at: Timestamp, number: u64, operation: Operation },
    /// Bring the loop up to an instant.
    Tick { at: Timestamp, number: u64 },
    /// End.
    Stop,
}

pub(crate) struct Core {
    time: Time,
    pub(crate) store: Option<Store>,
    queue: Mutex<Queue>,
    /// Wakes the worker.
    due: Condvar,
    pub(crate) backlog: Backlog,
    rankers: RwLock<Arc<Rankers>>,
    asks_program: AtomicBool,
    /// The counters of the loop after the last command.
    state: Mutex<LoopState>,
    /// The memory of events after the last commands, and the most that open ones may take.
    event_bytes: Mutex<EventBytes>,
    most_event_bytes: u64,
    jobs: Sender<EvaluationJob>,
    /// The number of Rank calls, for the ids of events without one.
    ranks: AtomicU64,
    has_failed: AtomicBool,
    pub(crate) metrics: Metrics,
}

/// Commands for the worker, in order.
struct Queue {
    commands: Vec<Command>,
    /// The size of the queued entries, in units.
    units: u32,
    /// Whether a command cannot wait.
    is_urgent: bool,
    /// The number of the next entry.
    next: u64,
    /// When the last tick was queued.
    ticked: Timestamp,
    has_ended: bool,
}

/// Rankers of what is served. Large requests have one of their own, so that small ones never
/// wait for them; and so have huge ones, which are decided at a lower priority.
pub(crate) struct Rankers {
    small: Vec<Mutex<Ranker>>,
    large: Mutex<Ranker>,
    huge: Mutex<Ranker>,
    ask_program: bool,
}

impl Rankers {
    pub(crate) fn new(ranker: &Ranker, threads: usize) -> Self {
        let copy = |_| Mutex::new(ranker.clone());
        let ask_program = ranker.asks_program();
        let small = (0..threads.max(1)).map(copy).collect();
        Self { small, large: copy(0), huge: copy(0), ask_program }
    }

    /// A ranker that is free, or the first to become free.
    fn get(&self, size: usize) -> MutexGuard<'_, Ranker> {
        // A ranker is replaced at the next export; scratch space is its only state.
        let lock = |ranker| Mutex::lock(ranker).unwrap_or_else(PoisonError::into_inner);
        if size >= body::LARGE {
            return lock(if size >= body::HUGE { &self.huge } else { &self.large });
        }
        let free = self.small.iter().find_map(|ranker| ranker.try_lock().ok());
        free.unwrap_or_else(|| lock(&self.small[0]))
    }
}

impl Core {
    pub(crate) fn new(
        time: Time,
        (store, next): (Option<Store>, u64),
        jobs: Sender<EvaluationJob>,
        rankers: Rankers,
        (state, most_event_bytes): (LoopState, u64),
    ) -> Self {
        let queue = Queue::new(next, time());
        let metrics = Metrics::new(store.as_ref().map(Store::write_seconds));
        Self {
            time,
            store,
            queue: Mutex::new(queue),
            due: Condvar::new(),
            backlog: Backlog::new(),
            asks_program: AtomicBool::new(rankers.ask_program),
            rankers: RwLock::new(Arc::new(rankers)),
            ranks: AtomicU64::new(state.ranked),
            state: Mutex::new(state),
            event_bytes: Mutex::default(),
            most_event_bytes,
            jobs,
            has_failed: AtomicBool::new(false),
            metrics,
        }
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        (self.time)()
    }

    /// The rankers of what is served.
    pub(crate) fn rankers(&self) -> Arc<Rankers> {
        Arc::clone(&self.rankers.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Decides on a request of `size` bytes with one of the rankers.
    pub(crate) fn decide<A>(
        &self,
        rankers: &Rankers,
        size: usize,
        decide: impl FnOnce(&mut Ranker, u64, Timestamp) -> Result<A, ServiceError>,
    ) -> Result<A, ErrorResponse> {
        let number = self.ranks.fetch_add(1, Ordering::Relaxed) + 1;
        let mut ranker = rankers.get(size);
        let decided = decide(&mut ranker, number, self.now());
        if size >= body::LARGE {
            ranker.forget();
        }
        decided.map_err(|error| {
            let is_internal = error.code == ErrorCode::InternalServerError;
            if is_internal && ranker.has_no_program() { without_policy() } else { error.into() }
        })
    }

    /// Whether a decision may take longer than a request may keep others waiting.
    pub(crate) fn asks_program(&self) -> bool {
        self.asks_program.load(Ordering::Relaxed)
    }

    /// Replaces the rankers.
    pub(crate) fn publish(&self, rankers: Rankers) {
        self.asks_program.store(rankers.ask_program, Ordering::Relaxed);
        let mut served = self.rankers.write().unwrap_or_else(PoisonError::into_inner);
        let replaced = std::mem::replace(&mut *served, Arc::new(rankers));
        drop(served);
        // To free a model takes longer than a Rank may wait for the lock.
        drop(replaced);
    }

    /// The counters of the loop after the last command.
    pub(crate) fn state(&self) -> LoopState {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The memory of events after the last commands.
    pub(crate) fn event_bytes(&self) -> EventBytes {
        *self.event_bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_event_bytes(&self, bytes: EventBytes) {
        *self.event_bytes.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }

    pub(crate) fn set_state(&self, state: LoopState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Logs the entries of a request of `size` bytes: queues them for the worker and the disk,
    /// and waits until they are on the disk. A response must not report what a restart would
    /// lose.
    pub(crate) async fn log(
        self: &Arc<Self>,
        entries: Vec<LogEntry>,
        size: usize,
    ) -> Result<(), ErrorResponse> {
        self.check()?;
        let room = self.backlog.acquire(entries.len(), size).await.map_err(|_| failed())?;
        let queued = Arc::clone(self).queue_entries(entries, room, size);
        let ticket = if size < body::LARGE {
            queued.await?
        } else {
            // A caller that goes away must not leave entries that are queued for the worker only.
            tokio::spawn(queued).await.map_err(|_| failed())??
        };
        match &self.store {
            Some(store) => store.wait(ticket).await,
            None => Ok(()),
        }
    }

    /// Queues the entries of a request of `size` bytes for the worker and the disk.
    async fn queue_entries(
        self: Arc<Self>,
        entries: Vec<LogEntry>,
        room: Room,
        size: usize,
    ) -> Result<Ticket, ErrorResponse> {
        let (first, entries) = self.queue_for_worker(entries, room)?;
        let Some(store) = &self.store else { return Ok(Ticket::default()) };
        let numbers = (first..).step_by(usize::try_from(NUMBERS).unwrap_or(1));
        let records = move || Ok(Record::all(numbers.zip(&entries)));
        Ok(store.append(body::offload(size, records).await?))
    }

    /// Queues entries for the worker, and returns them with their time and the number of the
    /// first.
    fn queue_for_worker(
        &self,
        mut entries: Vec<LogEntry>,
        room: Room,
    ) -> Result<(u64, Vec<LogEntry>), ServiceError> {
        let first = self.enqueue(|queue, now| {
            let first = queue.next;
            for entry in &mut entries {
                entry.stamp(now);
                let (number, entry) = (queue.number(), entry.clone());
                queue.push(Command::Entry { number, entry, room });
            }
            first
        })?;
        Ok((first, entries))
    }

    /// Refuses an event while those whose reward windows are open take too much memory.
    pub(crate) fn check_room(&self) -> Result<(), ErrorResponse> {
        let (found, limit) = (self.event_bytes().open, self.most_event_bytes);
        if found < limit {
            return Ok(());
        }
        let message = format!(
            "the events whose reward windows are open take {found} bytes, the limit is {limit}: \
             try again when windows have closed, or start the service with a larger `--event-bytes`"
        );
        Err(ErrorResponse::gateway(StatusCode::SERVICE_UNAVAILABLE, message))
    }

    /// Runs an operation on the loop, in its turn.
    pub(crate) async fn call<A: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut LearningLoop, Timestamp) -> Result<A, ServiceError> + Send + 'static,
    ) -> Result<A, ErrorResponse> {
        self.check()?;
        let (sender, answer) = oneshot::channel();
        let operation = move |learning_loop: &mut LearningLoop, now| -> Reply {
            let answer = operation(learning_loop, now);
            // The caller may be gone.
            Box::new(move |ticket| drop(sender.send((answer, ticket))))
        };
        self.enqueue_call(Box::new(operation))?;
        let (answer, ticket) = answer.await.map_err(|_| failed())?;
        let ticket = ticket.map_err(|why| state::unwritable(&why))?;
        if let Some(store) = &self.store {
            store.wait(ticket).await?;
        }
        Ok(answer?)
    }

    /// Queues an operation without waiting for its answer.
    pub(crate) fn enqueue_call(&self, operation: Operation) -> Result<(), ServiceError> {
        self.enqueue(|queue, at| {
            let number = queue.number();
            queue.push(Command::Call { at, number, operation });
        })
    }

    /// Asks the worker to end after everything before.
    pub(crate) fn stop(&self) {
        // A worker that has failed has ended.
        self.enqueue(|queue, _| queue.push(Command::Stop)).ok();
    }

    /// The queued commands, in order: as soon as one cannot wait or there are enough, or else
    /// after a tick; a worker in a hurry waits less. The last is a tick, if it is time for one.
    pub(crate) fn take(&self, in_a_hurry: bool) -> Vec<Command> {
        let longest = if in_a_hurry { TICK / 100 } else { TICK };
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.due.wait_timeout_while(queue, longest, |queue| !queue.is_due());
        let (mut queue, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        let at = self.now();
        if timeout.timed_out() || at.since(queue.ticked) >= TICK {
            let number = queue.number();
            queue.push(Command::Tick { at, number });
            queue.ticked = at;
        }
        queue.take()
    }

    /// Refuses further commands, and forgets those that are queued: their callers get an error.
    pub(crate) fn end_queue(&self) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.has_ended = true;
        let unhandled = queue.take();
        drop(queue);
        drop(unhandled);
    }

    /// Changes the queue under its lock. The time is read under the lock, so that commands are
    /// in the order of time.
    fn enqueue<A>(
        &self,
        change: impl FnOnce(&mut Queue, Timestamp) -> A,
    ) -> Result<A, ServiceError> {
        let mut queue = self.queue.lock().map_err(|_| failed())?;
        if queue.has_ended {
            return Err(failed());
        }
        let (was_due, now) = (queue.is_due(), self.now());
        let changed = change(&mut queue, now);
        let is_due = queue.is_due();
        drop(queue);
        if is_due && !was_due {
            self.due.notify_one();
        }
        self.metrics.observe_lock(self.now().since(now));
        Ok(changed)
    }

    /// Queues an evaluation for the evaluator thread.
    pub(crate) fn evaluate(&self, job: EvaluationJob) {
        if self.jobs.send(job).is_err() {
            log::error("the evaluator thread has ended; restart the service", &[]);
        }
    }

    /// Reports a bug in the loop: every later request fails.
    pub(crate) fn fail(&self) {
        self.has_failed.store(true, Ordering::SeqCst);
        self.backlog.close();
    }

    fn check(&self) -> Result<(), ErrorResponse> {
        if self.has_failed.load(Ordering::SeqCst) {
            return Err(failed().into());
        }
        self.store.as_ref().map_or(Ok(()), Store::check)
    }
}

impl Queue {
    fn new(next: u64, ticked: Timestamp) -> Self {
        let commands = Vec::new();
        Self { commands, units: 0, is_urgent: false, next, ticked, has_ended: false }
    }

    /// The numbers of a command, from this one on.
    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += NUMBERS;
        number
    }

    fn push(&mut self, command: Command) {
        match &command {
            Command::Entry { room, .. } => self.units = self.units.saturating_add(room.units),
            Command::Tick { .. } => {}
            Command::Call { .. } | Command::Stop => self.is_urgent = true,
        }
        self.commands.push(command);
    }

    fn is_due(&self) -> bool {
        self.is_urgent || self.units >= ENOUGH
    }

    fn take(&mut self) -> Vec<Command> {
        (self.units, self.is_urgent) = (0, false);
        std::mem::take(&mut self.commands)
    }
}

/// The response while the learning policy is a program that has failed. Why is in the log: it may
/// tell more than clients are to know.
fn without_policy() -> ErrorResponse {
    let message = "the learning policy has failed and is started again; try again";
    ErrorResponse::gateway(StatusCode::SERVICE_UNAVAILABLE, message)
}

fn failed() -> ServiceError {
    let message = "the learning loop failed and must be restarted";
    ServiceError::new(ErrorCode::InternalServerError, message)
}
