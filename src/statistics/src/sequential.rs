//! A group-sequential t test: paired differences are looked at after every round of seeds.

use super::{Confidence, FEWEST_RUNS, quantile, real};
use seed::{PhaseKey, Purpose, Seed};

/// The first look. Earlier ones would cost more at every later look than they save.
const FIRST: u64 = FEWEST_RUNS + 2;

/// Each look has a tenth more seeds than the one before.
const GROWTH: f64 = 1.1;

/// The nominal level of a look falls with the number of pairs by this power.
const SHAPE: f64 = 0.75;

/// So many simulated comparisons calibrate the levels: their share is then known to 0.2 %.
const PATHS: u64 = 20_000;

/// The looks of a sequential comparison, and how far the difference must be from a threshold
/// to be decided at each.
///
/// At look k with n pairs the nominal two-sided level is p₁ (n₁/n)^¾, and the critical value
/// is Student's for n − 1 degrees of freedom (the significance-level approach of Jennison and
/// Turnbull 2000, section 3.8). p₁ is the largest level for which simulated differences whose mean
/// is the threshold cross the critical values on a given side with a probability of at most
/// 1 − confidence, over all looks together. So looking after each round is accounted for.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequential {
    looks: Vec<Look>,
}

/// A look at the differences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// After so many pairs.
    pub pairs: u64,
    /// The difference is decided if it is further from the threshold than so many standard
    /// errors.
    pub critical: f64,
}

impl Sequential {
    /// The fewest seeds that [`Self::new`] accepts as a ceiling.
    pub const FEWEST: u64 = FIRST;

    /// The looks of a comparison of at most `at_most` pairs.
    ///
    /// # Panics
    /// If `at_most` is below [`Self::FEWEST`].
    pub fn new(at_most: u64, confidence: Confidence) -> Self {
        assert!(at_most >= Self::FEWEST, "a sequential comparison needs {FIRST} pairs");
        let pairs = looks(at_most);
        let paths: Vec<Vec<f64>> = (0..PATHS).map(|path| simulated(path, &pairs)).collect();
        let side = confidence.miss();
        // The level that the simulation finds is within four of its standard errors.
        let crossing = 2.0 * side;
        let allowed = crossing - 4.0 * libm::sqrt(crossing * (1.0 - crossing) / real(PATHS));
        let (mut low, mut high) = (0.0, crossing);
        for _ in 0..30 {
            let middle = f64::midpoint(low, high);
            let criticals = criticals(&pairs, middle);
            let crosses = |path: &&Vec<f64>| path.iter().zip(&criticals).any(|(t, c)| t > c);
            let share = real(paths.iter().filter(crosses).count() as u64) / real(PATHS);
            if share > allowed { high = middle } else { low = middle }
        }
        let criticals = criticals(&pairs, low);
        let look = |(pairs, critical): (u64, f64)| Look { pairs, critical };
        Self { looks: pairs.into_iter().zip(criticals).map(look).collect() }
    }

    /// The looks, in order.
    pub fn looks(&self) -> &[Look] {
        &self.looks
    }

    /// The look after `pairs` pairs; none, if that is not after a round.
    pub fn look(&self, pairs: u64) -> Option<Look> {
        self.looks.iter().find(|look| look.pairs == pairs).copied()
    }
}

/// After how many pairs the differences are looked at.
fn looks(at_most: u64) -> Vec<u64> {
    let next = |pairs: &u64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small count"
        )]
        let grown = libm::ceil(real(*pairs) * GROWTH) as u64;
        (*pairs < at_most).then_some(grown.max(pairs + 1).min(at_most))
    };
    std::iter::successors(Some(FIRST), next).collect()
}

/// The critical value of each look, where the first has this two-sided level.
fn criticals(looks: &[u64], level: f64) -> Vec<f64> {
    let critical = |pairs: &u64| {
        let nominal = level * libm::pow(real(FIRST) / real(*pairs), SHAPE);
        quantile::student(1.0 - nominal / 2.0, real(*pairs) - 1.0)
    };
    looks.iter().map(critical).collect()
}

/// |t| at each look of normal differences around zero.
fn simulated(path: u64, looks: &[u64]) -> Vec<f64> {
    let mut draws = Seed(0).draws(PhaseKey::new("sequential"), path, Purpose::Flip);
    let (mut count, mut sum, mut squares) = (0, 0.0, 0.0);
    let t = |pairs: &u64| {
        while count < *pairs {
            let difference = draws.normal();
            count += 1;
            sum += difference;
            squares += difference * difference;
        }
        let n = real(count);
        let variance = (squares - sum * sum / n) / (n - 1.0);
        (sum / n).abs() / libm::sqrt(variance / n)
    };
    looks.iter().map(t).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a comparison of differences around `mean` standard deviations decides: the side of
    /// zero, after how many pairs.
    fn decided(design: &Sequential, world: u64, mean: f64) -> Option<(f64, u64)> {
        let mut draws = Seed(world).draws(PhaseKey::new("decided"), 0, Purpose::Flip);
        let mut moments = crate::Moments::default();
        for look in design.looks() {
            while moments.count() < look.pairs {
                moments.add(mean + draws.normal());
            }
            let t = moments.mean().unwrap() / moments.standard_error().unwrap();
            if t.abs() > look.critical {
                return Some((t.signum(), look.pairs));
            }
        }
        None
    }

    #[test]
    fn looking_after_every_round_is_accounted_for() {
        let design = Sequential::new(200, Confidence::P95);
        let sides = (0..400).filter_map(|world| Some(decided(&design, world, 0.0)?.0));
        let (mut up, mut down) = (0, 0);
        sides.for_each(|side| if side > 0.0 { up += 1 } else { down += 1 });
        // Five per cent on each side; 400 worlds are sure of that to one per cent.
        assert!(up <= 28 && down <= 28, "{up} up, {down} down");
    }

    #[test]
    fn a_difference_takes_fewer_pairs_than_a_fixed_number_would() {
        let design = Sequential::new(200, Confidence::P95);
        // Pairs that the t test at 95 % needs for 90 % power.
        let fixed = [(0.5, 44.0), (0.75, 21.0), (1.0, 13.0)];
        let shares = fixed.map(|(mean, fixed)| {
            let found: Vec<_> =
                (0..200).filter_map(|world| decided(&design, world, mean)).collect();
            assert_eq!(found.len(), 200);
            assert!(found.iter().filter(|(side, _)| *side < 0.0).count() <= 4);
            found.iter().map(|(_, pairs)| real(*pairs)).sum::<f64>() / 200.0 / fixed
        });
        // `just study` measures 73 % on average, with a hundred times as many worlds.
        assert!(shares.iter().sum::<f64>() / 3.0 <= 0.8, "{shares:?}");
        let first = (0..200).filter(|world| decided(&design, *world, 2.0).unwrap().1 == FIRST);
        assert!(first.count() >= 180);
    }

    #[test]
    fn looks_end_at_the_ceiling_and_their_levels_fall() {
        for at_most in [7, 8, 50] {
            let design = Sequential::new(at_most, Confidence::P95);
            let pairs: Vec<u64> = design.looks().iter().map(|look| look.pairs).collect();
            assert_eq!((pairs[0], *pairs.last().unwrap()), (7, at_most));
            assert!(pairs.is_sorted_by(|left, right| left < right));
        }
        // With one look it is Student's test, at twice the level: a side each.
        let one = Sequential::new(7, Confidence::P95).looks()[0].critical;
        assert!((one - quantile::student(0.95, 6.0)).abs() < 0.12, "{one}");
    }
}
