//! When the next iteration may start.
//!
//! A closed arrival asks a [`Limiter`]; an open one has [`DueTimes`], which are a function
//! of the index. [`Pacer`] is either. Nothing here waits.

mod due_times;
mod forecast;
mod limiter;

use std::time::Duration;

use self::due_times::DueTimes;
pub(crate) use self::forecast::Forecast;
use self::limiter::Limiter;

use metrics::micros;
use plan::Arrival;
use seed::{PhaseKey, Seed};
use shard::Stride;

/// Admits the iterations of a phase.
pub(crate) struct Pacer {
    arrival: Pacing,
    most_under_way: usize,
}

enum Pacing {
    Closed(Limiter),
    Open(Open),
}

/// The schedule of an open arrival, restricted to the iterations of one shard.
#[derive(Clone)]
struct Open {
    start: Duration,
    times: DueTimes,
    stride: Stride,
    /// How many iterations all shards make.
    iterations: u64,
    /// The due time of the iteration after the last of them.
    end: Option<Duration>,
}

impl Open {
    fn new(start: Duration, times: DueTimes, stride: Stride, iterations: u64) -> Self {
        let mut open = Self { start, times, stride, iterations, end: None };
        open.note_end();
        open.advance(stride.first);
        open
    }

    /// In whole microseconds, as results keep it.
    fn due(&self) -> Duration {
        Duration::from_micros(micros(self.start.saturating_add(self.times.next())))
    }

    fn advance(&mut self, iterations: u64) {
        for _ in 0..iterations {
            self.times.advance();
            self.note_end();
        }
    }

    fn note_end(&mut self) {
        if self.times.index() == self.iterations {
            self.end = Some(self.due());
        }
    }

    /// Skips iterations; the next is due at the start of the phase.
    fn resume(&mut self, own: u64) {
        if own > 0 {
            self.advance(own * self.stride.step.get());
            self.start = self.start.saturating_sub(self.times.next());
        }
    }
}

/// Whether the next iteration may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It starts. It was due at this time; without a schedule it is due when it starts.
    Start(Option<Duration>),
    /// It was due at this time, and is dropped: too many are under way.
    Drop(Duration),
    /// None starts before this time.
    NotBefore(Duration),
    /// None starts before another ends.
    Full,
}

impl Pacer {
    /// A pacer of a phase that starts at `now`, for sleepers that wake up to
    /// `resolution` late.
    ///
    /// Of the `iterations` of all shards it is to start those of `stride`.
    #[must_use]
    pub(crate) fn new(
        arrival: &Arrival,
        (seed, phase): (Seed, PhaseKey),
        (stride, iterations): (Stride, u64),
        resolution: Duration,
        now: Duration,
    ) -> Self {
        match arrival {
            Arrival::Closed { concurrency, rate } => Self {
                arrival: Pacing::Closed(Limiter::new(*rate, resolution, now)),
                most_under_way: *concurrency,
            },
            Arrival::Open(schedule) => Self {
                arrival: {
                    let times = DueTimes::new(schedule, seed, phase);
                    Pacing::Open(Open::new(now, times, stride, iterations))
                },
                most_under_way: schedule.max_in_flight,
            },
        }
    }

    /// Skips the first `own` iterations of this shard, which an earlier process made: the next
    /// is due now, and the others after it at their intervals.
    pub(crate) fn resume(&mut self, own: u64) {
        if let Pacing::Open(open) = &mut self.arrival {
            open.resume(own);
        }
    }

    /// When the schedule ends, known once all iterations of this shard are started: the due
    /// time of the iteration after the last one of all shards.
    #[must_use]
    pub(crate) fn end(&self) -> Option<Duration> {
        match &self.arrival {
            Pacing::Closed(_) => None,
            Pacing::Open(open) => open.end,
        }
    }

    /// Decides about the next iteration at `now`, while `under_way` others are. After
    /// [`Admission::Start`] and [`Admission::Drop`], the iteration after it is next.
    pub(crate) fn next(&mut self, now: Duration, under_way: usize) -> Admission {
        let is_full = under_way >= self.most_under_way;
        match &mut self.arrival {
            Pacing::Closed(_) if is_full => Admission::Full,
            Pacing::Closed(limiter) => {
                limiter.admit(now).map_or_else(Admission::NotBefore, |()| Admission::Start(None))
            }
            Pacing::Open(open) => {
                let due = open.due();
                if due > now {
                    return Admission::NotBefore(due);
                }
                open.advance(open.stride.step.get());
                if is_full { Admission::Drop(due) } else { Admission::Start(Some(due)) }
            }
        }
    }

    /// How many iterations may be under way at once.
    #[must_use]
    pub(crate) fn most_under_way(&self) -> usize {
        self.most_under_way
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use super::*;
    use plan::{Rate, Schedule};
    use shard::Shard;

    fn pacer(arrival: &Arrival) -> Pacer {
        let address = (Seed(42), PhaseKey::new("load"));
        let all = (Shard::WHOLE.stride(), 100);
        Pacer::new(arrival, address, all, Duration::ZERO, Duration::ZERO)
    }

    /// When iterations are due while time stands still in between.
    fn due(mut pacer: Pacer, count: u64) -> Vec<Duration> {
        let due = |_| match pacer.next(Duration::MAX, 0) {
            Admission::Start(due) => due.unwrap(),
            other => panic!("{other:?}"),
        };
        let due = (0..count).map(due).collect();
        assert!(pacer.end().is_some(), "all of them are started");
        due
    }

    #[test]
    fn shards_have_the_due_times_of_the_whole() {
        let mut schedule = Schedule::constant(Rate(700.0), 1);
        for poisson in [false, true] {
            schedule.poisson = poisson;
            let arrival = Arrival::Open(schedule.clone());
            let pacer = |stride: Stride| {
                let address = (Seed(42), PhaseKey::new("load"));
                let start = Duration::from_secs(3);
                Pacer::new(&arrival, address, (stride, 101), Duration::ZERO, start)
            };
            let whole = due(pacer(Shard::WHOLE.stride()), 101);
            for shard in Shard::all(NonZero::new(4).unwrap()) {
                let own = due(pacer(shard.stride()), shard.share(101));
                let of_whole = (0..).map(|own| shard.stride().global(own));
                let of_whole = of_whole.map_while(|at| whole.get(usize::try_from(at).unwrap()));
                assert_eq!(own, of_whole.copied().collect::<Vec<_>>(), "{shard}");
                let mut pacer = pacer(shard.stride());
                while pacer.end().is_none() {
                    pacer.next(Duration::MAX, 0);
                }
                let hundred_and_one = Duration::from_micros(3_144_285);
                assert!(poisson || pacer.end() == Some(hundred_and_one), "{:?}", pacer.end());
            }
        }
    }

    #[test]
    fn an_open_arrival_drops_what_a_closed_one_holds_back() {
        let rate = Rate(10.0);
        let mut open = pacer(&Arrival::Open(Schedule::constant(rate, 1)));
        let mut closed = pacer(&Arrival::Closed { concurrency: 1, rate: Some(rate) });
        assert_eq!(open.next(Duration::ZERO, 0), Admission::Start(Some(Duration::ZERO)));
        assert_eq!(closed.next(Duration::ZERO, 0), Admission::Start(None));
        let due = Duration::from_millis(100);
        assert_eq!(open.next(Duration::ZERO, 1), Admission::NotBefore(due));
        assert_eq!(closed.next(due, 1), Admission::Full);
        let late = Duration::from_millis(205);
        assert_eq!(
            open.next(late, 1),
            Admission::Drop(due),
            "dropped iterations keep their due times"
        );
        assert_eq!(open.next(late, 0), Admission::Start(Some(2 * due)));
        assert_eq!(
            open.next(late, 0),
            Admission::NotBefore(3 * due),
            "a dropped iteration is not made up for"
        );
        assert_eq!(closed.next(late, 0), Admission::Start(None));
    }
}
