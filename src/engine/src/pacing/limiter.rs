use std::cell::Cell;
use std::num::NonZeroU32;
use std::rc::Rc;
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use plan::Rate;

/// Admits iterations at a rate, or at once without one.
///
/// It is governor's GCRA as a state machine: the caller passes the time, and gets an
/// admission or the earliest moment of one. It never waits.
pub(crate) struct Limiter {
    gcra: Option<Gcra>,
}

struct Gcra {
    /// The time between two admissions.
    period: Duration,
    time: SetTime,
    limiter: RateLimiter<NotKeyed, InMemoryState, SetTime, NoOpMiddleware<Nanos>>,
}

/// The time that the caller passed last.
#[derive(Clone, Default)]
struct SetTime(Rc<Cell<Nanos>>);

impl GovernorClock for SetTime {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.get()
    }
}

impl Limiter {
    /// A limiter that starts at `now`, for sleepers that wake up to `resolution` late.
    #[must_use]
    pub(crate) fn new(rate: Option<Rate>, resolution: Duration, now: Duration) -> Self {
        Self { gcra: rate.map(|rate| Gcra::new(rate, resolution, now)) }
    }

    /// Admits one iteration at `now`, or says when to ask again.
    ///
    /// # Errors
    /// The earliest moment at which the next iteration can be admitted.
    pub(crate) fn admit(&self, now: Duration) -> Result<(), Duration> {
        self.gcra.as_ref().map_or(Ok(()), |gcra| gcra.admit(now))
    }
}

impl Limiter {
    /// The next is admitted so long after an admission at the latest.
    pub(crate) fn period(&self) -> Duration {
        self.gcra.as_ref().map_or(Duration::ZERO, |gcra| gcra.period)
    }
}

impl Gcra {
    /// A burst of one would lose every late wake-up for good (measured: 10 % of
    /// 1,000/s, 35 % of 5,000/s), so a limiter may catch up on what falls due within one
    /// `resolution`; it starts with all but one of the burst spent.
    fn new(Rate(per_second): Rate, resolution: Duration, now: Duration) -> Self {
        let time = SetTime::default();
        time.0.set(now.into());
        let burst = burst(per_second, resolution);
        let period = Duration::from_secs_f64(1.0 / per_second).max(Duration::from_nanos(1));
        let quota = Quota::with_period(period).expect("a period above zero").allow_burst(burst);
        let limiter = RateLimiter::direct_with_clock(quota, time.clone());
        if let Some(spent) = NonZeroU32::new(burst.get() - 1) {
            let _always_admitted = limiter.check_n(spent);
        }
        Self { period, time, limiter }
    }

    fn admit(&self, now: Duration) -> Result<(), Duration> {
        self.time.0.set(now.into());
        self.limiter.check().map_err(|refusal| refusal.earliest_possible().into())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates are positive and the conversion saturates"
)]
fn burst(per_second: f64, resolution: Duration) -> NonZeroU32 {
    let within_resolution = (per_second * resolution.as_secs_f64()).ceil() as u32;
    let smallest = if resolution.is_zero() { 1 } else { 2 };
    NonZeroU32::new(within_resolution.max(smallest)).expect("at least one")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Admits `count` iterations, waking `lateness(i)` after the moment asked for.
    fn admissions(
        limiter: &Limiter,
        count: u64,
        lateness: impl Fn(u64) -> Duration,
    ) -> Vec<Duration> {
        let mut now = Duration::ZERO;
        let mut admitted = Vec::new();
        while admitted.len() < usize::try_from(count).unwrap() {
            match limiter.admit(now) {
                Ok(()) => admitted.push(now),
                Err(until) => now = until + lateness(admitted.len() as u64),
            }
        }
        admitted
    }

    #[test]
    fn exact_wake_ups_give_the_exact_schedule() {
        for per_second in [0.5, 20.0, 1000.0, 50_000.0] {
            let limiter = Limiter::new(Some(Rate(per_second)), Duration::ZERO, Duration::ZERO);
            let admitted = admissions(&limiter, 1000, |_| Duration::ZERO);
            let period = Duration::from_secs_f64(1.0 / per_second);
            for (index, at) in (0_u32..).zip(admitted) {
                assert_eq!(at, period * index, "{per_second}/s");
            }
        }
    }

    #[test]
    fn late_wake_ups_lose_nothing() {
        let resolution = Duration::from_millis(10);
        for per_second in [200.0, 1000.0, 5000.0] {
            let limiter = Limiter::new(Some(Rate(per_second)), resolution, Duration::ZERO);
            let late = |index: u64| Duration::from_micros(index * 7919 % 5000);
            let admitted = admissions(&limiter, 10_000, late);
            let achieved = 9999.0 / admitted.last().unwrap().as_secs_f64();
            assert!((achieved / per_second - 1.0).abs() < 0.002, "{achieved}/{per_second}");
        }
    }

    #[test]
    fn without_a_rate_everything_is_admitted_at_once() {
        let limiter = Limiter::new(None, Duration::ZERO, Duration::ZERO);
        assert!((0..1000).all(|_| limiter.admit(Duration::ZERO).is_ok()));
    }
}
