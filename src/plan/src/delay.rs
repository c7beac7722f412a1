//! Delays that are simulated.

use std::time::Duration;

use serde::Serialize;

/// A delay that varies from iteration to iteration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Delay {
    /// Always the same.
    Constant(Duration),
    /// Log-normal, by its median and its 99th percentile.
    LogNormal {
        /// Half of the delays are below.
        median: Duration,
        /// 99 in 100 are below. At least the median.
        p99: Duration,
    },
}

/// The standard normal quantile of 0.99.
const NORMAL_99: f64 = 2.326_347_874_040_840_8;

/// The share of standard normal draws below a value.
fn normal_cdf(value: f64) -> f64 {
    libm::erfc(-value / std::f64::consts::SQRT_2) / 2.0
}

/// How delays are drawn, worked out once.
#[derive(Debug, Clone, Copy)]
pub enum DelaySampler {
    /// Always the same.
    Constant(Duration),
    /// `median · (p99 / median)^(z / z₉₉)`, z standard normal.
    LogNormal {
        /// In microseconds.
        median: f64,
        /// ln(p99 / median) / z₉₉
        spread: f64,
    },
}

impl Delay {
    /// No delay at all.
    pub const NONE: Self = Self::Constant(Duration::ZERO);

    /// The standard deviation of the logarithm.
    fn spread(self) -> f64 {
        match self {
            Self::Constant(_) => 0.0,
            Self::LogNormal { median, p99 } => {
                libm::log(p99.as_secs_f64() / median.as_secs_f64()) / NORMAL_99
            }
        }
    }

    /// The mean, in seconds. Of a log-normal delay: `median · e^(σ²/2)`.
    #[must_use]
    pub fn mean(self) -> f64 {
        match self {
            Self::Constant(delay) => delay.as_secs_f64(),
            Self::LogNormal { median, .. } => {
                let spread = self.spread();
                median.as_secs_f64() * libm::exp(spread * spread / 2.0)
            }
        }
    }

    /// By how many seconds it exceeds so many seconds on average, where it counts as nothing if it does
    /// not: `E[max(D - s, 0)]`. Of a log-normal delay that is the formula of Black and Scholes (1973).
    #[must_use]
    pub fn excess(self, seconds: f64) -> f64 {
        let spread = self.spread();
        match self {
            Self::LogNormal { median, .. } if spread > 0.0 && seconds > 0.0 => {
                let z = libm::log(seconds / median.as_secs_f64()) / spread;
                self.mean() * normal_cdf(spread - z) - seconds * normal_cdf(-z)
            }
            _ => (self.mean() - seconds).max(0.0),
        }
    }

    /// How it is drawn.
    #[must_use]
    pub fn sampler(self) -> DelaySampler {
        match self {
            Self::Constant(delay) => DelaySampler::Constant(delay),
            Self::LogNormal { median, .. } => DelaySampler::LogNormal {
                median: median.as_secs_f64() * 1e6,
                spread: self.spread(),
            },
        }
    }
}

impl DelaySampler {
    /// One delay, in whole microseconds. A draw that is standard normal is asked for where
    /// chance has a say.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "delays are positive and saturate"
    )]
    pub fn sample(self, normal: impl FnOnce() -> f64) -> Duration {
        match self {
            Self::Constant(delay) => delay,
            Self::LogNormal { median, spread } => {
                let micros = median * libm::exp(spread * normal());
                Duration::from_micros(libm::round(micros) as u64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seed::{PhaseKey, Purpose, Seed};

    /// Draws are the oracle of the formula.
    #[test]
    fn delays_exceed_a_time_by_as_much_as_their_draws() {
        let seconds = Duration::from_secs_f64;
        for (median, p99) in [(0.2, 2.0), (0.2, 0.2), (1.0, 1.5)] {
            let delay = Delay::LogNormal { median: seconds(median), p99: seconds(p99) };
            let draw = |i| Seed(1).draws(PhaseKey::new("p"), i, Purpose::RankLatency).normal();
            let draws = (0..50_000).map(|i| delay.sampler().sample(|| draw(i)).as_secs_f64());
            let draws: Vec<f64> = draws.collect();
            for time in [0.0, 0.1, 0.5, 1.2] {
                let sum: f64 = draws.iter().map(|draw| (draw - time).max(0.0)).sum();
                let (found, mean) = (delay.excess(time), sum / 50_000.0);
                assert!((found - mean).abs() < 0.02 * median, "{delay:?} {time}: {found}, {mean}");
            }
        }
        assert_eq!(Delay::Constant(seconds(2.0)).excess(0.5), 1.5);
        assert_eq!(Delay::NONE.excess(0.5), 0.0);
    }

    #[test]
    fn half_of_the_delays_are_below_the_median_and_99_in_100_below_p99() {
        let delay =
            Delay::LogNormal { median: Duration::from_millis(8), p99: Duration::from_millis(40) };
        let mut delays: Vec<_> = (0..20_000)
            .map(|i| Seed(1).draws(PhaseKey::new("p"), i, Purpose::RankLatency).normal())
            .map(|normal| delay.sampler().sample(|| normal).as_secs_f64() * 1e3)
            .collect();
        delays.sort_by(f64::total_cmp);
        assert!((delays[10_000] - 8.0).abs() < 0.2, "{}", delays[10_000]);
        assert!((delays[19_800] - 40.0).abs() < 2.5, "{}", delays[19_800]);
    }
}
