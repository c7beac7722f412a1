//! How often an action was drawn, with an interval that holds at all times at once.

use super::super::{Interval, real};

/// The smallest tilt, and by how much each is larger than the one before: the largest is 6.6.
const FIRST_TILT: f64 = 0.01;
const GROWTH: f64 = 1.5;
const TILTS: usize = 17;

/// Halvings of the unit interval: the ends are known to 1e-12.
const HALVINGS: u32 = 40;

/// How often an action was drawn.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Share {
    /// In so many calls.
    pub calls: u64,
    /// So often.
    pub drawn: u64,
}

impl Share {
    /// The share of the calls in which it was drawn.
    pub(super) fn mean(self) -> f64 {
        if self.calls == 0 { 0.0 } else { real(self.drawn) / real(self.calls) }
    }

    /// The mean of the probabilities with which it was drawn, whatever they were call by call:
    /// a confidence sequence, which misses it at any time with a probability of at most `miss`.
    ///
    /// For draws x with conditional means μ and any λ the product of exp(λx) / (1 − μ + μ exp λ)
    /// is a martingale. ln(1 − μ + μ exp λ) is concave in μ, so that all μ may be replaced with
    /// their mean (Jensen), which leaves an e-process. The interval holds the means that an
    /// equal mixture over λ does not refute (Howard, Ramdas, McAuliffe and Sekhon 2021,
    /// "Time-uniform, nonparametric, nonasymptotic confidence sequences", section 3.2).
    pub(super) fn interval(self, miss: f64) -> Interval {
        let refuted = -libm::log(miss / 2.0);
        let missed = Self { drawn: self.calls - self.drawn, ..self };
        Interval { lower: self.lower(refuted), upper: 1.0 - missed.lower(refuted) }
    }

    /// The largest mean that is refuted as too small.
    fn lower(self, refuted: f64) -> f64 {
        let tilts = tilts();
        let (mut low, mut high) = (0.0, self.mean());
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            *(if self.log_e(middle, &tilts) >= refuted { &mut low } else { &mut high }) = middle;
        }
        low
    }

    /// The logarithm of the e-value against a mean of at most `mean`.
    fn log_e(self, mean: f64, tilts: &[Tilt; TILTS]) -> f64 {
        let (calls, drawn) = (real(self.calls), real(self.drawn));
        let bets =
            tilts.map(|Tilt { tilt, expm1 }| tilt * drawn - calls * libm::log1p(mean * expm1));
        let largest = bets.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = bets.iter().map(|bet| libm::exp(bet - largest)).sum();
        largest + libm::log(sum / real(TILTS as u64))
    }
}

/// λ of a bet, and exp λ − 1.
#[derive(Debug, Clone, Copy)]
struct Tilt {
    tilt: f64,
    expm1: f64,
}

fn tilts() -> [Tilt; TILTS] {
    std::array::from_fn(|index| {
        let tilt = FIRST_TILT * libm::pow(GROWTH, real(index as u64));
        Tilt { tilt, expm1: libm::expm1(tilt) }
    })
}
