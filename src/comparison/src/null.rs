use super::difference::estimate;
use super::{Estimate, Group};
use metrics::Term;
use seed::{PhaseKey, Purpose, Seed};
use statistics::{Confidence, FEWEST_RUNS, Planning, Runs};

/// The runs of a group compared with each other.
#[derive(Debug, Clone, PartialEq)]
pub struct NullComparison {
    /// The metric over all runs of the group.
    pub estimate: Estimate,
    /// The share of splits that called half of the runs different from the other half; none
    /// of fewer than ten runs.
    pub different: Option<f64>,
    /// The smallest difference that two groups of so many runs without common seeds show with
    /// 80 % power; groups with common seeds show smaller ones.
    pub detectable: Option<f64>,
}

/// How often a group is split.
const SPLITS: u32 = 1000;

/// Compares the runs of a group with each other: a thousand times one random half with the
/// other, by Welch's test.
///
/// This is a permutation of the same runs, so the share of splits called different is close to
/// the level by construction. A share far above it says that the test does not suit these runs:
/// they have outliers, or few distinct values. It does not say whether runs of another policy,
/// or of other seeds, would be called different in error.
#[must_use]
pub fn null(term: &Term, group: &Group, confidence: Confidence) -> NullComparison {
    let values = group.values(term).by_seed;
    let values: Vec<f64> = values.into_iter().map(|(_, value)| value).collect();
    let halves = values.len() as u64 / 2 >= FEWEST_RUNS;
    NullComparison {
        estimate: estimate(term, group),
        different: halves.then(|| share_of_different(&values, confidence)),
        detectable: detectable(&values, confidence),
    }
}

/// Of two groups as these runs are.
fn detectable(values: &[f64], confidence: Confidence) -> Option<f64> {
    let test = of_halves(values, values).test(confidence)?;
    let planning = Planning::usual(confidence.miss(), 1);
    Some(planning.detectable(test.standard_error?, test.freedom))
}

fn of_halves(first: &[f64], second: &[f64]) -> Runs {
    let (first_only, second_only) = (first.to_vec(), second.to_vec());
    Runs { pairs: Vec::new(), first_only, second_only }
}

fn share_of_different(values: &[f64], confidence: Confidence) -> f64 {
    let phase = PhaseKey::new("null");
    let different = (0..SPLITS).filter(|split| {
        let mut draws = Seed(0).draws(phase, u64::from(*split), Purpose::Flip);
        let mut shuffled = values.to_vec();
        for last in (1..shuffled.len()).rev() {
            let other = draws.below(last as u64 + 1);
            shuffled.swap(last, usize::try_from(other).unwrap_or(last));
        }
        let (left, right) = shuffled.split_at(shuffled.len() / 2);
        let p = of_halves(left, right).test(confidence).and_then(|test| test.p);
        p.is_some_and(|p| p < confidence.miss())
    });
    let count = u32::try_from(different.count()).unwrap_or(SPLITS);
    f64::from(count) / f64::from(SPLITS)
}
