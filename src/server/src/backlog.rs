//! The bound of the entries that wait for the worker.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{AcquireError, Semaphore};

use super::body::LARGE;

/// The size of the entries that may wait, in units: of small requests, and of large ones. Each kind
/// has its own, since a small request must not wait until large ones are trained.
const SMALL_UNITS: usize = 1 << 16;
const LARGE_UNITS: usize = 1 << 15;

/// The entries of a request take at most one part of so many.
const LEAST_REQUESTS: usize = 8;

/// The bytes of a unit. An entry takes one at least.
const UNIT: usize = 1 << 10;

/// The entries that wait for the worker; further requests wait.
pub(crate) struct Backlog {
    small: Semaphore,
    large: Semaphore,
    entries: AtomicUsize,
}

/// What an entry takes of the backlog.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) units: u32,
    is_large: bool,
}

/// What entries have given back.
#[derive(Debug, Default)]
pub(crate) struct Released {
    entries: usize,
    small: usize,
    large: usize,
}

impl Backlog {
    pub(crate) fn new() -> Self {
        Self {
            small: Semaphore::new(SMALL_UNITS),
            large: Semaphore::new(LARGE_UNITS),
            entries: AtomicUsize::new(0),
        }
    }

    /// Waits for room for the entries of a request of `size` bytes, which share its size. Returns
    /// what each takes.
    ///
    /// # Errors
    /// If the backlog is closed.
    pub(crate) async fn acquire(&self, entries: usize, size: usize) -> Result<Room, AcquireError> {
        let is_large = size >= LARGE;
        let most = if is_large { LARGE_UNITS } else { SMALL_UNITS };
        let units = (size / UNIT).min(most / LEAST_REQUESTS) / entries.max(1);
        let units = u32::try_from(units).unwrap_or(1).max(1);
        let count = u32::try_from(entries).unwrap_or(u32::MAX);
        let semaphore = if is_large { &self.large } else { &self.small };
        semaphore.acquire_many(count.saturating_mul(units)).await?.forget();
        self.entries.fetch_add(entries, Ordering::Relaxed);
        Ok(Room { units, is_large })
    }

    /// Gives back what replayed entries took.
    pub(crate) fn release(&self, released: &Released) {
        self.entries.fetch_sub(released.entries, Ordering::Relaxed);
        self.small.add_permits(released.small);
        self.large.add_permits(released.large);
    }

    /// The number of entries that wait.
    pub(crate) fn entries(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }

    /// Ends all waits.
    pub(crate) fn close(&self) {
        self.small.close();
        self.large.close();
    }
}

impl Released {
    /// Adds the room of an entry.
    pub(crate) fn add(&mut self, Room { units, is_large }: Room) {
        self.entries += 1;
        *(if is_large { &mut self.large } else { &mut self.small }) += units as usize;
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn acquire(backlog: &Backlog, entries: usize, size: usize) -> Option<Room> {
        let acquired = std::pin::pin!(backlog.acquire(entries, size));
        match acquired.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(room) => Some(room.unwrap()),
            Poll::Pending => None,
        }
    }

    #[test]
    fn small_requests_have_room_while_large_ones_wait() {
        for (filling, other) in [(4 << 20, 100), (100, 4 << 20)] {
            let backlog = Backlog::new();
            let rooms: Vec<_> = std::iter::from_fn(|| acquire(&backlog, 1, filling)).collect();
            assert!(rooms.len() >= LEAST_REQUESTS);
            assert!(acquire(&backlog, 1, other).is_some());
            let mut released = Released::default();
            released.add(rooms[0]);
            backlog.release(&released);
            assert!(acquire(&backlog, 1, filling).is_some());
            assert!(acquire(&backlog, 1, filling).is_none());
            assert_eq!(backlog.entries(), rooms.len() + 1);
        }
    }

    #[test]
    fn the_entries_of_a_request_always_fit() {
        for size in [0, 100, LARGE - 1, LARGE, 4 << 20, 256 << 20] {
            for entries in [1, 2, 50, 1000] {
                assert!(acquire(&Backlog::new(), entries, size).is_some(), "{entries} {size}");
            }
        }
    }
}
