//! The threads beside the requests: the worker, which owns the loop, and the evaluator.

use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::backlog::Released;
use super::core::{Command, Core, NUMBERS, Operation, Rankers, Reply};
use super::state::{Folder, Record, SEGMENT_EVENTS, Ticket};
use super::{background, log};
use learning_loop::{EvaluationJob, LearningLoop, LogEntry};
use timestamp::Timestamp;

/// The number of commands after which what they changed is published.
const BATCH: usize = 256;

/// A snapshot is written after a segment of joined events, if the last one took a small share of
/// the time since ([`SNAPSHOT_SHARE`]): it writes the open events and the model again. It is
/// written after so many bytes of the journal in any case, or as many as the open events of the
/// last one took: a start replays at most that.
const JOURNAL_BYTES: u64 = 64 << 20;

/// A snapshot is also written after so long, if there is anything for it: events leave the disk
/// soon after they have left the log.
const OLDEST: Duration = Duration::from_secs(60);

/// Snapshots take at most one part of so many of the time, without the segments.
const SNAPSHOT_SHARE: u32 = 10;

/// A journal, which is not compressed, is folded into a snapshot when it is a tenth of the
/// segments and larger than this; not more often than this.
const LEAST_JOURNAL_BYTES: u64 = 64 << 10;
const YOUNGEST: Duration = Duration::from_secs(2);

/// The pauses before a program that fails again and again is started again; one that ran for
/// longer is started again at once.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often freed memory is returned, and the size of a block whose freeing makes the allocator
/// do so. mimalloc keeps what was freed for a second, and looks for it when it frees a large block:
/// a service with few requests would keep what its start or a burst took.
const RETURN_MEMORY: Duration = Duration::from_secs(1);
const LARGE_BLOCK: usize = 4 << 20;

/// The pause before a failed snapshot is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// The loop, its queue, and what it has published.
pub(crate) struct Worker {
    learning_loop: LearningLoop,
    core: Arc<Core>,
    /// The number of rankers for small requests.
    threads: usize,
    published: u64,
    /// The state on disk, if there is one.
    folder: Option<Folder>,
    /// Commands with smaller numbers are done.
    next: u64,
    snapshot: Snapshot,
    written: Written,
    /// Whether the last snapshot could not be written.
    has_failed: bool,
    /// Answers that wait for a snapshot.
    held: Vec<(Reply, Ticket)>,
    restart: Restart,
    /// When freed memory was returned.
    returned: Timestamp,
}

/// When a program that has failed is started again.
#[derive(Debug, Clone, Copy)]
struct Restart {
    /// When it was started.
    started: Timestamp,
    /// The pause before it is started again.
    pause: Duration,
    /// When it was found to have failed.
    failed: Option<Timestamp>,
}

/// The last snapshot: when it was written, how long that took, and which events there were.
struct Written {
    at: Timestamp,
    took: Duration,
    /// The number of events in the log.
    logged: usize,
    /// About how many bytes of memory the open events took.
    open_bytes: u64,
}

impl Written {
    fn new(learning_loop: &LearningLoop, at: Timestamp, took: Duration) -> Self {
        let (logged, open_bytes) = (learning_loop.logged(), learning_loop.event_bytes().open);
        Self { at, took, logged, open_bytes }
    }
}

/// How far a snapshot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Snapshot {
    /// None is needed.
    Idle,
    /// One is needed, but could not be begun or written at that time: it is tried again.
    Failed(Timestamp),
    /// One is needed.
    Wanted,
    /// The journal was replaced; the snapshot is written once all commands up to the last one in
    /// the old journal are done.
    Waiting(u64),
}

impl Worker {
    pub(crate) fn new(
        learning_loop: LearningLoop,
        core: Arc<Core>,
        threads: usize,
        (folder, next): (Option<Folder>, u64),
    ) -> Self {
        let published = learning_loop.ranker_version();
        let started = core.now();
        let written = Written::new(&learning_loop, started, Duration::ZERO);
        Self {
            written,
            has_failed: false,
            learning_loop,
            core,
            threads,
            published,
            folder,
            next,
            snapshot: Snapshot::Idle,
            held: Vec::new(),
            restart: Restart { started, pause: Duration::ZERO, failed: None },
            returned: started,
        }
    }

    /// Works until it is stopped. A panic is a bug that may leave the loop inconsistent: the
    /// service then fails every request.
    pub(crate) fn run(mut self) {
        let core = Arc::clone(&self.core);
        if catch_unwind(AssertUnwindSafe(move || self.work())).is_err() {
            core.fail();
        }
        core.end_queue();
    }

    fn work(&mut self) {
        loop {
            let is_expected = matches!(self.snapshot, Snapshot::Waiting(_));
            let mut commands = self.core.take(is_expected).into_iter().peekable();
            while commands.peek().is_some() {
                if !self.handle_batch(commands.by_ref().take(BATCH)) {
                    return self.finish();
                }
            }
            self.restart_policy();
        }
    }

    /// Starts a learning policy again that is a program and has failed: at once, and after longer
    /// and longer pauses if it fails soon again. Rank is refused until it runs; what is learned
    /// meanwhile it is told then.
    fn restart_policy(&mut self) {
        let Some(why) = self.learning_loop.program_failure() else { return };
        let now = self.core.now();
        let Restart { started, pause, failed } = &mut self.restart;
        if failed.is_none() {
            if now.since(*started) >= LONGEST_PAUSE {
                *pause = Duration::ZERO;
            }
            log::error(format!("{why}\nRank is refused until it is started again"), &[]);
        }
        if now.since(*failed.get_or_insert(now)) < *pause {
            return;
        }
        (*started, *failed) = (now, None);
        *pause = (*pause * 2).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        // A failure is found again, with its reason.
        if let Some(Ok(restarted)) = self.learning_loop.restart_policy() {
            log::restarted(restarted);
        }
    }

    /// Handles commands, and publishes what they changed. Returns false if the worker must stop.
    fn handle_batch(&mut self, commands: impl Iterator<Item = Command>) -> bool {
        let mut released = Released::default();
        for command in commands {
            match command {
                Command::Entry { number, entry, room } => {
                    self.replay(number, entry);
                    released.add(room);
                }
                Command::Call { at, number, operation } => self.call(at, number, operation),
                Command::Tick { at, number } => self.tick(at, number),
                Command::Stop => return false,
            }
        }
        self.core.backlog.release(&released);
        self.move_snapshot();
        self.publish();
        true
    }

    /// Replays an entry, which is queued for the disk already.
    fn replay(&mut self, number: u64, entry: LogEntry) {
        // Requests were checked before they were queued.
        if let Err(error) = self.learning_loop.replay(entry) {
            log::error(format!("an accepted request was refused: {error}"), &[]);
        }
        self.learning_loop.take_entries();
        self.next = number + NUMBERS;
    }

    fn tick(&mut self, at: Timestamp, number: u64) {
        self.learning_loop.state(at);
        self.optimize(at);
        self.store_entries(number);
        self.next = number + NUMBERS;
        if at.since(self.returned) >= RETURN_MEMORY {
            self.returned = at;
            // No page of it is touched.
            drop(black_box(Vec::<u8>::with_capacity(LARGE_BLOCK)));
        }
    }

    fn call(&mut self, at: Timestamp, number: u64, operation: Operation) {
        let reply = operation(&mut self.learning_loop, at);
        self.optimize(at);
        let (ticket, erases) = self.store_entries(number);
        // A request after the answer must see what the operation changed.
        self.publish();
        if erases && let Some(folder) = &mut self.folder {
            if self.learning_loop.logged() == 0 {
                folder.forget_unwritten();
            }
            self.snapshot = Snapshot::Wanted;
            self.held.push((reply, ticket));
        } else {
            reply(Ok(ticket));
        }
        self.next = number + NUMBERS;
    }

    /// Starts the automatic evaluation that is due.
    fn optimize(&mut self, at: Timestamp) {
        if let Some(job) = self.learning_loop.begin_optimization(at) {
            self.core.evaluate(job);
        }
    }

    /// Queues the entries of an operation for the disk. Also returns whether they erase something:
    /// then it must leave the disk before the operation is answered.
    fn store_entries(&mut self, number: u64) -> (Ticket, bool) {
        let entries = self.learning_loop.take_entries();
        let store = self.core.store.as_ref();
        let ticket = store.map(|store| store.append(Record::all((number..).zip(&entries))));
        (ticket.unwrap_or_default(), entries.iter().any(LogEntry::erases))
    }

    /// Publishes new rankers if the served model or the settings changed, and the counters.
    fn publish(&mut self) {
        let version = self.learning_loop.ranker_version();
        if version != self.published {
            self.published = version;
            self.core.publish(Rankers::new(&self.learning_loop.ranker(), self.threads));
        }
        self.core.set_state(self.learning_loop.last_state());
        self.core.set_event_bytes(self.learning_loop.event_bytes());
    }

    /// Moves a snapshot forward.
    fn move_snapshot(&mut self) {
        let Some(store) = self.core.store.as_ref() else { return };
        let is_wanted = match self.snapshot {
            Snapshot::Idle => self.is_large(store.bytes()) || self.is_old(store.bytes()),
            Snapshot::Wanted => true,
            Snapshot::Failed(at) => self.core.now().since(at) >= RETRY,
            Snapshot::Waiting(_) => false,
        };
        if is_wanted {
            self.snapshot = self.replace_journal();
        }
        if matches!(self.snapshot, Snapshot::Waiting(last) if self.next > last) {
            self.snapshot = self.write_snapshot();
        }
    }

    /// Whether there is much to write.
    fn is_large(&self, journal_bytes: u64) -> bool {
        let most = self.written.open_bytes.max(JOURNAL_BYTES);
        let age = self.core.now().since(self.written.at);
        journal_bytes >= most
            || self.learning_loop.unarchived() >= SEGMENT_EVENTS
                && age >= self.written.took * SNAPSHOT_SHARE
    }

    /// Whether the state on disk has much, or for long, that a snapshot would remove.
    fn is_old(&self, journal_bytes: u64) -> bool {
        let age = self.core.now().since(self.written.at);
        let has_changed = journal_bytes > 0 || self.learning_loop.logged() != self.written.logged;
        if age < YOUNGEST.max(self.written.took * SNAPSHOT_SHARE) || !has_changed {
            return false;
        }
        let segments = self.folder.as_ref().map_or(0, Folder::segment_bytes);
        age >= OLDEST || journal_bytes > LEAST_JOURNAL_BYTES.max(segments / 10)
    }

    /// The first step of a snapshot.
    fn replace_journal(&mut self) -> Snapshot {
        let (Some(folder), Some(store)) = (&mut self.folder, &self.core.store) else {
            return Snapshot::Idle;
        };
        match store.rotate() {
            Ok(closed) => {
                let last = closed.last.unwrap_or_default();
                folder.close_journal(closed);
                Snapshot::Waiting(last)
            }
            Err(error) => self.fail_snapshot(&error),
        }
    }

    /// The second step of a snapshot.
    fn write_snapshot(&mut self) -> Snapshot {
        let Some(folder) = &mut self.folder else { return Snapshot::Idle };
        let now = self.core.now();
        let mut written = folder.write_segments(&mut self.learning_loop, now);
        let began = self.core.now();
        written = written.and_then(|()| folder.snapshot(&mut self.learning_loop, self.next));
        if !self.held.is_empty() {
            written = written.and_then(|()| folder.remove_copies());
        }
        if let Err(error) = written {
            return self.fail_snapshot(&error);
        }
        if std::mem::take(&mut self.has_failed) {
            log::note("snapshots of the state can be written again", &[]);
        }
        let (now, bytes) = (self.core.now(), folder.bytes());
        self.core.metrics.set_snapshot(now, bytes);
        let took = now.since(began);
        self.written = Written::new(&self.learning_loop, now, took);
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let fields = [("bytes", bytes.into()), ("milliseconds", milliseconds.into())];
        log::record("a snapshot of the state was written", &fields);
        self.held.drain(..).for_each(|(reply, ticket)| reply(Ok(ticket)));
        Snapshot::Idle
    }

    /// Reports that a snapshot could not be written. What was erased is still on the disk.
    fn fail_snapshot(&mut self, error: &std::io::Error) -> Snapshot {
        if !std::mem::replace(&mut self.has_failed, true) {
            let message = format!("a snapshot of the state cannot be written: {error}");
            log::error(format!("{message}; it is tried again"), &[]);
        }
        self.held.drain(..).for_each(|(reply, _)| reply(Err(error.to_string())));
        Snapshot::Failed(self.core.now())
    }

    /// Writes the last snapshot. If it cannot, the journal has everything that was answered.
    fn finish(&mut self) {
        let is_writable = self.core.store.as_ref().is_some_and(|store| store.failure().is_none());
        if is_writable && matches!(self.replace_journal(), Snapshot::Waiting(_)) {
            self.write_snapshot();
        }
        if self.learning_loop.policy_failure().is_none()
            && let Err(why) = self.learning_loop.end_policy()
        {
            log::warning(why, &[]);
        }
    }
}

/// Runs evaluations one after the other at a lower priority, until the service ends.
pub(crate) fn evaluate(core: &Weak<Core>, jobs: &Receiver<EvaluationJob>) {
    while let Ok(job) = jobs.recv() {
        let id = job.id().to_owned();
        let results = background::on_a_thread("evaluation", move || job.run());
        let fields = [("evaluation", id.clone().into()), ("completed", results.is_some().into())];
        log::record("an evaluation has ended", &fields);
        let Some(core) = core.upgrade() else { return };
        let finished = {
            let id = id.clone();
            core.enqueue_call(Box::new(move |learning_loop, now| {
                learning_loop.finish_evaluation(&id, results, now);
                Box::new(|_| ())
            }))
        };
        if let Err(error) = finished {
            log::error(format!("evaluation `{id}` could not be stored: {error}"), &[]);
        }
    }
}
