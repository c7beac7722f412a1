//! The open connections, and which of them is closed when there are too many.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::Time;
use super::log::{self, Bounded};
use timestamp::Timestamp;

/// A client that makes the service wait for longer, for a body or to read a response, loses its
/// connection when there are too many.
const SLOW: Duration = Duration::from_secs(1);

/// The registry of open connections.
pub(crate) struct Connections {
    registry: Mutex<Registry>,
    time: Time,
}

struct Registry {
    /// By their numbers, which only grow.
    open: HashMap<u64, Arc<Progress>>,
    next: u64,
    crowded: Bounded,
    late: Bounded,
    refused: Bounded,
}

/// What a connection does, and since when. Requests change it without the registry.
#[derive(Debug)]
struct Progress {
    phase: AtomicU8,
    since_us: AtomicI64,
    is_closing: AtomicBool,
    close: Notify,
}

/// What a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// It waits for a request.
    Idle,
    /// It waits for the body of a request.
    Receiving,
    /// The request is being handled.
    Handling,
    /// It waits for the client to read the response.
    Sending,
}

/// An open connection. Dropping it removes it from the registry.
pub(crate) struct OpenConnection {
    connections: Arc<Connections>,
    number: u64,
    progress: Arc<Progress>,
}

/// The body of a request or of a response on its way. Dropping it ends the phase.
pub(crate) struct Transfer {
    connection: Arc<OpenConnection>,
    phase: Phase,
}

impl Connections {
    /// No connections; `time` says how long a phase takes.
    pub(crate) fn new(time: Time) -> Self {
        let [crowded, late, refused] = [0; 3].map(|_| Bounded::new(1));
        let registry = Registry { open: HashMap::new(), next: 0, crowded, late, refused };
        Self { registry: Mutex::new(registry), time }
    }

    /// Registers a connection, which is idle until its first request.
    pub(crate) fn open(self: &Arc<Self>) -> OpenConnection {
        let progress = Arc::new(Progress {
            phase: AtomicU8::new(Phase::Idle as u8),
            since_us: AtomicI64::new((self.time)().unix_micros()),
            is_closing: AtomicBool::new(false),
            close: Notify::new(),
        });
        let mut registry = self.lock();
        registry.next += 1;
        let number = registry.next;
        registry.open.insert(number, Arc::clone(&progress));
        OpenConnection { connections: Arc::clone(self), number, progress }
    }

    /// Asks a connection to close: the one that has been idle for longest, or else the one whose
    /// client is slow for longest. Returns false if there is neither.
    pub(crate) fn close_one(&self) -> bool {
        let now = (self.time)();
        let mut registry = self.lock();
        let count = registry.open.len();
        let ranked = registry.open.iter().filter_map(|(number, progress)| {
            let (group, since) = progress.order_of_closing(now)?;
            Some(((group, since, *number), progress))
        });
        let Some((_, first)) = ranked.min_by_key(|(order, _)| *order) else { return false };
        first.ask_to_close();
        if let Some(closed) = registry.crowded.due(now) {
            let message = format!(
                "{count} connections are open, which is the limit: {closed} idle or slow ones were \
                 closed for new ones"
            );
            log::warning(message, &[("connections", count.into()), ("closed", closed.into())]);
        }
        true
    }

    /// Asks all connections to close that wait for a request.
    pub(crate) fn close_idle(&self) {
        let registry = self.lock();
        let idle = registry.open.values().filter(|progress| progress.is_in(Phase::Idle));
        idle.for_each(|progress| progress.ask_to_close());
    }

    fn report_late(&self, deadline: Duration) {
        let now = (self.time)();
        if let Some(closed) = self.lock().late.due(now) {
            let message = format!(
                "{closed} connections were closed: the headers of a request did not arrive within \
                 {deadline:?}"
            );
            log::note(message, &[("closed", closed.into())]);
        }
    }

    /// Reports a connection that could not be accepted.
    pub(crate) fn report_refused(&self, error: &std::io::Error) {
        let now = (self.time)();
        if let Some(times) = self.lock().refused.due(now) {
            let message = format!("cannot accept a connection: {error}");
            log::error(message, &[("times", times.into())]);
        }
    }

    /// The number of open connections.
    pub(crate) fn len(&self) -> usize {
        self.lock().open.len()
    }

    /// Every critical section leaves the registry consistent.
    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn set(&self, phase: Phase, now: Timestamp) {
        self.since_us.store(now.unix_micros(), Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    fn is_in(&self, phase: Phase) -> bool {
        self.phase.load(Ordering::Relaxed) == phase as u8
    }

    /// Idle connections before slow ones, and then since when it is so; none, if it must not be
    /// closed.
    fn order_of_closing(&self, now: Timestamp) -> Option<(u8, i64)> {
        if self.is_closing.load(Ordering::Relaxed) || self.is_in(Phase::Handling) {
            return None;
        }
        let since = self.since_us.load(Ordering::Relaxed);
        if self.is_in(Phase::Idle) {
            return Some((0, since));
        }
        let is_slow = now.since(Timestamp::from_unix_micros(since)) >= SLOW;
        is_slow.then_some((1, since))
    }

    fn ask_to_close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
        self.close.notify_one();
    }
}

impl OpenConnection {
    /// Resolves when the connection must close.
    pub(crate) async fn closed(&self) {
        self.progress.close.notified().await;
    }

    /// Begins a request: its body is received until the transfer is dropped.
    pub(crate) fn receive(self: &Arc<Self>) -> Transfer {
        self.begin(Phase::Receiving)
    }

    /// Begins the response, which is sent until the transfer is dropped.
    pub(crate) fn send(self: &Arc<Self>) -> Transfer {
        self.begin(Phase::Sending)
    }

    /// Reports that the headers of a request did not arrive in time.
    pub(crate) fn report_late(&self, deadline: Duration) {
        self.connections.report_late(deadline);
    }

    fn begin(self: &Arc<Self>, phase: Phase) -> Transfer {
        self.set_phase(phase);
        Transfer { connection: Arc::clone(self), phase }
    }

    fn set_phase(&self, phase: Phase) {
        self.progress.set(phase, (self.connections.time)());
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        // A body may be dropped after the response has begun.
        if self.connection.progress.is_in(self.phase) {
            let next = if self.phase == Phase::Receiving { Phase::Handling } else { Phase::Idle };
            self.connection.set_phase(next);
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.connections.lock().open.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    /// A registry, and its time in seconds.
    fn registry() -> (Arc<Connections>, Arc<AtomicU64>) {
        let seconds = Arc::new(AtomicU64::new(0));
        let read = Arc::clone(&seconds);
        let time =
            move || Timestamp::VIRTUAL_START + Duration::from_secs(read.load(Ordering::SeqCst));
        (Arc::new(Connections::new(Arc::new(time))), seconds)
    }

    /// Whether a connection was asked to close.
    fn is_closed(connection: &OpenConnection) -> bool {
        let closed = std::pin::pin!(connection.closed());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        closed.poll(&mut context).is_ready()
    }

    #[test]
    fn the_connection_that_is_idle_for_longest_closes() {
        let (connections, seconds) = registry();
        let [first, second, third] = [0; 3].map(|_| Arc::new(connections.open()));
        drop(first.receive());
        seconds.store(1, Ordering::SeqCst);
        drop(second.send());
        assert!(connections.close_one());
        assert!(is_closed(&third) && !is_closed(&second) && !is_closed(&first));
        drop(third);
        assert!(connections.close_one());
        assert!(is_closed(&second));
        drop(second);
        assert!(!connections.close_one(), "the only one is busy");
        drop(first.send());
        assert!(connections.close_one());
        assert_eq!(connections.len(), 1);
    }

    #[test]
    fn a_client_that_is_slow_loses_its_connection_and_a_request_in_work_does_not() {
        let (connections, seconds) = registry();
        let [sending, receiving, working] = [0; 3].map(|_| Arc::new(connections.open()));
        drop((working.receive(), sending.receive()));
        let _received = receiving.receive();
        assert!(!connections.close_one());
        seconds.store(1, Ordering::SeqCst);
        let _sent = sending.send();
        assert!(connections.close_one() && is_closed(&receiving));
        assert!(!connections.close_one() && !is_closed(&sending));
        seconds.store(2, Ordering::SeqCst);
        assert!(connections.close_one() && is_closed(&sending));
        assert!(!connections.close_one() && !is_closed(&working));
    }
}
