use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::{Clock, Task, Tasks, Timestamp, WallAlarm};

/// The machine's monotonic clock; the calendar is read once, at the start.
///
/// Its times are whole microseconds, as results hold them.
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    started: Instant,
    /// How long the run had lasted when this process started; below zero, if it starts later.
    before_us: i64,
    start: Timestamp,
}

impl WallClock {
    /// A clock whose run starts now.
    #[must_use]
    pub fn start_now() -> Self {
        Self::starting_at(calendar())
    }

    /// The clock of a run that starts at this time, which may be in the future, or in the past:
    /// for a resumed run, and for shards with a common start.
    #[must_use]
    pub fn starting_at(start: Timestamp) -> Self {
        let before_us = calendar().unix_micros().saturating_sub(start.unix_micros());
        Self { started: Instant::now(), before_us, start }
    }

    /// How long it is until the start of the run.
    #[must_use]
    pub fn until_start(&self) -> Duration {
        Duration::from_micros(u64::try_from(-self.passed_us()).unwrap_or(0))
    }

    /// The instant after `time` from now, for the timers of the runtime.
    #[must_use]
    pub fn deadline_in(&self, time: Duration) -> Instant {
        /// What no machine lives to see.
        const FOREVER: Duration = Duration::from_secs(30 * 365 * 86_400);
        let now = Instant::now();
        now.checked_add(time).unwrap_or_else(|| now + FOREVER)
    }

    /// How long it is until a moment of the run, to the nanosecond; none, if it has come.
    pub(super) fn left_until(&self, deadline: Duration) -> Option<Duration> {
        let left = self.after_start(deadline).saturating_sub(self.started.elapsed());
        Some(left).filter(|left| !left.is_zero())
    }

    /// How long after the start of this process a moment of the run is.
    fn after_start(&self, deadline: Duration) -> Duration {
        let before = Duration::from_micros(self.before_us.unsigned_abs());
        match self.before_us {
            0.. => deadline.saturating_sub(before),
            _ => deadline.saturating_add(before),
        }
    }

    /// How long the run has lasted; below zero, if it starts later.
    fn passed_us(&self) -> i64 {
        let here = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.before_us.saturating_add(here)
    }
}

fn calendar() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_micros(0) + since_epoch
}

impl Clock for WallClock {
    type Tasks<'f, T: 'f> = FuturesUnordered<Task<'f, T>>;
    type Alarm = WallAlarm;

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.passed_us()).unwrap_or(0))
    }

    fn start(&self) -> Timestamp {
        self.start
    }

    async fn sleep_until(&self, deadline: Duration) {
        if let Some(left) = self.left_until(deadline) {
            // Most iterations never sleep: with a timer inside, their futures would be larger, and
            // aligned to 128 bytes.
            Box::pin(tokio::time::sleep(left)).await;
        }
    }

    fn alarm(&self, is_exact: bool) -> WallAlarm {
        WallAlarm::new(*self, is_exact)
    }

    /// tokio's timers tick in milliseconds, and a busy machine wakes them a few late.
    fn resolution(&self) -> Duration {
        Duration::from_millis(10)
    }

    fn tasks<'f, T: 'f>(&self) -> FuturesUnordered<Task<'f, T>> {
        FuturesUnordered::new()
    }
}

impl<'f, T> Tasks<'f, T> for FuturesUnordered<Task<'f, T>> {
    fn push(&mut self, task: Task<'f, T>) {
        Self::push(self, task);
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.poll_next_unpin(context)
    }
}
