//! Quantiles of the laws that intervals are made of, by `statrs`.

use statrs::distribution::{Beta, ChiSquared, ContinuousCDF, Normal, StudentsT};

/// The standard normal quantile of `probability`.
pub fn normal(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

/// The quantile of Student's t with `freedom` degrees of freedom, above zero.
pub fn student(probability: f64, freedom: f64) -> f64 {
    // From some tens of thousands on, statrs' inverse is right to four digits only.
    if freedom >= 1000.0 {
        return near_normal(normal(probability), freedom);
    }
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |law| law.inverse_cdf(probability))
}

/// Student's quantile from the normal one `z` (Abramowitz, Stegun 1964, 26.7.5).
fn near_normal(z: f64, freedom: f64) -> f64 {
    let q = z * z;
    let terms = [
        z * (q + 1.0) / 4.0,
        z * ((5.0 * q + 16.0) * q + 3.0) / 96.0,
        z * (((3.0 * q + 19.0) * q + 17.0) * q - 15.0) / 384.0,
        z * ((((79.0 * q + 776.0) * q + 1482.0) * q - 1920.0) * q - 945.0) / 92_160.0,
    ];
    terms.iter().rev().fold(0.0, |sum, term| (sum + term) / freedom) + z
}

/// The quantile of the χ² law with `freedom` degrees of freedom, above zero.
pub fn chi_squared(probability: f64, freedom: f64) -> f64 {
    ChiSquared::new(freedom).map_or(f64::NAN, |law| law.inverse_cdf(probability))
}

/// The quantile of the beta law; both shapes above zero.
///
/// Right to nine digits, but for the middle of laws with shapes of half a million and
/// more, where statrs' fraction stops early: their tails, which intervals use, are right.
pub fn beta(probability: f64, first: f64, second: f64) -> f64 {
    Beta::new(first, second).map_or(f64::NAN, |law| law.inverse_cdf(probability))
}
