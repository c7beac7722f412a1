use std::cell::Cell;
use std::time::Duration;

use super::{Alarm, Clock, WallClock};

/// Sleeps on the machine's clock to the microsecond, where the system has a timer for that.
///
/// tokio's timers tick in milliseconds: a sleeper wakes 1.1 to 1.5 ms late in the median. A timer
/// descriptor of Linux (`timerfd_create(2)`) counts in nanoseconds, and tokio waits for it as for
/// a socket. Waking a thread takes the machine another 10 µs to 200 µs. An exact alarm therefore ends its
/// sleep that much earlier and yields to other tasks until its deadline. The last stretch costs CPU
/// time: at most 200 µs a sleep, 1 % of a core at 50 sleeps a second. Systems other than Linux use
/// tokio's timers.
pub struct WallAlarm {
    clock: WallClock,
    /// How long before its deadline a sleep ends; none, if it need not be exact.
    stretch: Option<Cell<Duration>>,
    #[cfg(target_os = "linux")]
    timer: Option<descriptor::Timer>,
}

/// An exact sleep ends at most so long before its deadline.
const LONGEST_STRETCH: Duration = Duration::from_micros(200);

impl WallAlarm {
    /// An alarm of this clock; within a runtime.
    pub(super) fn new(clock: WallClock, is_exact: bool) -> Self {
        Self {
            clock,
            stretch: is_exact.then(|| Cell::new(LONGEST_STRETCH / 4)),
            // A process without free descriptors still keeps its schedule, less exactly.
            #[cfg(target_os = "linux")]
            timer: descriptor::Timer::new().ok(),
        }
    }

    /// Sleeps until `early` before the deadline, and returns how late it woke; none, where the
    /// time has come or there is no timer.
    #[cfg(target_os = "linux")]
    async fn sleep(&self, deadline: Duration, early: Duration) -> Option<Duration> {
        let timer = self.timer.as_ref()?;
        let time = self.clock.left_until(deadline)?.checked_sub(early)?;
        timer.sleep(time).await.ok()?;
        let left = self.clock.left_until(deadline).unwrap_or_default();
        Some(early.saturating_sub(left))
    }

    #[cfg(not(target_os = "linux"))]
    async fn sleep(&self, _deadline: Duration, _early: Duration) -> Option<Duration> {
        None
    }
}

impl Alarm for WallAlarm {
    async fn until(&self, deadline: Duration) {
        let Some(stretch) = &self.stretch else {
            self.sleep(deadline, Duration::ZERO).await;
            return self.clock.sleep_until(deadline).await;
        };
        let early = stretch.get();
        if let Some(late) = self.sleep(deadline, early).await {
            stretch.set(adapted(early, late));
        }
        while self.clock.left_until(deadline).is_some_and(|left| left <= LONGEST_STRETCH) {
            tokio::task::yield_now().await;
        }
        self.clock.sleep_until(deadline).await;
    }
}

/// The stretch after a sleep that woke so late: nine of ten sleeps wake within it (a stochastic
/// approximation of the quantile; Robbins and Monro 1951).
fn adapted(stretch: Duration, late: Duration) -> Duration {
    const STEP: Duration = Duration::from_micros(10);
    if late >= stretch {
        (stretch + 9 * STEP / 10).min(LONGEST_STRETCH)
    } else {
        stretch.saturating_sub(STEP / 10)
    }
}

#[cfg(target_os = "linux")]
mod descriptor {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    pub(super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        #[expect(
            deprecated,
            reason = "sound for an owned descriptor, which stays open; its successor is unsafe"
        )]
        pub fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let descriptor = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            AsyncFd::with_interest(descriptor, Interest::READABLE).map(Self)
        }

        /// Waits so long, if nothing sets the timer anew in between.
        pub async fn sleep(&self, time: Duration) -> io::Result<()> {
            let none = Timespec { tv_sec: 0, tv_nsec: 0 };
            // A timer of zero would be switched off.
            let value = Timespec {
                tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(time.subsec_nanos()).max(1),
            };
            let spec = Itimerspec { it_interval: none, it_value: value };
            timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &spec)?;
            loop {
                let mut ready = self.0.readable().await?;
                let read = |timer: &AsyncFd<OwnedFd>| {
                    Ok(rustix::io::read(timer.get_ref(), &mut [0_u8; 8]).map(drop)?)
                };
                match ready.try_io(read) {
                    Ok(expired) => return expired,
                    // It was set anew before it was read.
                    Err(_would_block) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_never_wakes_early_and_is_set_over_and_over() {
        let clock = WallClock::start_now();
        let alarm = clock.alarm(true);
        for micros in [0, 1, 50, 300, 999, 1_001, 2_500] {
            let deadline = clock.now() + Duration::from_micros(micros);
            alarm.until(deadline).await;
            assert!(clock.now() >= deadline, "{micros} µs");
        }
    }

    #[tokio::test]
    async fn a_sleep_that_is_given_up_does_not_end_the_next() {
        let clock = WallClock::start_now();
        let alarm = clock.alarm(true);
        for _ in 0..50 {
            let start = clock.now();
            tokio::select! {
                biased;
                () = alarm.until(start + Duration::from_micros(20)) => {}
                () = tokio::task::yield_now() => {}
            }
            let deadline = clock.now() + Duration::from_micros(400);
            alarm.until(deadline).await;
            assert!(clock.now() >= deadline);
        }
    }

    #[test]
    fn the_stretch_covers_nine_of_ten_late_sleeps() {
        let late = |index: u64| Duration::from_micros(index * 7919 % 100);
        let mut stretch = LONGEST_STRETCH / 4;
        for index in 0..10_000 {
            stretch = adapted(stretch, late(index));
        }
        assert!(
            stretch.abs_diff(Duration::from_micros(90)) < Duration::from_micros(15),
            "{stretch:?}"
        );
        let slow = (0..1000).fold(stretch, |of, _| adapted(of, Duration::from_secs(1)));
        assert_eq!(slow, LONGEST_STRETCH, "it is bounded");
        assert_eq!((0..1000).fold(stretch, |of, _| adapted(of, Duration::ZERO)), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_run_that_starts_later_or_started_before_has_its_own_time() {
        for hours in [-1_i64, 1] {
            let start = WallClock::start_now().start().unix_micros() + hours * 3_600_000_000;
            let clock = WallClock::starting_at(timestamp::Timestamp::from_unix_micros(start));
            let left = clock.left_until(Duration::from_secs(2 * 3600));
            let expected = Duration::from_secs(if hours < 0 { 1 } else { 3 } * 3600);
            let away = left.unwrap().abs_diff(expected);
            assert!(away < Duration::from_secs(60), "{away:?}");
        }
    }
}
