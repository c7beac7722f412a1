use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::{Clock, Timestamp};

/// The machine's monotonic clock; the calendar is read once, at the start.
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    started: Instant,
    start: Timestamp,
}

impl WallClock {
    /// A clock whose run starts now.
    #[must_use]
    pub fn start_now() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), start: Timestamp::from_unix_micros(0) + since_epoch }
    }
}

impl Clock for WallClock {
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn start(&self) -> Timestamp {
        self.start
    }

    async fn sleep_until(&self, deadline: Duration) {
        tokio::time::sleep_until(self.started + deadline).await;
    }

    /// tokio's timers tick in milliseconds, and a busy machine wakes them a few late.
    fn resolution(&self) -> Duration {
        Duration::from_millis(10)
    }
}
