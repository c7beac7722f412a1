use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::{Clock, Timestamp};

/// The machine's monotonic clock; the calendar is read once, at the start.
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    started: Instant,
    /// How long the run had been going when this process began.
    before: Duration,
    start: Timestamp,
}

impl WallClock {
    /// A clock whose run starts now.
    #[must_use]
    pub fn start_now() -> Self {
        Self { started: Instant::now(), before: Duration::ZERO, start: calendar() }
    }

    /// The clock of a run that another process had started: its time goes on, and what
    /// passed in between has passed.
    #[must_use]
    pub fn resume(start: Timestamp) -> Self {
        let passed = calendar().unix_micros().saturating_sub(start.unix_micros());
        let before = Duration::from_micros(passed.try_into().unwrap_or(0));
        Self { started: Instant::now(), before, start }
    }
}

fn calendar() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_micros(0) + since_epoch
}

impl Clock for WallClock {
    fn now(&self) -> Duration {
        self.before + self.started.elapsed()
    }

    fn start(&self) -> Timestamp {
        self.start
    }

    async fn sleep_until(&self, deadline: Duration) {
        tokio::time::sleep_until(self.started + deadline.saturating_sub(self.before)).await;
    }

    /// tokio's timers tick in milliseconds, and a busy machine wakes them a few late.
    fn resolution(&self) -> Duration {
        Duration::from_millis(10)
    }
}
