//! Student's t tests of two groups of runs: paired, unpaired, and partly paired.

use super::{Confidence, Interval, Moments, quantile, real};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// No verdict and no simultaneous band comes from fewer runs, or pairs of runs.
pub const FEWEST_RUNS: u64 = 5;

/// A spread below this share of the values is rounding: sums of some hundred thousand terms
/// are exact to 1e-11 of their size.
const ROUNDING: f64 = 1e-9;

/// A metric of the runs of two groups. Runs of one seed make a pair.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Runs {
    /// The values of runs with a common seed: first group, second group.
    pub pairs: Vec<[f64; 2]>,
    /// The other values of the first group.
    pub first_only: Vec<f64>,
    /// The other values of the second group.
    pub second_only: Vec<f64>,
}

/// Which test compared the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Analysis {
    /// Student's paired t test; every run has a partner.
    Paired,
    /// Student's paired t test of the pairs; the other runs are left out.
    PairsOnly,
    /// The t test for partly paired samples, of all runs.
    PartlyPaired,
    /// Welch's t test of all runs.
    Unpaired,
}

/// How the differences vary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// A side has one value only, or none.
    Unknown,
    /// All values are the same on both sides.
    Identical,
    /// The differences are all the same, up to rounding.
    Constant,
    /// They vary, so that their standard error is known.
    Varying,
}

/// A t test: the difference of the means, its interval and its p.
#[derive(Debug, Clone, PartialEq)]
pub struct TTest {
    /// Second mean minus first mean.
    pub difference: f64,
    /// How the differences vary.
    pub spread: Spread,
    /// The standard error of the difference; none unless the spread is varying.
    pub standard_error: Option<f64>,
    /// The degrees of freedom.
    pub freedom: f64,
    /// The confidence interval; none unless the spread is varying.
    pub interval: Option<Interval>,
    /// The difference in standard errors; none unless the spread is varying.
    pub t: Option<f64>,
    /// The two-sided p; none unless the spread is varying.
    pub p: Option<f64>,
}

impl Runs {
    /// The number of runs on each side.
    pub fn counts(&self) -> [u64; 2] {
        [&self.first_only, &self.second_only].map(|alone| (self.pairs.len() + alone.len()) as u64)
    }

    /// The number of observations that the analysis has: pairs, or runs of the smaller side.
    pub fn observations(&self, analysis: Analysis) -> u64 {
        match analysis {
            Analysis::Paired | Analysis::PairsOnly => self.pairs.len() as u64,
            Analysis::PartlyPaired | Analysis::Unpaired => {
                self.counts().into_iter().min().unwrap_or_default()
            }
        }
    }

    /// Which test compares the groups. The rule looks at counts and at the correlation of the
    /// pairs, never at the difference:
    ///
    /// 1. Every run has a partner: the paired test.
    /// 2. Fewer than five pairs: Welch's test of all runs. Their correlation is unknown.
    /// 3. Half of the larger side, or more, has a partner, and the pairs are correlated so
    ///    strongly that they alone give the narrower interval: the paired test of the pairs.
    /// 4. Otherwise: the test for partly paired samples of all runs.
    pub fn analysis(&self) -> Analysis {
        let pairs = real(self.pairs.len() as u64);
        let [first, second] = self.counts().map(real);
        if self.first_only.is_empty() && self.second_only.is_empty() {
            Analysis::Paired
        } else if pairs < real(FEWEST_RUNS) {
            Analysis::Unpaired
        } else {
            // The variance of either estimate, for groups of one variance.
            let r = self.correlation();
            let of_pairs = 2.0 * (1.0 - r) / pairs;
            let of_all = 1.0 / first + 1.0 / second - 2.0 * r * pairs / (first * second);
            let enough = 2.0 * pairs >= first.max(second);
            if enough && of_pairs < of_all { Analysis::PairsOnly } else { Analysis::PartlyPaired }
        }
    }

    /// The correlation of the pairs; zero where a side does not vary.
    fn correlation(&self) -> f64 {
        let [first, second] = [0, 1].map(|side| self.paired_side(side).collect::<Moments>());
        let means = [first.mean(), second.mean()].map(Option::unwrap_or_default);
        let product = |pair: &[f64; 2]| (pair[0] - means[0]) * (pair[1] - means[1]);
        let covariance = self.pairs.iter().map(product).sum::<f64>()
            / (real(self.pairs.len() as u64) - 1.0).max(1.0);
        let deviations = first.deviation().zip(second.deviation());
        let scale = deviations.map_or(0.0, |(first, second)| first * second);
        if scale > 0.0 { (covariance / scale).clamp(-1.0, 1.0) } else { 0.0 }
    }

    fn paired_side(&self, side: usize) -> impl Iterator<Item = f64> + '_ {
        self.pairs.iter().map(move |pair| pair[side])
    }

    fn side(&self, side: usize) -> Moments {
        let alone = [&self.first_only, &self.second_only][side];
        self.paired_side(side).chain(alone.iter().copied()).collect()
    }

    /// The differences of the pairs, second minus first.
    pub fn differences(&self) -> Vec<f64> {
        self.pairs.iter().map(|[first, second]| second - first).collect()
    }

    /// The largest absolute value, by which rounding is judged.
    fn scale(&self) -> f64 {
        let values = self.pairs.iter().flatten().chain(&self.first_only).chain(&self.second_only);
        values.fold(0.0, |largest, value| largest.max(value.abs()))
    }

    /// Compares the groups by [`Self::analysis`]; none where a side has no runs.
    pub fn test(&self, confidence: Confidence) -> Option<TTest> {
        let analysis = self.analysis();
        let (difference, error, freedom) = match analysis {
            Analysis::Paired | Analysis::PairsOnly => self.of_pairs()?,
            Analysis::PartlyPaired => self.of_all(self.correlation())?,
            Analysis::Unpaired => self.of_all(0.0)?,
        };
        let rounding = ROUNDING * self.scale();
        let spread = match error {
            None => Spread::Unknown,
            Some(error) if error > rounding => Spread::Varying,
            Some(_) if difference.abs() <= rounding => Spread::Identical,
            Some(_) => Spread::Constant,
        };
        let standard_error = error.filter(|_| spread == Spread::Varying);
        let t = standard_error.map(|error| difference / error);
        let critical = quantile::student(confidence.upper_tail(), freedom);
        Some(TTest {
            difference,
            spread,
            standard_error,
            freedom,
            interval: standard_error.map(|error| Interval::around(difference, critical * error)),
            t,
            p: t.map(|t| two_sided(t, freedom)),
        })
    }

    /// Mean difference, standard error and degrees of freedom of the pairs.
    fn of_pairs(&self) -> Option<(f64, Option<f64>, f64)> {
        let moments: Moments = self.differences().into_iter().collect();
        Some((moments.mean()?, moments.standard_error(), real(moments.count()) - 1.0))
    }

    /// The same of all runs, with the correlation `r` of the pairs (Derrick, Russ, Toher,
    /// White 2017, T_new2): Welch's test (1947) where `r` is zero and no runs pair.
    fn of_all(&self, r: f64) -> Option<(f64, Option<f64>, f64)> {
        let sides = [0, 1].map(|side| self.side(side));
        let difference = sides[1].mean()? - sides[0].mean()?;
        let [first, second] = sides.map(|side| real(side.count()));
        let variances = sides[0].variance().zip(sides[1].variance());
        let Some((of_first, of_second)) = variances else {
            return Some((difference, None, 0.0));
        };
        let pairs = if r == 0.0 { 0.0 } else { real(self.pairs.len() as u64) };
        let parts = [of_first / first, of_second / second];
        let both = parts[0] + parts[1];
        let welch = both * both
            / (parts[0] * parts[0] / (first - 1.0) + parts[1] * parts[1] / (second - 1.0));
        let alone = first + second - 2.0 * pairs;
        let freedom = if pairs == 0.0 {
            welch
        } else {
            pairs - 1.0 + (welch - pairs + 1.0) / (first + second) * alone
        };
        let shared = 2.0 * r * libm::sqrt(of_first * of_second) * pairs / (first * second);
        Some((difference, Some(libm::sqrt((both - shared).max(0.0))), freedom))
    }
}

/// The probability of a t at least as far from zero.
fn two_sided(t: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |law| 2.0 * law.cdf(-t.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use seed::{PhaseKey, Purpose, Seed};

    fn runs(pairs: &[[f64; 2]], first_only: &[f64], second_only: &[f64]) -> Runs {
        let (first_only, second_only) = (first_only.to_vec(), second_only.to_vec());
        Runs { pairs: pairs.to_vec(), first_only, second_only }
    }

    /// Groups of one law, whose pairs correlate by `r`.
    fn equal_groups(world: u64, pairs: u64, alone: [u64; 2], r: f64) -> Runs {
        let mut draws = Seed(world).draws(PhaseKey::new("pairs"), pairs, Purpose::Flip);
        let pairs = (0..pairs).map(|_| {
            let (first, other) = (draws.normal(), draws.normal());
            [first, r * first + libm::sqrt(1.0 - r * r) * other]
        });
        let pairs: Vec<[f64; 2]> = pairs.collect();
        let [first_only, second_only] =
            alone.map(|count| (0..count).map(|_| draws.normal()).collect());
        Runs { pairs, first_only, second_only }
    }

    #[test]
    fn equal_groups_that_pair_partly_differ_in_one_of_twenty_comparisons() {
        for (pairs, alone) in
            [(5, [15, 15]), (5, [1, 1]), (5, [0, 5]), (10, [10, 10]), (18, [2, 2])]
        {
            for r in [0.0, 0.5, 0.9] {
                let found = (0..1000).filter(|world| {
                    let runs = equal_groups(*world, pairs, alone, r);
                    runs.test(Confidence::P95).unwrap().p.unwrap() < 0.05
                });
                let found = found.count();
                assert!(found <= 70, "{pairs} pairs, {alone:?} alone, r {r}: {found} of 1000");
            }
        }
    }

    #[test]
    fn two_common_seeds_of_twenty_do_not_decide_alone() {
        let few = equal_groups(1, 2, [18, 18], 0.9);
        assert_eq!((few.analysis(), few.observations(few.analysis())), (Analysis::Unpaired, 20));
        let most = equal_groups(1, 18, [2, 2], 0.95);
        assert_eq!(
            (most.analysis(), most.observations(most.analysis())),
            (Analysis::PairsOnly, 18)
        );
        let some = equal_groups(1, 8, [12, 12], 0.95);
        assert_eq!(some.analysis(), Analysis::PartlyPaired);
    }

    #[test]
    fn a_spread_in_the_last_bits_is_none() {
        for count in 2_u32..=4 {
            let pair = |index: u32| [0.1 + 0.2, 0.3 + 1.0 + f64::from(index) * f64::EPSILON];
            let pairs: Vec<[f64; 2]> = (0..count).map(pair).collect();
            let test = runs(&pairs, &[], &[]).test(Confidence::P95).unwrap();
            assert_eq!((test.spread, test.p, test.interval), (Spread::Constant, None, None));
        }
    }

    #[test]
    fn equal_values_without_common_seeds_are_identical() {
        let test = runs(&[], &[0.0; 10], &[0.0; 10]).test(Confidence::P95).unwrap();
        assert_eq!(test.spread, Spread::Identical);
        let one = runs(&[], &[0.0], &[0.0; 10]).test(Confidence::P95).unwrap();
        assert_eq!(one.spread, Spread::Unknown);
    }

    #[test]
    fn a_difference_of_zero_has_a_standard_error() {
        let test = runs(&[[0.0, 1.0], [1.0, 0.0]], &[], &[]).test(Confidence::P95).unwrap();
        assert_eq!((test.difference, test.t), (0.0, Some(0.0)));
        assert!((test.standard_error.unwrap() - 1.0).abs() < 1e-12);
    }
}
