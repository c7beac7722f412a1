use std::time::Duration;

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
    /// The number of events.
    pub events: u64,
    /// Σ w
    pub weights: f64,
    /// Σ x
    pub sum: f64,
    /// Σ x²
    pub sum_of_squares: f64,
    /// The number of events with π(a) > 0.
    pub matched: u64,
}

/// The normal quantile of a two-sided 95 % interval.
const NORMAL_975: f64 = 1.96;

impl Aggregate {
    /// Adds an event that was logged with probability `logged` and would have been
    /// chosen with probability `probability`.
    pub fn add(&mut self, probability: f64, logged: f64, reward: f64) {
        let weight = probability / logged;
        let scored = weight * reward;
        self.events += 1;
        self.weights += weight;
        self.sum += scored;
        self.sum_of_squares += scored * scored;
        self.matched += u64::from(probability > 0.0);
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
        if self.events == 0 { 0.0 } else { self.sum / count(self.events) }
    }

    /// Half the width of the 95 % interval of the mean, zero with fewer than two events.
    pub fn half_width(&self) -> f64 {
        if self.events < 2 {
            return 0.0;
        }
        let (events, mean) = (count(self.events), self.mean());
        let variance = (self.sum_of_squares / events - mean * mean).max(0.0);
        NORMAL_975 * (variance / (events - 1.0)).sqrt()
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 events are out of reach")]
fn count(events: u64) -> f64 {
    events as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(events: &[(f64, f64, f64)]) -> Aggregate {
        let mut aggregate = Aggregate::default();
        events.iter().for_each(|(p, logged, reward)| aggregate.add(*p, *logged, *reward));
        aggregate
    }

    #[test]
    fn the_logging_policy_earns_what_it_earned() {
        let aggregate = of(&[(0.25, 0.25, 1.0), (0.85, 0.85, 0.0), (0.05, 0.05, 1.0)]);
        assert_eq!(aggregate.mean(), 2.0 / 3.0);
        assert_eq!((aggregate.weights, aggregate.matched), (3.0, 3));
        // The sample standard deviation of 1, 0, 1 over the square root of 3.
        assert!((aggregate.half_width() - 1.96 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let events = [(0.5, 0.25, 1.0), (0.0, 0.25, 1.0), (1.0, 0.5, -1.0)];
        let mut merged = of(&events[..1]);
        merged.merge(&of(&events[1..]));
        assert_eq!(merged, of(&events));
        assert_eq!(merged.matched, 2);
    }

    #[test]
    fn nothing_and_one_have_no_width() {
        assert_eq!((of(&[]).mean(), of(&[]).half_width()), (0.0, 0.0));
        assert_eq!(of(&[(0.5, 0.25, 1.0)]).half_width(), 0.0);
    }
}
