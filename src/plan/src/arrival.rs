//! When iterations start: as others end, or on a schedule of their own.

use std::time::Duration;

use serde::Serialize;

/// Iterations per second. Finite, positive.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate(pub f64);

/// A linear change of the rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stage {
    /// The rate at its end.
    pub to: Rate,
    /// How long the change takes; zero is a jump.
    pub over: Duration,
}

/// No schedule is looked at further ahead, in seconds: thousands of years.
const LONGEST: f64 = 1e11;

/// When iterations start.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Arrival {
    /// As others end: so many are under way at once, and at most so many start each
    /// second. A slow service is asked less.
    Closed {
        /// How many iterations may be under way at once.
        concurrency: usize,
        /// How many iterations may start each second.
        rate: Option<Rate>,
    },
    /// On a schedule of their own, whatever the service does.
    Open(Schedule),
}

/// The schedule of an open arrival.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Schedule {
    /// Iterations per second at the start; none where the first stage rises from
    /// nothing.
    pub start: Option<Rate>,
    /// How the rate changes. Afterwards it stays as it is.
    pub stages: Vec<Stage>,
    /// Whether the gaps between iterations are exponential, not even.
    pub poisson: bool,
    /// How many iterations may be under way at once. What cannot be started when it is
    /// due is dropped, and counted.
    pub max_in_flight: usize,
}

impl Schedule {
    /// An even schedule at one rate.
    #[must_use]
    pub fn constant(rate: Rate, max_in_flight: usize) -> Self {
        Self { start: Some(rate), stages: Vec::new(), poisson: false, max_in_flight }
    }

    /// Iterations per second at the start.
    #[must_use]
    pub fn start_rate(&self) -> f64 {
        self.start.map_or(0.0, |rate| rate.0)
    }

    /// How many iterations fall due at all, if the last stage ends at nothing.
    #[must_use]
    pub fn all(&self) -> Option<u64> {
        let ends_at_nothing = self.stages.last().is_some_and(|stage| stage.to.0 == 0.0);
        ends_at_nothing.then(|| self.count_staged())
    }

    /// How long it takes until so many iterations have fallen due, in seconds, to a
    /// millionth; infinite, if they never do.
    #[must_use]
    pub fn time_of(&self, iterations: f64) -> f64 {
        let due = |seconds: f64| within(self, Duration::from_secs_f64(seconds));
        let mut high = 1.0;
        while due(high) < iterations {
            high *= 2.0;
            if high > LONGEST {
                return f64::INFINITY;
            }
        }
        let mut low = 0.0;
        while high - low > high * 1e-6 {
            let middle = f64::midpoint(low, high);
            *(if due(middle) < iterations { &mut low } else { &mut high }) = middle;
        }
        high
    }

    /// How many iterations fall due within `time`.
    #[must_use]
    pub fn count_within(&self, time: Duration) -> u64 {
        whole(within(self, time))
    }

    /// How many iterations fall due during the stages.
    #[must_use]
    pub fn count_staged(&self) -> u64 {
        whole(self.staged())
    }

    /// How many iterations fall due during the stages: the area below the rate.
    #[must_use]
    pub fn staged(&self) -> f64 {
        let mut from = self.start_rate();
        let area = |stage: &Stage| {
            let area = f64::midpoint(from, stage.to.0) * stage.over.as_secs_f64();
            from = stage.to.0;
            area
        };
        self.stages.iter().map(area).sum()
    }
}

/// How many iterations fall due within `time`.
fn within(schedule: &Schedule, time: Duration) -> f64 {
    let (mut from, mut left, mut due) = (schedule.start_rate(), time.as_secs_f64(), 0.0);
    for stage in &schedule.stages {
        let over = stage.over.as_secs_f64();
        let part = left.min(over);
        let share = if over > 0.0 { part / over } else { 1.0 };
        let reached = from + (stage.to.0 - from) * share;
        due += f64::midpoint(from, reached) * part;
        (from, left) = (reached, left - part);
        if part < over {
            return due;
        }
    }
    due + from * left
}

/// The first iteration is due at the start, so a fraction is one more. What is whole
/// but for rounding stays whole.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "areas are positive and the conversion saturates"
)]
fn whole(due: f64) -> u64 {
    let nearest = due.round();
    let count = if (due - nearest).abs() < 1e-6 { nearest } else { due.ceil() };
    count as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stage(to: f64, seconds: u64) -> Stage {
        Stage { to: Rate(to), over: Duration::from_secs(seconds) }
    }

    #[test]
    fn what_falls_due_is_the_area_below_the_rate() {
        let stages = vec![stage(200.0, 30), stage(200.0, 60), stage(400.0, 0), stage(100.0, 10)];
        let schedule = Schedule { start: None, stages, poisson: false, max_in_flight: 1 };
        assert_eq!(schedule.staged(), 3_000.0 + 12_000.0 + 0.0 + 2_500.0);
        for (seconds, due) in
            [(0, 0.0), (15, 750.0), (30, 3_000.0), (90, 15_000.0), (95, 16_625.0), (110, 18_500.0)]
        {
            assert_eq!(within(&schedule, Duration::from_secs(seconds)), due, "{seconds} s");
        }
    }

    #[test]
    fn a_fraction_is_one_more() {
        assert_eq!([0.0, 0.2, 100.000_000_01, 100.5].map(whole), [0, 1, 100, 101]);
    }
}
