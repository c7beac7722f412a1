//! Draws of Thompson sampling.

use seed::Draws;

use crate::model::add_best;

/// Adds the share of draws in which each action is the best. `draw` appends a value for each
/// action.
pub(crate) fn sample(
    samples: u32,
    draws: &mut Draws,
    pmf: &mut [f32],
    mut draw: impl FnMut(&mut Draws, &mut Vec<f64>),
) {
    let mut values = Vec::with_capacity(pmf.len());
    for _ in 0..samples {
        values.clear();
        draw(draws, &mut values);
        add_best(&values, 1.0 / f64::from(samples), pmf);
    }
}

/// A draw from the beta distribution: of two gamma draws.
pub(crate) fn beta(a: f64, b: f64, draws: &mut Draws) -> f64 {
    let (x, y) = (gamma(a, draws), gamma(b, draws));
    if x + y > 0.0 { x / (x + y) } else { 0.5 }
}

/// A draw from the gamma distribution with a shape of at least one (Marsaglia and Tsang, ACM
/// Transactions on Mathematical Software 26, 2000).
fn gamma(shape: f64, draws: &mut Draws) -> f64 {
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = draws.normal();
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && libm::log(1.0 - draws.unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seed::{PhaseKey, Purpose, Seed};

    #[test]
    fn the_moments_are_those_of_the_beta_distribution() {
        let mut draws = Seed(1).draws(PhaseKey::new("beta"), 0, Purpose::Policy);
        for (a, b) in [(1.0, 1.0), (2.5, 7.0), (40.0, 3.0)] {
            let sample: Vec<f64> = (0..20_000).map(|_| beta(a, b, &mut draws)).collect();
            let mean = sample.iter().sum::<f64>() / 20_000.0;
            let variance = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0;
            let expected = a / (a + b);
            let spread = a * b / ((a + b).powi(2) * (a + b + 1.0));
            // Five standard errors of the mean; a tenth of the variance.
            assert!((mean - expected).abs() < 5.0 * (spread / 20_000.0).sqrt(), "{a} {b}");
            assert!((variance / spread - 1.0).abs() < 0.1, "{a} {b}");
        }
    }
}
