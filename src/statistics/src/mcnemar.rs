use super::real;
use statrs::function::beta::beta_reg;

/// The two-sided p of McNemar's exact test (1947) that two ways of doing the same things
/// succeed equally often: `first` counts those where only the first did, `second` those
/// where only the second did. One where they never differ.
pub fn mcnemar(first: u64, second: u64) -> f64 {
    let (fewer, both) = (first.min(second), first + second);
    if 2 * fewer == both {
        return 1.0;
    }
    // P(X <= fewer) of the binomial law with one half.
    (2.0 * beta_reg(real(both - fewer), real(fewer) + 1.0, 0.5)).min(1.0)
}
