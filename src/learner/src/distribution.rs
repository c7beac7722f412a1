//! Distributions over actions (`explore_internal.h`).

use crate::sort::sort_by;

/// A count as VW's single-precision formulas use it.
#[expect(clippy::cast_precision_loss, reason = "counts of actions")]
pub(crate) fn narrow(count: usize) -> f32 {
    count as f32
}

/// `std::max_element`: the first stays if it is not a number; zero without elements.
pub(crate) fn largest(values: &[f32]) -> f32 {
    values
        .iter()
        .copied()
        .reduce(|most, value| if most < value { value } else { most })
        .unwrap_or(0.0)
}

/// `std::min_element`: the first stays if it is not a number; zero without elements.
pub(crate) fn smallest(values: &[f32]) -> f32 {
    values
        .iter()
        .copied()
        .reduce(|least, value| if value < least { value } else { least })
        .unwrap_or(0.0)
}

/// The softmax of `lambda · scores` (`generate_softmax`).
pub(crate) fn softmax(lambda: f32, scores: &[f32]) -> Vec<f32> {
    let furthest = if lambda > 0.0 { largest(scores) } else { smallest(scores) };
    let mut sum = 0.0;
    let mut shares: Vec<f32> = scores.iter().map(|s| (lambda * (s - furthest)).exp()).collect();
    for share in &shares {
        sum += share;
    }
    shares.iter_mut().for_each(|share| *share /= sum);
    shares
}

/// Raises every probability to at least `epsilon` over the size of the support: the
/// Euclidean projection onto that simplex, not a mixture (`enforce_minimum_probability`;
/// Duchi et al., ICML 2008). Without `zeros_too`, what has no probability keeps none.
pub(crate) fn enforce_minimum(epsilon: f32, zeros_too: bool, pmf: &mut [f32]) {
    if !(epsilon > 0.0 && epsilon <= 1.0) || pmf.is_empty() {
        return;
    }
    let support = pmf.iter().filter(|p| zeros_too || **p != 0.0).count();
    let size = narrow(support);
    let is_raised = |p: &&mut f32| zeros_too || **p > 0.0;
    if epsilon > 0.999 {
        return pmf.iter_mut().filter(is_raised).for_each(|p| *p = 1.0 / size);
    }
    let floor = epsilon / size;
    let excess = excess(floor, support, zeros_too, pmf);
    // What is not a number stays so, as with `std::max`.
    let lowered = |p: f32| if p - excess < floor { floor } else { p - excess };
    pmf.iter_mut().filter(is_raised).for_each(|p| *p = lowered(*p));
}

/// What each probability above the floor gives up.
fn excess(floor: f32, support: usize, zeros_too: bool, pmf: &[f32]) -> f32 {
    let mut sorted = pmf.to_vec();
    sort_by(&mut sorted, |a, b| a > b);
    let (mut last, mut last_sum, mut sum) = (0, sorted[0], 0.0);
    for (index, p) in sorted.into_iter().enumerate() {
        if !zeros_too && p == 0.0 {
            break;
        }
        sum += p;
        let rest = above(support, index) * floor;
        if p > (rest + sum - 1.0) / narrow(index + 1) + floor {
            (last, last_sum) = (index, sum);
        }
    }
    (above(support, last) * floor + last_sum - 1.0) / narrow(last + 1)
}

/// `support - index - 1`
fn above(support: usize, index: usize) -> f32 {
    narrow(support.saturating_sub(index + 1))
}
