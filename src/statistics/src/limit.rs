//! The largest value for which something holds: brackets, halvings, and an interval from
//! independent searches.

use super::{Confidence, Interval, Moments};

/// From where to where a limit is searched, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitRange {
    /// The smallest value.
    pub from: f64,
    /// The largest value, which may be infinite if `from` is above zero.
    pub to: f64,
    /// How close the values that hold and fail get to each other: a share of the value, or, if
    /// `from` is not above zero, of the range.
    pub resolution: f64,
}

/// A search: each value is tried once.
#[derive(Debug, Clone)]
pub struct LimitSearch {
    range: LimitRange,
    /// Where it starts, and how far the first step goes; both in coordinates.
    start: f64,
    step: f64,
    holds: Option<f64>,
    fails: Option<f64>,
}

/// What a search found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// It holds at the first value and fails at the second, which is close.
    Between(f64, f64),
    /// It fails at the smallest value.
    Below(f64),
    /// It holds at the largest value.
    Above(f64),
}

/// The step of a search that knows where to look, as a share of the usual one.
const NEAR: f64 = 0.1;

impl LimitRange {
    fn is_geometric(&self) -> bool {
        self.from > 0.0
    }

    /// Coordinates in which steps are even.
    fn coordinate(&self, value: f64) -> f64 {
        if self.is_geometric() { libm::log(value) } else { value }
    }

    fn value(&self, coordinate: f64) -> f64 {
        let value = if self.is_geometric() { libm::exp(coordinate) } else { coordinate };
        value.clamp(self.from, self.to)
    }

    fn closeness(&self) -> f64 {
        if self.is_geometric() {
            libm::log1p(self.resolution)
        } else {
            self.resolution * (self.to - self.from)
        }
    }

    /// A factor of two, or an eighth of the range.
    fn step(&self) -> f64 {
        if self.is_geometric() { std::f64::consts::LN_2 } else { (self.to - self.from) / 8.0 }
    }

    /// The limit by independent searches, and its interval: Student's, over coordinates, widened
    /// by half of what values that hold and fail may be apart. No interval for a single search.
    pub fn estimate(&self, limits: &[Limit], confidence: Confidence) -> (f64, Option<Interval>) {
        let mut moments = Moments::default();
        for limit in limits {
            moments.add(match limit {
                Limit::Between(holds, fails) => {
                    f64::midpoint(self.coordinate(*holds), self.coordinate(*fails))
                }
                Limit::Below(end) | Limit::Above(end) => self.coordinate(*end),
            });
        }
        let half = self.closeness() / 2.0;
        let widened = |interval: Interval| Interval {
            lower: self.value(interval.lower - half),
            upper: self.value(interval.upper + half),
        };
        let mean = self.value(moments.mean().unwrap_or(f64::NAN));
        (mean, moments.student_interval(confidence).map(widened))
    }
}

impl LimitSearch {
    /// A search that starts at the smallest value, or near what another search found.
    pub fn new(range: LimitRange, near: Option<f64>) -> Self {
        let (start, step) = match near {
            Some(near) => (range.coordinate(near), range.step() * NEAR),
            None => (range.coordinate(range.from), range.step()),
        };
        Self { range, start, step, holds: None, fails: None }
    }

    /// The value to try next; none, if the search is over.
    pub fn next(&self) -> Option<f64> {
        if self.found().is_some() {
            return None;
        }
        let next = match (self.holds, self.fails) {
            (None, None) => self.start,
            (Some(holds), None) => holds + self.reach(holds),
            (None, Some(fails)) => fails - self.reach(fails),
            (Some(holds), Some(fails)) => f64::midpoint(holds, fails),
        };
        Some(self.range.value(next))
    }

    /// How far the next value is from one on the same side: each step is twice the one before.
    fn reach(&self, tried: f64) -> f64 {
        self.step.max((tried - self.start).abs())
    }

    /// Notes whether it held at a value.
    pub fn note(&mut self, value: f64, holds: bool) {
        let side = if holds { &mut self.holds } else { &mut self.fails };
        *side = Some(self.range.coordinate(value));
    }

    /// What was found, once it is.
    pub fn found(&self) -> Option<Limit> {
        let range = &self.range;
        let (from, to) = (range.coordinate(range.from), range.coordinate(range.to));
        match (self.holds, self.fails) {
            (_, Some(fails)) if fails <= from => Some(Limit::Below(range.from)),
            (Some(holds), _) if holds >= to => Some(Limit::Above(range.to)),
            (Some(holds), Some(fails)) if fails - holds <= range.closeness() => {
                Some(Limit::Between(range.value(holds), range.value(fails)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a search finds of a sharp limit, and how many values it tried.
    fn found(range: LimitRange, near: Option<f64>, limit: f64) -> (Limit, u32) {
        let mut search = LimitSearch::new(range, near);
        let mut tried = 0;
        while let Some(value) = search.next() {
            search.note(value, value <= limit);
            tried += 1;
            assert!(tried < 200, "the search does not end");
        }
        (search.found().unwrap(), tried)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_sharp_limit_is_found_from_anywhere(
            limit in 1.5..1e5_f64, near in proptest::option::of(1.0..1e6_f64),
        ) {
            let range = LimitRange { from: 1.0, to: f64::INFINITY, resolution: 0.01 };
            let (found, tried) = found(range, near, limit);
            let Limit::Between(holds, fails) = found else { panic!("{found:?}") };
            prop_assert!(holds <= limit && limit < fails && fails <= holds * 1.0101);
            prop_assert!(tried <= 40);
        }

        #[test]
        fn shares_are_searched_in_even_steps(limit in 0.01..0.99_f64) {
            let range = LimitRange { from: 0.0, to: 1.0, resolution: 0.01 };
            let Limit::Between(holds, fails) = found(range, None, limit).0 else { panic!() };
            prop_assert!(holds <= limit && limit < fails && fails - holds <= 0.0101);
        }
    }

    #[test]
    fn a_range_without_the_limit_says_on_which_side_it_is() {
        let range = LimitRange { from: 10.0, to: 100.0, resolution: 0.01 };
        for near in [None, Some(40.0)] {
            assert_eq!(found(range, near, 5.0).0, Limit::Below(10.0));
            assert_eq!(found(range, near, 500.0).0, Limit::Above(100.0));
        }
    }

    #[test]
    fn what_is_known_saves_tries() {
        let range = LimitRange { from: 1.0, to: f64::INFINITY, resolution: 0.02 };
        let (cold, warm) = (found(range, None, 777.0).1, found(range, Some(770.0), 777.0).1);
        assert!(warm * 2 < cold, "{warm} of {cold}");
    }

    #[test]
    fn the_interval_holds_the_mean_and_grows_with_the_spread() {
        let range = LimitRange { from: 1.0, to: f64::INFINITY, resolution: 0.01 };
        let limits = [98.0, 99.0, 100.0, 101.0, 102.0].map(|at| Limit::Between(at, at * 1.01));
        let (mean, interval) = range.estimate(&limits, Confidence::P95);
        let interval = interval.unwrap();
        assert!((mean - 100.5).abs() < 0.1, "{mean}");
        assert!(interval.lower < 98.9 && interval.upper > 102.1, "{interval:?}");
        assert!(range.estimate(&limits[..1], Confidence::P95).1.is_none());
    }
}
