use super::Group;
use super::sample::Values;
use metrics::{Direction, Term};
use seed::Seed;
use statistics::{
    Caution, Confidence, Moments, SignFlip, TTest, holm, paired_t, quantile, sign_flip, welch_t,
};

/// How runs of several groups differ from those of a base, by one metric.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The base.
    pub base: Estimate,
    /// The others, in the order in which they were given.
    pub candidates: Vec<Difference>,
}

/// A metric over the runs of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The group.
    pub group: String,
    /// Its mean over runs.
    pub mean: Option<f64>,
    /// Its standard deviation from run to run; none of one run.
    pub deviation: Option<f64>,
    /// How many runs were measured.
    pub runs: u64,
    /// How many of them did not get where they were to get, and count as if they had at
    /// their end.
    pub censored: u64,
    /// Why runs could not be measured.
    pub missing: Vec<String>,
}

/// How a group differs from the base.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The group.
    pub estimate: Estimate,
    /// The difference, group minus base; none where nothing can be compared.
    pub test: Option<TTest>,
    /// How many pairs of runs of one seed it is made of; none, if runs do not pair.
    pub pairs: Option<u64>,
    /// Fisher's exact test of the pairs.
    pub sign_flip: Option<SignFlip>,
    /// The p of the test, by Holm's correction for the number of groups.
    pub adjusted_p: Option<f64>,
    /// The smallest difference that so many runs would have shown in four of five cases.
    pub detectable: Option<f64>,
    /// What is shown.
    pub finding: Finding,
}

/// What a comparison shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// The group is better.
    Better,
    /// The group is worse.
    Worse,
    /// It is different, by a metric of which neither way is better.
    Different,
    /// Every run is what it is in the base.
    Identical,
    /// No difference is shown.
    NotShown,
    /// There is nothing to infer from: one run each, or none.
    NoInference,
}

/// The power with which [`Difference::detectable`] would have been shown.
const POWER: f64 = 0.8;

/// Compares groups with a base by one metric.
///
/// Runs of one seed are paired and compared by Student's test, with Fisher's exact test
/// beside it; where fewer than two seeds are common, by Welch's. p's are corrected for the
/// number of groups by Holm's procedure.
#[must_use]
pub fn compare(
    term: &Term,
    base: &Group,
    candidates: &[&Group],
    confidence: Confidence,
) -> Comparison {
    let direction = term.definition().metric.direction();
    let mut differences: Vec<Difference> =
        candidates.iter().map(|group| difference(term, base, group, confidence)).collect();
    let tested: Vec<usize> =
        (0..differences.len()).filter(|at| p(&differences[*at]).is_some()).collect();
    let raw: Vec<f64> = tested.iter().filter_map(|at| p(&differences[*at])).collect();
    for (at, adjusted) in tested.into_iter().zip(holm(&raw)) {
        differences[at].adjusted_p = Some(adjusted);
    }
    for difference in &mut differences {
        difference.finding = finding(difference, direction, confidence);
    }
    Comparison { base: estimate(term, base), candidates: differences }
}

fn p(difference: &Difference) -> Option<f64> {
    difference.test.as_ref().and_then(|test| test.p)
}

/// A metric over the runs of a group.
pub(super) fn estimate(term: &Term, group: &Group) -> Estimate {
    let Values { by_seed, censored, missing } = group.values(term);
    let moments: Moments = by_seed.iter().map(|(_, value)| *value).collect();
    Estimate {
        group: group.name.clone(),
        mean: moments.mean(),
        deviation: moments.deviation(),
        runs: moments.count(),
        censored,
        missing,
    }
}

fn difference(term: &Term, base: &Group, group: &Group, confidence: Confidence) -> Difference {
    let (mine, theirs) = (base.values(term).by_seed, group.values(term).by_seed);
    let of = |seed: Seed| mine.iter().find(|(other, _)| *other == seed).map(|(_, value)| *value);
    let pairs: Vec<f64> =
        theirs.iter().filter_map(|(seed, value)| Some(value - of(*seed)?)).collect();
    let alone = mine.len() == 1 && theirs.len() == 1;
    let paired = pairs.len() >= 2 || (alone && !pairs.is_empty());
    let only = |values: &[(Seed, f64)]| values.iter().map(|(_, value)| *value).collect::<Vec<_>>();
    let test = if paired {
        paired_t(&pairs, confidence)
    } else {
        welch_t(&only(&mine), &only(&theirs), confidence)
    };
    Difference {
        estimate: estimate(term, group),
        pairs: paired.then_some(pairs.len() as u64),
        sign_flip: paired.then(|| sign_flip(&pairs)).flatten(),
        adjusted_p: None,
        detectable: test.as_ref().and_then(|test| detectable(test, confidence)),
        finding: Finding::NoInference,
        test,
    }
}

/// (z₁₋α⁄₂ + z_power) standard errors.
fn detectable(test: &TTest, confidence: Confidence) -> Option<f64> {
    let error = (test.difference / test.t?).abs();
    let steps = quantile::normal(confidence.upper_tail()) + quantile::normal(POWER);
    error.is_finite().then_some(steps * error)
}

fn finding(difference: &Difference, direction: Direction, confidence: Confidence) -> Finding {
    let Some(test) = &difference.test else { return Finding::NoInference };
    if test.cautions.contains(&Caution::Identical) && difference.pairs.is_some_and(|n| n > 1) {
        return Finding::Identical;
    }
    if test.cautions.contains(&Caution::NoSpread) {
        return shown(test.difference, direction);
    }
    match difference.adjusted_p {
        None => Finding::NoInference,
        Some(p) if p >= confidence.miss() => Finding::NotShown,
        Some(_) => shown(test.difference, direction),
    }
}

fn shown(difference: f64, direction: Direction) -> Finding {
    match direction {
        Direction::None => Finding::Different,
        Direction::Up if difference > 0.0 => Finding::Better,
        Direction::Down if difference < 0.0 => Finding::Better,
        Direction::Up | Direction::Down => Finding::Worse,
    }
}
