use super::difference::estimate;
use super::{Estimate, Group};
use metrics::Term;
use seed::{PhaseKey, Purpose, Seed};
use statistics::{Confidence, Moments, quantile, welch_t};

/// The runs of a group compared with each other.
#[derive(Debug, Clone, PartialEq)]
pub struct NullComparison {
    /// The metric over all runs of the group.
    pub estimate: Estimate,
    /// The share of comparisons that called half of the runs different from the other
    /// half; none of fewer than four runs.
    pub different: Option<f64>,
    /// The smallest difference that two groups of so many runs with seeds of their own
    /// would have shown in four of five cases; runs of common seeds show smaller ones.
    pub detectable: Option<f64>,
}

/// How often a group is halved.
const SPLITS: u32 = 1000;

/// The power of [`NullComparison::detectable`].
const POWER: f64 = 0.8;

/// Compares the runs of a group with each other: a thousand times one half of them,
/// drawn by lot, with the other, by Welch's test. Nothing differs but the seeds, so that
/// whatever is called different is noise.
#[must_use]
pub fn null(term: &Term, group: &Group, confidence: Confidence) -> NullComparison {
    let values = group.values(term).by_seed;
    let values: Vec<f64> = values.into_iter().map(|(_, value)| value).collect();
    let moments: Moments = values.iter().copied().collect();
    let steps = quantile::normal(confidence.upper_tail()) + quantile::normal(POWER);
    let error = moments.standard_error().map(|error| libm::sqrt(2.0) * error);
    NullComparison {
        estimate: estimate(term, group),
        different: (values.len() >= 4).then(|| share_of_different(&values, confidence)),
        detectable: error.map(|error| steps * error),
    }
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
        let p = welch_t(left, right, confidence).and_then(|test| test.p);
        p.is_some_and(|p| p < confidence.miss())
    });
    let count = u32::try_from(different.count()).unwrap_or(SPLITS);
    f64::from(count) / f64::from(SPLITS)
}
