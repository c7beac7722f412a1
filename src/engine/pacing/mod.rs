//! When may the next iteration start?
//!
//! A closed arrival asks a [`Limiter`]; an open one has [`DueTimes`], which are a
//! function of the index. [`Pacer`] is either. Nothing here waits.

mod due_times;
mod limiter;

use std::time::Duration;

pub use due_times::DueTimes;
pub use limiter::Limiter;

use crate::scenario::plan::Arrival;
use crate::seed::{PhaseKey, Seed};

/// Says what becomes of the next iteration of a phase.
pub struct Pacer {
    arrival: Pacing,
    most_under_way: usize,
}

enum Pacing {
    Closed(Limiter),
    Open { start: Duration, times: DueTimes },
}

/// What becomes of the next iteration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// It starts. It was due then; one without a schedule is due when it starts.
    Start(Option<Duration>),
    /// It was due then, and cannot start.
    Drop(Duration),
    /// Nothing before then.
    NotBefore(Duration),
    /// Nothing before another ends.
    Full,
}

impl Pacer {
    /// A pacer of a phase that starts at `now`, for sleepers that wake up to
    /// `resolution` late.
    #[must_use]
    pub fn new(
        arrival: &Arrival,
        (seed, phase): (Seed, PhaseKey),
        resolution: Duration,
        now: Duration,
    ) -> Self {
        match arrival {
            Arrival::Closed { concurrency, rate } => Self {
                arrival: Pacing::Closed(Limiter::new(*rate, resolution, now)),
                most_under_way: *concurrency,
            },
            Arrival::Open(schedule) => Self {
                arrival: Pacing::Open { start: now, times: DueTimes::new(schedule, seed, phase) },
                most_under_way: schedule.max_in_flight,
            },
        }
    }

    /// Passes over the iterations before `iteration`, which were made by a process that
    /// ended: it is due now, and the others after it as they would have been.
    pub fn resume(&mut self, iteration: u64) {
        if let Pacing::Open { start, times } = &mut self.arrival {
            (0..iteration).for_each(|_| times.advance());
            *start = start.saturating_sub(times.next());
        }
    }

    /// Decides over the next iteration at `now`, while so many are under way. Unless it
    /// has to wait, the iteration after it is next.
    pub fn next(&mut self, now: Duration, under_way: usize) -> Slot {
        let is_full = under_way >= self.most_under_way;
        match &mut self.arrival {
            Pacing::Closed(_) if is_full => Slot::Full,
            Pacing::Closed(limiter) => {
                limiter.admit(now).map_or_else(Slot::NotBefore, |()| Slot::Start(None))
            }
            Pacing::Open { start, times } => {
                let due = start.saturating_add(times.next());
                if due > now {
                    return Slot::NotBefore(due);
                }
                times.advance();
                if is_full { Slot::Drop(due) } else { Slot::Start(Some(due)) }
            }
        }
    }

    /// How many iterations may be under way at once.
    #[must_use]
    pub fn most_under_way(&self) -> usize {
        self.most_under_way
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::plan::{Rate, Schedule};

    fn pacer(arrival: &Arrival) -> Pacer {
        let address = (Seed(42), PhaseKey::new("load"));
        Pacer::new(arrival, address, Duration::ZERO, Duration::ZERO)
    }

    #[test]
    fn an_open_arrival_drops_what_a_closed_one_holds_back() {
        let rate = Rate(10.0);
        let mut open = pacer(&Arrival::Open(Schedule::constant(rate, 1)));
        let mut closed = pacer(&Arrival::Closed { concurrency: 1, rate: Some(rate) });
        assert_eq!(open.next(Duration::ZERO, 0), Slot::Start(Some(Duration::ZERO)));
        assert_eq!(closed.next(Duration::ZERO, 0), Slot::Start(None));
        let due = Duration::from_millis(100);
        assert_eq!(open.next(Duration::ZERO, 1), Slot::NotBefore(due));
        assert_eq!(closed.next(due, 1), Slot::Full);
        let late = Duration::from_millis(205);
        assert_eq!(open.next(late, 1), Slot::Drop(due), "dropped slots keep their due times");
        assert_eq!(open.next(late, 0), Slot::Start(Some(2 * due)));
        assert_eq!(open.next(late, 0), Slot::NotBefore(3 * due), "no slot is made up for");
        assert_eq!(closed.next(late, 0), Slot::Start(None));
    }
}
