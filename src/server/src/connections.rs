//! The open connections, and which of them is closed when there are too many.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The registry of open connections.
#[derive(Debug, Default)]
pub(crate) struct Connections(Mutex<Registry>);

#[derive(Debug, Default)]
struct Registry {
    open: HashMap<u64, Entry>,
    /// The number of the next connection, and of the next end of a request.
    next: u64,
    /// Whether the limit was reported.
    is_reported: bool,
}

#[derive(Debug)]
struct Entry {
    /// When the connection became idle, as a number that only grows; none while a request is
    /// in flight.
    idle_since: Option<u64>,
    close: Arc<Notify>,
}

/// An open connection. Dropping it removes it from the registry.
#[derive(Debug)]
pub(crate) struct OpenConnection {
    connections: Arc<Connections>,
    number: u64,
    close: Arc<Notify>,
}

/// A request in flight. Dropping it makes its connection idle.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<OpenConnection>);

impl Connections {
    /// Registers a connection, which is idle until its first request.
    pub(crate) fn open(self: &Arc<Self>) -> OpenConnection {
        let mut registry = self.lock();
        let number = registry.tick();
        let close = Arc::new(Notify::new());
        let entry = Entry { idle_since: Some(number), close: Arc::clone(&close) };
        registry.open.insert(number, entry);
        OpenConnection { connections: Arc::clone(self), number, close }
    }

    /// Asks the connection that has been idle for longest to close. Returns false if every
    /// connection has a request in flight. Reports the first time.
    pub(crate) fn close_oldest_idle(&self) -> bool {
        let mut registry = self.lock();
        let count = registry.open.len();
        let idle = registry.open.values_mut().filter(|entry| entry.idle_since.is_some());
        let Some(oldest) = idle.min_by_key(|entry| entry.idle_since) else { return false };
        oldest.idle_since = None;
        oldest.close.notify_one();
        if !std::mem::replace(&mut registry.is_reported, true) {
            eprintln!(
                "note: {count} connections are open, which is the limit: the oldest idle one is \
                 closed for each new one"
            );
        }
        true
    }

    /// The number of open connections.
    pub(crate) fn len(&self) -> usize {
        self.lock().open.len()
    }

    /// Every critical section leaves the registry consistent.
    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry {
    fn tick(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl OpenConnection {
    /// Resolves when the connection must close.
    pub(crate) async fn closed(&self) {
        self.close.notified().await;
    }

    /// Marks the connection as busy.
    pub(crate) fn begin_request(self: &Arc<Self>) -> InFlight {
        if let Some(entry) = self.connections.lock().open.get_mut(&self.number) {
            entry.idle_since = None;
        }
        InFlight(Arc::clone(self))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut registry = self.0.connections.lock();
        let now = registry.tick();
        if let Some(entry) = registry.open.get_mut(&self.0.number) {
            entry.idle_since = Some(now);
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
    use super::*;

    /// Whether a connection was asked to close.
    fn is_closed(connection: &OpenConnection) -> bool {
        let closed = std::pin::pin!(connection.closed());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        closed.poll(&mut context).is_ready()
    }

    #[test]
    fn the_connection_that_is_idle_for_longest_closes() {
        let connections = Arc::new(Connections::default());
        let [first, second, third] = [0; 3].map(|_| Arc::new(connections.open()));
        let busy = first.begin_request();
        drop(second.begin_request());
        assert!(connections.close_oldest_idle());
        assert!(is_closed(&third) && !is_closed(&second) && !is_closed(&first));
        drop(third);
        assert!(connections.close_oldest_idle());
        assert!(is_closed(&second));
        drop(second);
        assert!(!connections.close_oldest_idle(), "the only one is busy");
        drop(busy);
        assert!(connections.close_oldest_idle());
        assert_eq!(connections.len(), 1);
    }
}
