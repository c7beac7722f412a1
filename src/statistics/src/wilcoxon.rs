use super::real;

/// Up to this many differences the law of W is counted out.
const COUNTABLE: usize = 25;

/// Wilcoxon's signed-rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wilcoxon {
    /// The smaller of the rank sums of either sign.
    pub w: f64,
    /// The exact two-sided p.
    pub p: f64,
    /// How many differences were zero and left out.
    pub zeros: usize,
}

/// Wilcoxon's signed-rank test of paired differences (1945), exact, ties by their mean
/// rank. None without differences other than zero or with more than 25 of them.
pub fn wilcoxon(differences: &[f64]) -> Option<Wilcoxon> {
    let mut kept: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    if kept.is_empty() || kept.len() > COUNTABLE {
        return None;
    }
    kept.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let doubled = doubled_ranks(&kept);
    let of_sign = |positive: bool| -> usize {
        kept.iter().zip(&doubled).filter(|(d, _)| (**d > 0.0) == positive).map(|(_, r)| r).sum()
    };
    let smaller = of_sign(true).min(of_sign(false));
    let p = (2.0 * share_up_to(&doubled, smaller)).min(1.0);
    Some(Wilcoxon { w: real(smaller as u64) / 2.0, p, zeros: differences.len() - kept.len() })
}

/// Twice the rank of each absolute value, whole also for ties.
fn doubled_ranks(sorted: &[f64]) -> Vec<usize> {
    let below = |value: f64| sorted.partition_point(|other| other.abs() < value.abs());
    let up_to = |value: f64| sorted.partition_point(|other| other.abs() <= value.abs());
    sorted.iter().map(|value| below(*value) + up_to(*value) + 1).collect()
}

/// The share of sign patterns whose positive ranks add up to no more than `most`.
fn share_up_to(ranks: &[usize], most: usize) -> f64 {
    let mut ways = vec![0_u64; ranks.iter().sum::<usize>() + 1];
    ways[0] = 1;
    for rank in ranks {
        for total in (*rank..ways.len()).rev() {
            ways[total] += ways[total - rank];
        }
    }
    real(ways[..=most].iter().sum()) / real(1 << ranks.len())
}
