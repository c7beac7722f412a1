/// From values to units of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    kind: Kind,
    domain: (f64, f64),
    range: (f64, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Linear,
    Log,
    Nines,
}

impl Kind {
    fn transform(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log => libm::log10(value.max(f64::MIN_POSITIVE)),
            Self::Nines => -libm::log10((1.0 - value).max(f64::EPSILON)),
        }
    }
}

impl Scale {
    /// Equal steps are equally far apart.
    #[must_use]
    pub fn linear(domain: (f64, f64), range: (f64, f64)) -> Self {
        Self { kind: Kind::Linear, domain, range }
    }

    /// Equal factors are equally far apart. The domain is positive.
    #[must_use]
    pub fn log(domain: (f64, f64), range: (f64, f64)) -> Self {
        Self { kind: Kind::Log, domain, range }
    }

    /// Shares below 1: from 90 % to 99 % is as far as from 99 % to 99.9 %, as in the
    /// percentile plots of `HdrHistogram`.
    #[must_use]
    pub fn nines(domain: (f64, f64), range: (f64, f64)) -> Self {
        Self { kind: Kind::Nines, domain, range }
    }

    /// Where a value stands. What is outside the domain stands at its end; what is not a
    /// number, at its start.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        let (low, high) = (self.kind.transform(self.domain.0), self.kind.transform(self.domain.1));
        let share = (self.kind.transform(value) - low) / (high - low);
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    /// Round values of the domain, in rising order: at most `most` of them, at least 2,
    /// on a linear scale; decades or their 2s and 5s on a logarithmic one; 0.5, 0.9,
    /// 0.99, 0.999 … on one of nines.
    #[must_use]
    pub fn ticks(&self, most: usize) -> Vec<f64> {
        match self.kind {
            Kind::Linear => self.linear_ticks(most),
            Kind::Log => self.log_ticks(most),
            Kind::Nines => self.nine_ticks(),
        }
    }

    /// Round whole values: [`Self::ticks`] of a scale that counts.
    #[must_use]
    pub fn whole_ticks(&self, most: usize) -> Vec<f64> {
        let mut ticks = self.ticks(most);
        ticks.retain(|tick| tick.fract() == 0.0);
        ticks
    }

    #[expect(clippy::cast_precision_loss, reason = "a handful of ticks")]
    fn linear_ticks(&self, most: usize) -> Vec<f64> {
        let (low, high) = self.domain;
        let step = nice_ceiling((high - low) / (most.max(2) - 1) as f64);
        if !step.is_finite() || step <= 0.0 {
            return vec![low];
        }
        let first = (low / step - 1e-9).ceil();
        let index = |number: usize| (first + number as f64) * step;
        (0..=most).map(index).take_while(|tick| *tick <= high + 1e-9 * step).collect()
    }

    fn log_ticks(&self, most: usize) -> Vec<f64> {
        let digits: [&[f64]; 3] = [&[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];
        let all = |digits: &[f64]| self.digits_of_decades(digits);
        digits.iter().map(|set| all(set)).find(|ticks| ticks.len() <= most).unwrap_or_else(|| {
            let decades = all(&[1.0]);
            let stride = decades.len().div_ceil(most.max(1));
            decades.into_iter().step_by(stride).collect()
        })
    }

    fn digits_of_decades(&self, digits: &[f64]) -> Vec<f64> {
        let (low, high) = self.domain;
        let mut ticks = Vec::new();
        let mut decade = power_of_ten(low);
        while decade <= high && decade > 0.0 {
            ticks.extend(digits.iter().map(|digit| digit * decade));
            decade *= 10.0;
        }
        ticks.retain(|tick| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(tick));
        ticks
    }

    fn nine_ticks(&self) -> Vec<f64> {
        let nines = (1..=15).map(|nines| 1.0 - power_of_ten_exactly(-nines));
        let inside = |share: &f64| (self.domain.0..=self.domain.1).contains(share);
        std::iter::once(0.5).chain(nines).filter(inside).collect()
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `value`.
#[must_use]
pub fn nice_ceiling(value: f64) -> f64 {
    let power = power_of_ten(value);
    let digit = [1.0, 2.0, 5.0].into_iter().find(|digit| value <= digit * power * (1.0 + 1e-9));
    digit.unwrap_or(10.0) * power
}

/// The greatest power of ten that is not above `value`.
#[expect(clippy::cast_possible_truncation, reason = "an exponent of an f64 fits an i32")]
fn power_of_ten(value: f64) -> f64 {
    power_of_ten_exactly((libm::log10(value) + 1e-12).floor() as i32)
}

/// A power of ten, as near as an `f64` can be: read, not computed.
fn power_of_ten_exactly(exponent: i32) -> f64 {
    format!("1e{exponent}").parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn linear(low: f64, high: f64) -> Scale {
        Scale::linear((low, high), (0.0, 100.0))
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(linear(0.0, 10_000.0).ticks(6), [0.0, 2000.0, 4000.0, 6000.0, 8000.0, 10_000.0]);
        assert_eq!(linear(0.0, 2000.0).ticks(3), [0.0, 1000.0, 2000.0]);
        assert_eq!(linear(0.0, 1.0).ticks(6), [0.0, 0.2, 0.4, 0.6 + f64::EPSILON / 2.0, 0.8, 1.0]);
        assert_eq!(linear(0.0, 3.0).whole_ticks(10), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(Scale::log((1.0, 300.0), (0.0, 1.0)).ticks(4), [1.0, 10.0, 100.0]);
        assert_eq!(Scale::log((20.0, 90.0), (0.0, 1.0)).ticks(4), [20.0, 50.0]);
        assert_eq!(Scale::nines((0.0, 0.9995), (0.0, 1.0)).ticks(9), [0.5, 0.9, 0.99, 0.999]);
    }

    #[test]
    fn nines_are_equally_far_apart() {
        let scale = Scale::nines((0.0, 0.9999), (0.0, 400.0));
        for (share, at) in [(0.0, 0.0), (0.9, 100.0), (0.99, 200.0), (0.999, 300.0), (1.0, 400.0)] {
            assert!((scale.at(share) - at).abs() < 1e-6, "{share}");
        }
    }

    #[test]
    fn a_domain_of_one_point_is_no_trap() {
        assert_eq!(linear(5.0, 5.0).ticks(5), [5.0]);
        assert!(linear(5.0, 5.0).at(5.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn ticks_lie_inside_and_are_few(low in -1e6_f64..1e6, size in 1e-6_f64..1e9, most in 2_usize..12) {
            let ticks = linear(low, low + size).ticks(most);
            prop_assert!(ticks.len() <= most, "{ticks:?}");
            let slack = 1e-6 * size;
            prop_assert!(ticks.iter().all(|tick| (low - slack..=low + size + slack).contains(tick)));
            prop_assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]));
        }

        #[test]
        fn no_value_leaves_the_range(value in prop::num::f64::ANY) {
            for scale in [linear(0.0, 1.0), Scale::log((1.0, 9.0), (0.0, 100.0)), Scale::nines((0.0, 0.999), (0.0, 100.0))] {
                prop_assert!((0.0..=100.0).contains(&scale.at(value)));
            }
        }

        #[test]
        fn a_nice_ceiling_is_at_most_twice_and_a_half(value in 1e-9_f64..1e12) {
            let ceiling = nice_ceiling(value);
            prop_assert!(ceiling >= value * (1.0 - 1e-8) && ceiling <= value * 2.5 * (1.0 + 1e-8));
        }
    }
}
