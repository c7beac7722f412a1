//! The only source of time.
//!
//! A run asks its [`Clock`] for the time since the run's start, and sleeps until such a time.
//! [`WallClock`] is the machine's monotonic clock; [`VirtualClock`] has a small executor in
//! which time advances only when no task is ready, so twelve minutes of service time pass in a
//! fraction of a second, and in the same way on every machine. No other crate reads the time.
//!
//! Must not know: everything else.

mod virtual_clock;
mod wall_alarm;
mod wall_clock;

pub use virtual_clock::{VirtualClock, VirtualTasks};
pub use wall_alarm::WallAlarm;
pub use wall_clock::WallClock;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use timestamp::Timestamp;

/// Time since the start of the run, and sleeping.
///
/// An implementor must not wake a sleeper before its deadline, and must wake sleepers by
/// deadline and then by the order in which they went to sleep. Concurrent sleepers are
/// [`Tasks`] of the clock.
pub trait Clock: Clone {
    /// Concurrent futures under this clock.
    type Tasks<'f, T: 'f>: Tasks<'f, T>;
    /// A sleeper of this clock for what starts calls.
    type Alarm: Alarm;

    /// Time passed since the run started.
    fn now(&self) -> Duration;

    /// The calendar time of the start of the run.
    fn start(&self) -> Timestamp;

    /// Waits until `now() >= deadline`.
    fn sleep_until(&self, deadline: Duration) -> impl Future<Output = ()>;

    /// A sleeper for what starts calls; an exact one wakes to the microsecond, at the cost of CPU
    /// time. On a wall clock it belongs to the runtime in which it is made.
    fn alarm(&self, is_exact: bool) -> Self::Alarm;

    /// How late a sleeper may wake. Pacing has to catch up on as much.
    fn resolution(&self) -> Duration;

    /// An empty set of tasks.
    fn tasks<'f, T: 'f>(&self) -> Self::Tasks<'f, T>;

    /// The calendar time of a moment of the run.
    fn timestamp(&self, at: Duration) -> Timestamp {
        self.start() + at
    }
}

/// A sleeper for one sleep at a time: a sleep ends those before it.
pub trait Alarm {
    /// Waits until `now() >= deadline`.
    fn until(&self, deadline: Duration) -> impl Future<Output = ()>;
}

/// One of several concurrent futures.
pub type Task<'f, T> = Pin<Box<dyn Future<Output = T> + 'f>>;

/// Concurrent futures within one future, which polls those that are woken in the order of
/// their wake-ups.
pub trait Tasks<'f, T> {
    /// Adds one; it runs during [`Tasks::poll_next`].
    fn push(&mut self, task: Task<'f, T>);

    /// The output of the next that is done; `None` once all are.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<T>>;
}
