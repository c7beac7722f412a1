//! The one door through which time comes in.
//!
//! A run asks its [`Clock`] for the time since the run's start and for a sleep until
//! such a time. [`WallClock`] is the machine's monotonic clock; [`VirtualClock`]
//! belongs to a small executor in which time moves only when nothing else can, so
//! twelve minutes of service time pass in a fraction of a second, and pass the same
//! way on every machine. Nothing outside this room reads the time.
//!
//! Must not know: everything else.

mod virtual_clock;
mod wall_clock;

pub use virtual_clock::{VirtualClock, VirtualTasks};
pub use wall_clock::WallClock;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use timestamp::Timestamp;

/// Time since the start of the run, and sleeping.
///
/// An implementor must not return before the asked time, and must order sleepers by their
/// deadline and then by the order in which they were asked for. What sleeps at the same
/// time as others is one of its [`Tasks`].
pub trait Clock: Clone {
    /// What runs at the same time under this clock.
    type Tasks<'f, T: 'f>: Tasks<'f, T>;

    /// Time passed since the run started.
    fn now(&self) -> Duration;

    /// What the calendar said when the run started.
    fn start(&self) -> Timestamp;

    /// Waits until `now() >= deadline`.
    fn sleep_until(&self, deadline: Duration) -> impl Future<Output = ()>;

    /// How late a sleeper may wake. Pacing has to be able to catch up on as much.
    fn resolution(&self) -> Duration;

    /// No tasks yet.
    fn tasks<'f, T: 'f>(&self) -> Self::Tasks<'f, T>;

    /// The calendar time of a moment of the run.
    fn timestamp(&self, at: Duration) -> Timestamp {
        self.start() + at
    }
}

/// One of several futures that run at the same time.
pub type Task<'f, T> = Pin<Box<dyn Future<Output = T> + 'f>>;

/// Futures that run at the same time within one, which polls those that were woken in the
/// order in which they were.
pub trait Tasks<'f, T> {
    /// Adds one; it runs when the next that is done is waited for.
    fn push(&mut self, task: Task<'f, T>);

    /// Gives the next that is done; none once all are.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<T>>;
}
