use super::{Confidence, Interval, Moments, quantile, real};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// What a comparison says besides its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caution {
    /// One run each: events of one run depend on each other, so nothing can be inferred.
    OneRunEach,
    /// The runs do not differ at all: identical, not infinitely sure.
    Identical,
    /// Every pair differs by the same amount, so there is no spread to judge it by.
    NoSpread,
    /// With so few pairs no two-sided p of a sign flip can be below 5 %: it takes six.
    TooFewForSignFlip,
}

/// A t test: the mean difference, its interval and its p.
#[derive(Debug, Clone, PartialEq)]
pub struct TTest {
    /// The mean difference, second minus first.
    pub difference: f64,
    /// Its interval; none without spread.
    pub interval: Option<Interval>,
    /// t, the difference in standard errors; none without spread.
    pub t: Option<f64>,
    /// Degrees of freedom.
    pub freedom: f64,
    /// The two-sided p; none without spread.
    pub p: Option<f64>,
    /// What to mind.
    pub cautions: Vec<Caution>,
}

/// Student's paired t test of differences, one for each seed; none without any.
///
/// Its unit is the run: runs of two policies under one seed make a pair.
pub fn paired_t(differences: &[f64], confidence: Confidence) -> Option<TTest> {
    let moments: Moments = differences.iter().copied().collect();
    let error = moments.standard_error();
    let mut test = t_test(moments.mean()?, error, real(moments.count()) - 1.0, confidence);
    test.cautions = cautions(differences);
    Some(test)
}

/// Welch's t test (1947) of runs that do not pair; none where a side has no runs.
pub fn welch_t(first: &[f64], second: &[f64], confidence: Confidence) -> Option<TTest> {
    let [first, second]: [Moments; 2] =
        [first, second].map(|values| values.iter().copied().collect());
    let difference = second.mean()? - first.mean()?;
    let part = |moments: &Moments| Some(moments.variance()? / real(moments.count()));
    let Some((mine, theirs)) = part(&first).zip(part(&second)) else {
        let mut test = t_test(difference, None, 0.0, confidence);
        test.cautions = vec![Caution::OneRunEach];
        return Some(test);
    };
    let share = |part: f64, moments: &Moments| part * part / (real(moments.count()) - 1.0);
    let both = mine + theirs;
    let freedom = both * both / (share(mine, &first) + share(theirs, &second));
    let mut test = t_test(difference, Some(libm::sqrt(both)), freedom, confidence);
    if both == 0.0 {
        test.cautions =
            vec![if difference == 0.0 { Caution::Identical } else { Caution::NoSpread }];
    }
    Some(test)
}

fn t_test(difference: f64, error: Option<f64>, freedom: f64, confidence: Confidence) -> TTest {
    let error = error.filter(|error| *error > 0.0);
    let t = error.map(|error| difference / error);
    let half_width = |error| quantile::student(confidence.upper_tail(), freedom) * error;
    TTest {
        difference,
        interval: error.map(|error| Interval::around(difference, half_width(error))),
        t,
        freedom,
        p: t.map(|t| two_sided(t, freedom)),
        cautions: Vec::new(),
    }
}

/// The probability of a t at least as far from zero.
fn two_sided(t: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |law| 2.0 * law.cdf(-t.abs()))
}

/// What to mind of differences.
pub(super) fn cautions(differences: &[f64]) -> Vec<Caution> {
    let same = differences.iter().all(|difference| *difference == differences[0]);
    let spread = match differences {
        [] => None,
        _ if differences.iter().all(|difference| *difference == 0.0) => Some(Caution::Identical),
        [_] => Some(Caution::OneRunEach),
        _ => same.then_some(Caution::NoSpread),
    };
    let few = (differences.len() < 6).then_some(Caution::TooFewForSignFlip);
    spread.into_iter().chain(few).collect()
}
