use std::time::Duration;

use statistics::off_policy::Example;
use timestamp::Timestamp;

/// The smallest window that the contract reports.
pub const WINDOW: Duration = Duration::from_secs(5 * 60);

/// The number of the window of a moment, since 1970.
#[must_use]
pub fn window(time: Timestamp) -> i64 {
    time.unix_micros().div_euclid(i64::try_from(WINDOW.as_micros()).unwrap_or(i64::MAX))
}

/// What the contract reports of a policy on some events: sums that merge.
///
/// With w = π(a)/p(a) the weight of an event, r its reward and x = w·r. The estimate is
/// inverse propensity scoring (Horvitz, Thompson 1952), its interval the normal one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Aggregate {
    /// The number of events, c, of which a thinned log has one for several.
    pub events: f64,
    /// Σ c·w
    pub weights: f64,
    /// Σ c·x
    pub sum: f64,
    /// Σ c·x²
    pub sum_of_squares: f64,
    /// The number of events with π(a) > 0.
    pub matched: f64,
}

/// The normal quantile of a two-sided 95 % interval.
const NORMAL_975: f64 = 1.96;

impl Aggregate {
    /// Adds an event.
    #[inline]
    pub fn add(&mut self, example: &Example) {
        let Example { weight, reward, count } = *example;
        let scored = weight * reward;
        self.events += count;
        self.weights += count * weight;
        self.sum += count * scored;
        self.sum_of_squares += count * scored * scored;
        if weight > 0.0 {
            self.matched += count;
        }
    }

    /// Adds the events of another.
    pub fn merge(&mut self, other: &Self) {
        self.events += other.events;
        self.weights += other.weights;
        self.sum += other.sum;
        self.sum_of_squares += other.sum_of_squares;
        self.matched += other.matched;
    }

    /// The mean reward that the policy would have earned, zero without events.
    pub fn mean(&self) -> f64 {
        if self.events > 0.0 { self.sum / self.events } else { 0.0 }
    }

    /// Half the width of the 95 % interval of the mean, zero with fewer than two events.
    pub fn half_width(&self) -> f64 {
        if self.events < 2.0 {
            return 0.0;
        }
        let (events, mean) = (self.events, self.mean());
        let variance = (self.sum_of_squares / events - mean * mean).max(0.0);
        NORMAL_975 * (variance / (events - 1.0)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(events: &[(f64, f64, f64)]) -> Aggregate {
        let mut aggregate = Aggregate::default();
        events.iter().for_each(|(p, q, reward)| aggregate.add(&Example::new(*p, *q, *reward)));
        aggregate
    }

    #[test]
    fn the_logging_policy_earns_what_it_earned() {
        let aggregate = of(&[(0.25, 0.25, 1.0), (0.85, 0.85, 0.0), (0.05, 0.05, 1.0)]);
        assert_eq!(aggregate.mean(), 2.0 / 3.0);
        assert_eq!((aggregate.weights, aggregate.matched), (3.0, 3.0));
        // The sample standard deviation of 1, 0, 1 over the square root of 3.
        assert!((aggregate.half_width() - 1.96 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let events = [(0.5, 0.25, 1.0), (0.0, 0.25, 1.0), (1.0, 0.5, -1.0)];
        let mut merged = of(&events[..1]);
        merged.merge(&of(&events[1..]));
        assert_eq!(merged, of(&events));
        assert_eq!(merged.matched, 2.0);
    }

    #[test]
    fn nothing_and_one_have_no_width() {
        assert_eq!((of(&[]).mean(), of(&[]).half_width()), (0.0, 0.0));
        assert_eq!(of(&[(0.5, 0.25, 1.0)]).half_width(), 0.0);
    }
}
