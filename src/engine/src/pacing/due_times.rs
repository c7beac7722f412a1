use std::time::Duration;

use plan::Schedule;
use seed::{PhaseKey, Purpose, Seed};

/// When each iteration of an open arrival is due.
///
/// The rate of a schedule, drawn over time, has an area below it: iteration `i` is due
/// when that area reaches `i`. For Poisson arrivals it is due when the area reaches the
/// sum of `i` exponential draws of mean one (time rescaling; Cox and Isham, Point
/// Processes, 1980, §2.3), each addressed by its index: another rate scales the gaps, and
/// keeps their proportions.
///
/// A schedule whose rate ends at 0/s has a finite area `A`, in which its `n` iterations must all
/// fall due. Given their number, Poisson arrivals are `n` independent uniform draws in order
/// (ibid., §2.1), which are distributed as the partial sums of `n + 1` exponential draws in
/// proportion to `A` over their total (Devroye, Non-Uniform Random Variate Generation, 1986,
/// §V.2.1).
///
/// ```text
/// rate │      ┌──────┐
///      │    ╱ │      └────
///      │  ╱   │
///      └──────┴──────────── time
/// ```
#[derive(Debug, Clone)]
pub(crate) struct DueTimes {
    pieces: Vec<Piece>,
    /// Gaps are drawn from here, if they are not even.
    gaps: Option<(Seed, PhaseKey)>,
    /// The area of a gap of mean one.
    unit: f64,
    next: u64,
    /// The area at which the next iteration is due.
    area: f64,
}

/// A part of the schedule in which the rate is linear.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// When it begins, in seconds.
    start: f64,
    /// The area before it.
    area: f64,
    /// Iterations per second at its beginning.
    rate: f64,
    /// What is added to the rate each second.
    slope: f64,
}

impl Piece {
    /// When the area reaches `area`, in seconds: the root of `slope/2·t² + rate·t = x`,
    /// in the form that does not cancel.
    fn moment(&self, area: f64) -> f64 {
        let x = (area - self.area).max(0.0);
        let root = (self.rate * self.rate + 2.0 * self.slope * x).max(0.0).sqrt();
        if x == 0.0 { self.start } else { self.start + 2.0 * x / (self.rate + root) }
    }
}

impl DueTimes {
    /// The due times of a phase.
    #[must_use]
    pub(crate) fn new(schedule: &Schedule, seed: Seed, phase: PhaseKey) -> Self {
        let gaps = schedule.poisson.then_some((seed, phase));
        let mut times = Self { pieces: pieces(schedule), gaps, unit: 1.0, next: 0, area: 0.0 };
        if let (Some(iterations), Some(_)) = (schedule.all(), gaps) {
            let total: f64 = (0..=iterations).map(|iteration| times.gap(iteration)).sum();
            times.unit = schedule.staged() / total;
        }
        times.area = times.gap(0);
        times
    }

    /// Which iteration is next.
    #[must_use]
    pub(crate) fn index(&self) -> u64 {
        self.next
    }

    /// When the next iteration is due, after the start of the phase.
    #[must_use]
    pub(crate) fn next(&self) -> Duration {
        let after = self.pieces.partition_point(|piece| piece.area <= self.area);
        let seconds = self.pieces[after.saturating_sub(1)].moment(self.area);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// Goes on to the iteration after it.
    pub(crate) fn advance(&mut self) {
        self.next += 1;
        self.area = match self.gaps {
            None => as_area(self.next),
            Some(_) => self.area + self.gap(self.next),
        };
    }

    /// The area between an iteration and the one before it.
    fn gap(&self, iteration: u64) -> f64 {
        let exponential = |(seed, phase): (Seed, PhaseKey)| {
            -libm::log(1.0 - seed.draws(phase, iteration, Purpose::Arrival).unit())
        };
        self.gaps.map_or(0.0, |address| self.unit * exponential(address))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a phase makes fewer than 2^53 iterations")]
fn as_area(iterations: u64) -> f64 {
    iterations as f64
}

fn pieces(schedule: &Schedule) -> Vec<Piece> {
    let (mut start, mut area, mut rate) = (0.0, 0.0, schedule.start_rate());
    let mut pieces = Vec::new();
    for stage in &schedule.stages {
        let over = stage.over.as_secs_f64();
        if over > 0.0 {
            pieces.push(Piece { start, area, rate, slope: (stage.to.0 - rate) / over });
            area += f64::midpoint(rate, stage.to.0) * over;
            start += over;
        }
        rate = stage.to.0;
    }
    pieces.push(Piece { start, area, rate, slope: 0.0 });
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::{Rate, Stage};

    fn schedule(start: Option<f64>, stages: &[(f64, u64)], poisson: bool) -> Schedule {
        let stage =
            |&(to, over): &(f64, u64)| Stage { to: Rate(to), over: Duration::from_secs(over) };
        Schedule {
            start: start.map(Rate),
            stages: stages.iter().map(stage).collect(),
            poisson,
            max_in_flight: 1,
        }
    }

    fn times(schedule: &Schedule) -> DueTimes {
        DueTimes::new(schedule, Seed(42), PhaseKey::new("load"))
    }

    fn first(schedule: &Schedule, count: usize) -> Vec<f64> {
        let mut times = times(schedule);
        let mut due = || {
            let due = times.next().as_secs_f64();
            times.advance();
            due
        };
        (0..count).map(|_| due()).collect()
    }

    #[test]
    fn iterations_are_due_where_the_area_says() {
        // (schedule, iteration, seconds)
        let table = [
            (schedule(Some(200.0), &[], false), 1_000, 5.0),
            (schedule(Some(0.5), &[], false), 3, 6.0),
            // 200/s after 10 s of rise from nothing: 1000 of them by then.
            (schedule(None, &[(200.0, 10)], false), 250, 5.0),
            (schedule(None, &[(200.0, 10)], false), 1_000, 10.0),
            (schedule(None, &[(200.0, 10)], false), 1_200, 11.0),
            // Down to a half.
            (schedule(Some(100.0), &[(50.0, 10)], false), 750, 10.0),
            (schedule(Some(100.0), &[(50.0, 10)], false), 800, 11.0),
            // A jump.
            (schedule(Some(10.0), &[(10.0, 5), (100.0, 0), (100.0, 5)], false), 50, 5.0),
            (schedule(Some(10.0), &[(10.0, 5), (100.0, 0), (100.0, 5)], false), 150, 6.0),
        ];
        for (schedule, iteration, seconds) in table {
            let due = first(&schedule, iteration + 1)[iteration];
            assert!((due - seconds).abs() < 1e-8, "{schedule:?}: {due} instead of {seconds}");
        }
    }

    #[test]
    fn due_times_never_go_back() {
        for poisson in [false, true] {
            let stages = [(300.0, 3), (50.0, 0), (50.0, 2), (500.0, 1), (1.0, 4)];
            let due = first(&schedule(None, &stages, poisson), 2_000);
            assert!(due.is_sorted(), "poisson {poisson}");
        }
    }

    /// Kolmogorov–Smirnov: the gaps are exponential. 1.63/√n is the 1 % point.
    #[test]
    fn poisson_gaps_are_exponential() {
        let (rate, count) = (1000.0, 20_000);
        let due = first(&schedule(Some(rate), &[], true), count);
        let mut gaps: Vec<f64> = due.windows(2).map(|pair| (pair[1] - pair[0]) * rate).collect();
        gaps.sort_by(f64::total_cmp);
        let n = f64::from(u32::try_from(gaps.len()).unwrap());
        let distance = |(index, gap): (u32, &f64)| {
            let law = 1.0 - libm::exp(-gap);
            (law - f64::from(index) / n).abs().max((law - f64::from(index + 1) / n).abs())
        };
        let worst = (0..).zip(&gaps).map(distance).fold(0.0, f64::max);
        assert!(worst < 1.63 / n.sqrt(), "{worst}");
    }

    /// Kolmogorov–Smirnov again: below a ramp up from nothing and down to it, the areas at which
    /// iterations are due are uniform, and the last is due before the end.
    #[test]
    fn poisson_arrivals_fit_into_a_schedule_that_ends_at_nothing() {
        let schedule = schedule(Some(0.0), &[(400.0, 50), (0.0, 50)], true);
        let count = schedule.all().unwrap();
        assert_eq!(count, 20_000);
        let due = first(&schedule, usize::try_from(count).unwrap());
        assert!(due.is_sorted() && *due.last().unwrap() < 100.0);
        let n = f64::from(u32::try_from(count).unwrap());
        let law = |at: &f64| match *at {
            at if at <= 50.0 => at * at / 5_000.0,
            at => 1.0 - (100.0 - at) * (100.0 - at) / 5_000.0,
        };
        let distance = |(index, at): (u32, &f64)| {
            (law(at) - f64::from(index) / n).abs().max((law(at) - f64::from(index + 1) / n).abs())
        };
        let worst = (0..).zip(&due).map(distance).fold(0.0, f64::max);
        assert!(worst < 1.63 / n.sqrt(), "{worst}");
        let gaps = |due: &[f64]| due.windows(2).filter(|pair| pair[1] - pair[0] < 1e-3).count();
        assert!(gaps(&due) > 3_000, "some come close behind others");
    }

    #[test]
    fn another_rate_stretches_the_same_gaps() {
        let slow = first(&schedule(Some(10.0), &[], true), 100);
        let quick = first(&schedule(Some(1000.0), &[], true), 100);
        for (slow, quick) in slow.iter().zip(&quick) {
            assert!((slow - 100.0 * quick).abs() < 1e-6, "{slow} {quick}");
        }
    }
}
