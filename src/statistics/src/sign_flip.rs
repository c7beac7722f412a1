use super::real;

/// Up to this many pairs all sign flips are enumerated: a million of them.
const ENUMERABLE: usize = 20;

/// What a flip must reach of the observed size to count as no smaller, against rounding.
const AS_FAR: f64 = 1.0 - 1e-12;

/// Two-sided p's of an exact randomisation test.
#[derive(Debug, Clone, PartialEq)]
pub struct SignFlip {
    /// The share of sign flips at least as far from zero as what was seen.
    pub p: f64,
    /// The smallest p that so many pairs can give, 2^(1-n).
    pub smallest: f64,
}

/// Fisher's randomisation test of paired differences (1935): under the hypothesis of no
/// difference each sign is a coin. All 2ⁿ flips are counted; none without differences or
/// with more than twenty, where the t test serves.
pub fn sign_flip(differences: &[f64]) -> Option<SignFlip> {
    let flips = flips(differences.len())?;
    let observed = differences.iter().sum::<f64>().abs();
    let far = (0..flips).filter(|flip| sum(differences, *flip).abs() >= observed * AS_FAR).count();
    let all = real(flips);
    Some(SignFlip { p: real(far as u64) / all, smallest: (2.0 / all).min(1.0) })
}

/// The sum of the differences with the signs of the bits of `flip` turned.
fn sum(differences: &[f64], flip: u64) -> f64 {
    let signed = |(seed, difference): (usize, &f64)| {
        if flip >> seed & 1 == 1 { -difference } else { *difference }
    };
    differences.iter().enumerate().map(signed).sum()
}

fn flips(pairs: usize) -> Option<u64> {
    (1..=ENUMERABLE).contains(&pairs).then(|| 1 << pairs)
}
