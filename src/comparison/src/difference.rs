use super::Group;
use super::sample::Values;
use metrics::{Direction, Term};
use statistics::{
    Analysis, Confidence, FEWEST_RUNS, Moments, Planning, Runs, SignFlip, Spread, TTest, holm,
    sign_flip,
};

/// How runs of several groups differ from those of a base, by one metric.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The base.
    pub base: Estimate,
    /// The other groups, in the order given.
    pub candidates: Vec<Difference>,
}

/// A metric over the runs of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The name of the group.
    pub group: String,
    /// The mean over runs.
    pub mean: Option<f64>,
    /// The standard deviation from run to run; none of one run.
    pub deviation: Option<f64>,
    /// How many runs were measured.
    pub runs: u64,
    /// How many of them are lower bounds: the event did not occur, and the run counts as if it
    /// had at its end.
    pub censored: u64,
    /// Why runs could not be measured.
    pub missing: Vec<String>,
}

/// How a group differs from the base.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The group.
    pub estimate: Estimate,
    /// Group minus base; none where a side has no runs.
    pub test: Option<TTest>,
    /// Which test it is.
    pub analysis: Analysis,
    /// How many runs have the seed of a run of the base.
    pub pairs: u64,
    /// The number of observations of the test: pairs, or runs of the smaller side.
    pub observations: u64,
    /// Fisher's exact test of the pairs; none unless the pairs are what is tested.
    pub sign_flip: Option<SignFlip>,
    /// The p of the test by Holm's correction; none where nothing is inferred.
    pub adjusted_p: Option<f64>,
    /// How the smallest detectable difference is planned.
    pub planning: Planning,
    /// The smallest difference that so many runs show with 80 % power, by the correction in
    /// force; none where the spread is unknown.
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
    /// The group is different, by a metric of which neither way is better.
    Different,
    /// Every run has the value that it has in the base.
    Identical,
    /// No difference is shown.
    NotShown,
    /// The numbers are a description, and nothing follows from them.
    Description(Description),
}

/// Why nothing is inferred from runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Description {
    /// A side has no runs.
    NoRuns,
    /// There is one run on each side.
    OneRunEach,
    /// There are fewer than [`FEWEST_RUNS`] pairs.
    FewPairs,
    /// A side has fewer than [`FEWEST_RUNS`] runs.
    FewRuns,
    /// All differences are the same, so there is no spread to judge them by.
    NoSpread,
}

/// Compares groups with a base by one metric.
///
/// Runs of one seed are paired; [`Runs::analysis`] chooses the test. p's are corrected for the
/// number of tested groups by Holm's procedure.
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
    let tested: Vec<(usize, f64)> = differences
        .iter()
        .enumerate()
        .filter(|(_, difference)| description(difference).is_none())
        .filter_map(|(at, difference)| Some((at, difference.test.as_ref()?.p?)))
        .collect();
    let raw: Vec<f64> = tested.iter().map(|(_, p)| *p).collect();
    for ((at, _), adjusted) in tested.iter().zip(holm(&raw)) {
        differences[*at].adjusted_p = Some(adjusted);
    }
    let planning = Planning::usual(confidence.miss(), tested.len());
    for difference in &mut differences {
        difference.planning = planning;
        difference.detectable = detectable(difference, planning);
        difference.finding = finding(difference, direction, confidence);
    }
    Comparison { base: estimate(term, base), candidates: differences }
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
    let runs = runs(base.values(term), group.values(term));
    let analysis = runs.analysis();
    let are_pairs_tested = matches!(analysis, Analysis::Paired | Analysis::PairsOnly);
    Difference {
        estimate: estimate(term, group),
        test: runs.test(confidence),
        analysis,
        pairs: runs.pairs.len() as u64,
        observations: runs.observations(analysis),
        sign_flip: are_pairs_tested.then(|| sign_flip(&runs.differences())).flatten(),
        adjusted_p: None,
        planning: Planning::usual(confidence.miss(), 1),
        detectable: None,
        finding: Finding::NotShown,
    }
}

/// The values of two groups, those of one seed as a pair.
fn runs(base: Values, group: Values) -> Runs {
    let mut runs = Runs::default();
    let mut first = base.by_seed;
    for (seed, value) in group.by_seed {
        match first.iter().position(|(other, _)| *other == seed) {
            Some(at) => runs.pairs.push([first.remove(at).1, value]),
            None => runs.second_only.push(value),
        }
    }
    runs.first_only = first.into_iter().map(|(_, value)| value).collect();
    runs
}

fn detectable(difference: &Difference, planning: Planning) -> Option<f64> {
    let test = difference.test.as_ref()?;
    Some(planning.detectable(test.standard_error?, test.freedom))
}

fn finding(difference: &Difference, direction: Direction, confidence: Confidence) -> Finding {
    let Some(test) = &difference.test else { return Finding::Description(Description::NoRuns) };
    if test.spread == Spread::Identical {
        return Finding::Identical;
    }
    match (description(difference), difference.adjusted_p) {
        (Some(description), _) => Finding::Description(description),
        (None, Some(p)) if p < confidence.miss() => shown(test.difference, direction),
        (None, _) => Finding::NotShown,
    }
}

/// Why nothing is inferred, if so.
fn description(difference: &Difference) -> Option<Description> {
    let test = difference.test.as_ref()?;
    let are_pairs = matches!(difference.analysis, Analysis::Paired | Analysis::PairsOnly);
    if difference.observations == 1 && test.spread == Spread::Unknown {
        Some(Description::OneRunEach)
    } else if difference.observations < FEWEST_RUNS {
        Some(if are_pairs { Description::FewPairs } else { Description::FewRuns })
    } else {
        (test.spread == Spread::Constant).then_some(Description::NoSpread)
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

impl Difference {
    /// How many pairs show a difference of `effect`, in the unit of the metric, with 80 %
    /// power by the correction in force: as the deviation of the differences is estimated, and
    /// as it is at the upper end of its one-sided 80 % interval (χ²; Browne 1995), because an
    /// estimate from few runs is as often too small as too large. None where the spread is
    /// unknown.
    #[must_use]
    pub fn pairs_to_detect(&self, effect: f64) -> Option<[Option<u64>; 2]> {
        let test = self.test.as_ref()?;
        #[expect(clippy::cast_precision_loss, reason = "runs are few")]
        let deviation = test.standard_error? * libm::sqrt(self.observations as f64);
        let lower = statistics::quantile::chi_squared(0.2, test.freedom);
        let upper = deviation * libm::sqrt(test.freedom / lower);
        Some([deviation, upper].map(|deviation| self.planning.pairs(effect, deviation)))
    }
}
