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

/// Adjusted two-sided p's of several policies against one baseline on the same seeds: the
/// step-down max-T of Westfall and Young (1993), Romano and Wolf (2005), by all sign
/// flips. One flip turns the differences of a seed for all policies, so that what the
/// policies share costs no power.
///
/// `differences` has one row for each policy, all of one length; the p's are in their order. None for
/// rows of unequal length, without rows, or with more than twenty seeds.
pub fn max_t(differences: &[Vec<f64>]) -> Option<Vec<f64>> {
    let seeds = differences.first()?.len();
    if differences.iter().any(|row| row.len() != seeds) {
        return None;
    }
    let flips = flips(seeds)?;
    let observed: Vec<f64> = differences.iter().map(|row| t(row, 0)).collect();
    let mut order: Vec<usize> = (0..observed.len()).collect();
    order.sort_by(|a, b| observed[*b].total_cmp(&observed[*a]));
    let mut counts = vec![0_u64; order.len()];
    for flip in 0..flips {
        count_flip(differences, &observed, &order, flip, &mut counts);
    }
    Some(monotone(&order, &counts, real(flips)))
}

/// Counts, from the least to the most extreme policy, where the largest t of those no more
/// extreme reaches the observed one.
fn count_flip(
    differences: &[Vec<f64>],
    observed: &[f64],
    order: &[usize],
    flip: u64,
    counts: &mut [u64],
) {
    let mut largest = 0.0_f64;
    for policy in order.iter().rev() {
        largest = largest.max(t(&differences[*policy], flip));
        counts[*policy] += u64::from(largest >= observed[*policy] * AS_FAR);
    }
}

fn monotone(order: &[usize], counts: &[u64], flips: f64) -> Vec<f64> {
    let mut adjusted = vec![0.0; counts.len()];
    let mut running = 0.0_f64;
    for policy in order {
        running = running.max(real(counts[*policy]) / flips);
        adjusted[*policy] = running;
    }
    adjusted
}

/// |t| of the differences after a flip; infinite without spread, zero where all are zero.
fn t(differences: &[f64], flip: u64) -> f64 {
    let n = real(differences.len() as u64);
    let mean = sum(differences, flip) / n;
    let squares: f64 = differences.iter().map(|difference| difference * difference).sum();
    // The sum of squares survives a flip; only the mean moves.
    let variance = ((squares - n * mean * mean) / (n - 1.0)).max(0.0);
    if mean == 0.0 { 0.0 } else { mean.abs() / libm::sqrt(variance / n) }
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
