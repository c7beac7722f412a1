//! The power of a t test, by the noncentral t law.

use super::{quantile, real};

/// Points of Simpson's rule, close enough for the large critical values of one degree of freedom.
const POINTS: u32 = 4000;

/// From so many degrees of freedom on, the normal law is exact to three digits.
const NORMAL_FREEDOM: f64 = 1e5;

/// No search goes beyond so many pairs.
const MOST_PAIRS: u64 = 1 << 24;

/// How a test is planned: both errors that it may make.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planning {
    /// The two-sided level, with any correction for several tests already in it.
    pub level: f64,
    /// The probability to show a difference that is there.
    pub power: f64,
}

impl Planning {
    /// 80 % power at `miss` by Holm's correction over `tests`. A single true difference among
    /// several must pass the first step of the procedure, at `miss / tests`.
    pub fn usual(miss: f64, tests: usize) -> Self {
        Self { level: miss / real(tests.max(1) as u64), power: 0.8 }
    }

    /// The smallest difference that the test shows with this power.
    pub fn detectable(self, standard_error: f64, freedom: f64) -> f64 {
        self.noncentrality(freedom) * standard_error
    }

    /// How many pairs show `difference` where differences deviate by `deviation`; none where
    /// that takes more than sixteen million.
    pub fn pairs(self, difference: f64, deviation: f64) -> Option<u64> {
        let shows = |pairs: u64| {
            let freedom = real(pairs) - 1.0;
            let effect = difference.abs() * libm::sqrt(real(pairs)) / deviation;
            power(effect, freedom, self.level) >= self.power
        };
        let mut enough = super::FEWEST_RUNS;
        while !shows(enough) {
            enough *= 2;
            if enough > MOST_PAIRS {
                return None;
            }
        }
        let mut low = (enough / 2).max(super::FEWEST_RUNS - 1);
        let mut high = enough;
        while high - low > 1 {
            let middle = u64::midpoint(low, high);
            if shows(middle) { high = middle } else { low = middle }
        }
        Some(high)
    }

    /// The difference in standard errors that the test shows with this power.
    fn noncentrality(self, freedom: f64) -> f64 {
        let mut high = 1.0;
        while power(high, freedom, self.level) < self.power && high < 1e6 {
            high *= 2.0;
        }
        let mut low = 0.0;
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            if power(middle, freedom, self.level) < self.power {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

/// The probability that a two-sided t test at `level` shows a difference of `effect` standard
/// errors: 1 − P(−c ≤ T' ≤ c) for the noncentral T'.
pub fn power(effect: f64, freedom: f64, level: f64) -> f64 {
    let critical = quantile::student(1.0 - level / 2.0, freedom);
    let outside = |s: f64| normal_tail(critical * s - effect) + normal_tail(critical * s + effect);
    if freedom >= NORMAL_FREEDOM { outside(1.0) } else { over_scales(outside, freedom) }
}

/// The mean of `f` over s, where ν s² has the χ² law with ν degrees of freedom.
fn over_scales(f: impl Fn(f64) -> f64, freedom: f64) -> f64 {
    let half = freedom / 2.0;
    let log_constant = core::f64::consts::LN_2 + half * libm::log(half) - libm::lgamma(half);
    let density = |s: f64| {
        if s <= 0.0 {
            // The limit at zero, which is not zero for one degree of freedom only.
            return if freedom > 1.0 { 0.0 } else { libm::exp(log_constant) };
        }
        libm::exp(log_constant + (freedom - 1.0) * libm::log(s) - half * s * s)
    };
    let reach = 8.0 / libm::sqrt(2.0 * freedom);
    let (from, to) = ((1.0 - reach).max(0.0), 1.0 + reach);
    let step = (to - from) / f64::from(POINTS);
    let weighted = |point: u32| {
        let weight = match point {
            0 | POINTS => 1.0,
            odd if odd % 2 == 1 => 4.0,
            _ => 2.0,
        };
        let s = from + f64::from(point) * step;
        weight * f(s) * density(s)
    };
    (0..=POINTS).map(weighted).sum::<f64>() * step / 3.0
}

/// P(Z > z) of the standard normal law.
fn normal_tail(z: f64) -> f64 {
    0.5 * libm::erfc(z / core::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planning_and_detecting_are_inverse() {
        for tests in [1, 5] {
            let planning = Planning::usual(0.05, tests);
            for pairs in [6, 10, 37, 500] {
                let error = 1.0 / libm::sqrt(real(pairs));
                let difference = planning.detectable(error, real(pairs) - 1.0);
                assert_eq!(planning.pairs(difference * 1.000_001, 1.0), Some(pairs));
            }
        }
        assert_eq!(Planning::usual(0.05, 1).pairs(0.0, 1.0), None);
    }
}
