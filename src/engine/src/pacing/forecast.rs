use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Duration;

use super::{Open, Pacer, Pacing};

/// When the next iterations start at the latest, on a clock that is exact: a [`Pacer`] for
/// iterations whose longest times are known. One that is shorter delays no other.
pub(crate) struct Forecast {
    /// When the next iteration may start.
    at: Duration,
    arrival: Arrival,
    most_under_way: usize,
    /// When those under way end at the latest.
    ends: BinaryHeap<Reverse<Duration>>,
}

enum Arrival {
    /// The time between two starts.
    Closed(Duration),
    /// The schedule after the next iteration.
    Open(Open),
}

impl Forecast {
    /// The forecast from an iteration on that starts `now`, while `under_way` others are; `before`
    /// was told of them.
    pub(crate) fn new(
        pacer: &Pacer,
        now: Duration,
        under_way: usize,
        before: Option<Self>,
    ) -> Self {
        let arrival = match &pacer.arrival {
            Pacing::Closed(limiter) => Arrival::Closed(limiter.period()),
            Pacing::Open(open) => Arrival::Open(open.clone()),
        };
        let mut ends = before.map(|before| before.ends).unwrap_or_default();
        while ends.len() > under_way {
            ends.pop();
        }
        let unknown = under_way - ends.len();
        ends.extend(std::iter::repeat_n(Reverse(Duration::MAX), unknown));
        Self { at: now, arrival, most_under_way: pacer.most_under_way, ends }
    }

    /// When the next iteration starts at the latest; none, if it may be dropped instead.
    pub(crate) fn next_start(&mut self) -> Option<Duration> {
        let is_open = matches!(self.arrival, Arrival::Open(_));
        while let Some(Reverse(end)) = self.ends.peek().copied() {
            let is_full = self.ends.len() >= self.most_under_way;
            match end.cmp(&self.at) {
                // Of what happens at one moment, the order is not known.
                _ if is_open && end >= self.at => return (!is_full).then_some(self.at),
                Ordering::Greater if !is_full => break,
                _ => self.at = self.at.max(end),
            }
            self.ends.pop();
        }
        Some(self.at)
    }

    /// The next iteration starts, and takes no longer than this.
    pub(crate) fn start(&mut self, longest: Duration) {
        self.ends.push(Reverse(self.at.saturating_add(longest)));
        self.at = match &mut self.arrival {
            Arrival::Closed(period) => self.at.saturating_add(*period),
            Arrival::Open(open) => {
                let due = open.due();
                open.advance(open.stride.step.get());
                due.max(self.at)
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::{Arrival, Rate, Schedule};
    use seed::{PhaseKey, Seed};
    use shard::Shard;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    /// The starts of six iterations that take so long each, from the first at 0 ms on.
    fn starts(arrival: &Arrival, takes: [u64; 6]) -> Vec<Option<Duration>> {
        let address = (Seed(42), PhaseKey::new("load"));
        let all = (Shard::WHOLE.stride(), 100);
        let mut pacer = super::Pacer::new(arrival, address, all, Duration::ZERO, Duration::ZERO);
        assert!(matches!(pacer.next(Duration::ZERO, 0), super::super::Admission::Start(_)));
        let mut forecast = Forecast::new(&pacer, Duration::ZERO, 0, None);
        let start = |takes: u64| {
            let start = forecast.next_start();
            forecast.start(ms(takes));
            start
        };
        takes.map(start).into()
    }

    #[test]
    fn a_closed_arrival_waits_for_its_rate_and_for_others_to_end() {
        let table = [
            (1, None, [5, 0, 7, 0, 0, 0], [0, 5, 5, 12, 12, 12]),
            (1, Some(100.0), [5, 25, 0, 0, 0, 0], [0, 10, 35, 45, 55, 65]),
            (2, None, [50, 10, 10, 60, 5, 5], [0, 0, 10, 20, 50, 55]),
            (2, Some(100.0), [50, 5, 5, 5, 50, 5], [0, 10, 20, 30, 40, 50]),
        ];
        for (concurrency, rate, takes, expected) in table {
            let arrival = Arrival::Closed { concurrency, rate: rate.map(Rate) };
            let expected = expected.map(|at| Some(ms(at)));
            assert_eq!(starts(&arrival, takes), expected, "{concurrency} {rate:?} {takes:?}");
        }
    }

    #[test]
    fn an_open_arrival_keeps_its_schedule_and_is_uncertain_where_it_may_drop() {
        let open = |most| Arrival::Open(Schedule::constant(Rate(100.0), most));
        let due = [0, 10, 20, 30, 40, 50].map(|at| Some(ms(at)));
        assert_eq!(starts(&open(1), [9; 6]), due);
        assert_eq!(starts(&open(3), [29; 6]), due);
        assert_eq!(starts(&open(1), [9, 10, 9, 9, 9, 9])[..3], [due[0], due[1], None]);
        assert_eq!(starts(&open(2), [25, 15, 9, 9, 9, 9])[..3], [due[0], due[1], None]);
    }
}
