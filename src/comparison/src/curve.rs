use super::Group;
use metrics::{Metric, PhaseTally};
use statistics::{Band, Confidence, band};

/// A success curve has at most so many points: each is a window of iterations, as wide as
/// it takes.
const MOST_POINTS: u64 = 200;

/// A point of the mean success curve of several runs.
#[derive(Debug, Clone, PartialEq)]
pub struct CurvePoint {
    /// The first iteration of the window.
    pub first_iteration: u64,
    /// The last iteration of the window; it belongs to it.
    pub last_iteration: u64,
    /// The mean success rate over runs, or the mean difference.
    pub mean: f64,
    /// Half the width of the 95 % interval of this point alone; none of one run.
    pub pointwise: Option<f64>,
    /// Half the width of the 95 % band that holds the whole curve; none of fewer than
    /// five runs.
    pub simultaneous: Option<f64>,
}

/// The mean success curve of a phase over the runs of a group, in windows of `batch`
/// iterations, or wider ones. Runs that did not finish the phase are left out.
#[must_use]
pub fn mean_curve(
    group: &Group,
    phase: &str,
    batch: u64,
    confidence: Confidence,
) -> Vec<CurvePoint> {
    let tallies = group.samples.iter().filter_map(|sample| tally(&sample.phases, phase));
    let tallies: Vec<&PhaseTally> = tallies.collect();
    let Some(windows) = windows(&tallies, batch) else { return Vec::new() };
    let curves: Vec<Vec<f64>> = tallies.iter().map(|tally| success(tally, &windows)).collect();
    points(&windows, band(&curves, confidence))
}

/// The mean difference of two groups' success curves, run by run of one seed.
#[must_use]
pub fn difference_curve(
    base: &Group,
    candidate: &Group,
    phase: &str,
    batch: u64,
    confidence: Confidence,
) -> Vec<CurvePoint> {
    let pairs: Vec<[&PhaseTally; 2]> = candidate
        .samples
        .iter()
        .filter_map(|sample| {
            let other = base.sample(sample.seed)?;
            Some([tally(&other.phases, phase)?, tally(&sample.phases, phase)?])
        })
        .collect();
    let all: Vec<&PhaseTally> = pairs.iter().flatten().copied().collect();
    let Some(windows) = windows(&all, batch) else { return Vec::new() };
    let differences: Vec<Vec<f64>> = pairs
        .iter()
        .map(|[base, candidate]| {
            let (base, candidate) = (success(base, &windows), success(candidate, &windows));
            candidate.iter().zip(base).map(|(candidate, base)| candidate - base).collect()
        })
        .collect();
    points(&windows, band(&differences, confidence))
}

fn tally<'a>(phases: &'a [PhaseTally], name: &str) -> Option<&'a PhaseTally> {
    phases.iter().find(|tally| tally.name() == name && tally.iterations() > 0)
}

/// The windows that all of these can be cut into; none, where they differ in length.
fn windows(tallies: &[&PhaseTally], batch: u64) -> Option<Vec<std::ops::Range<u64>>> {
    let length = tallies.first()?.iterations();
    if tallies.iter().any(|tally| tally.iterations() != length) {
        return None;
    }
    let batch = batch.max(1);
    let width = batch * length.div_ceil(batch).div_ceil(MOST_POINTS);
    let starts = (0..length.div_ceil(width)).map(|window| window * width);
    Some(starts.map(|start| start..(start + width).min(length)).collect())
}

/// The success rate in each window; where nothing got an action, nothing succeeded.
fn success(tally: &PhaseTally, windows: &[std::ops::Range<u64>]) -> Vec<f64> {
    let rate = |window: &std::ops::Range<u64>| {
        tally.measure(Metric::SuccessRate, Some(window.clone())).unwrap_or(0.0)
    };
    windows.iter().map(rate).collect()
}

fn points(windows: &[std::ops::Range<u64>], band: Option<Band>) -> Vec<CurvePoint> {
    let Some(Band { means, pointwise, simultaneous }) = band else { return Vec::new() };
    let at = |half: &Option<Vec<f64>>, index: usize| half.as_ref().map(|half| half[index]);
    let point = |(index, window): (usize, &std::ops::Range<u64>)| CurvePoint {
        first_iteration: window.start,
        last_iteration: window.end - 1,
        mean: means[index],
        pointwise: at(&pointwise, index),
        simultaneous: at(&simultaneous, index),
    };
    windows.iter().enumerate().map(point).collect()
}
