use std::collections::BTreeMap;

use super::Picture;
use comparison::{self, CurvePoint, Group, difference_curve};
use metrics::PhaseTally;
use report::html::Block;
use report::{LineChart, LinePoint, LineSeries, Unit};
use statistics::Confidence;

/// With fewer runs a band says nothing, and the runs themselves are drawn.
const LEAST_FOR_BAND: usize = 5;

/// The fewest iterations that make a point.
const WINDOW: u64 = 50;

/// The most points of the mean of several runs: more look like a comb.
const WINDOWS: u64 = 60;

/// One run is cut into so many windows: in shorter ones it is mostly luck.
const WINDOWS_OF_ONE: u64 = 40;

/// What curves are read against.
#[derive(Debug, Clone, Default)]
pub struct Landmarks {
    /// How many actions may be chosen, if it is known.
    pub actions: Option<u64>,
    /// The iterations before which the population of a phase drifts, by the phase.
    pub drifts: BTreeMap<String, u64>,
}

/// The curves of a report.
#[derive(Default)]
pub struct Curves {
    pub pictures: Vec<Picture>,
    /// Differences that are nothing, in words.
    pub remarks: Vec<Block>,
}

/// The iterations that make a point. A window ends at a drift, if one of about this size can.
fn window(groups: &[Group], phase: &str, drift: Option<u64>) -> u64 {
    let samples = groups.iter().flat_map(|group| &group.samples);
    let is_one = groups.iter().all(|group| group.samples.len() < LEAST_FOR_BAND);
    let tallies = samples.flat_map(|sample| sample.phases.iter()).filter(|of| of.name() == phase);
    let longest = tallies.map(PhaseTally::iterations).max().unwrap_or_default();
    let most = if is_one { WINDOWS_OF_ONE } else { WINDOWS };
    let window = WINDOW.max(longest.div_ceil(most).next_multiple_of(50));
    let Some(drift) = drift.filter(|drift| *drift > 0) else { return window };
    let least = window.div_ceil(2);
    (least..=window).rev().find(|window| drift.is_multiple_of(*window)).unwrap_or(window)
}

/// The success of every group, phase by phase; and, where groups are comparable, how it
/// differs from that of the first.
pub fn curves(groups: &[Group], landmarks: &Landmarks, are_comparable: bool) -> Curves {
    let phases = groups.first().and_then(|group| group.samples.first());
    let phases = phases.map_or(&[][..], |sample| &sample.phases);
    let phases = phases.iter().filter(|phase| phase.iterations() > 0).map(PhaseTally::name);
    let mut curves = Curves::default();
    for phase in phases {
        let name = |kind: &str| format!("{kind}-{phase}");
        let success = success(groups, phase, landmarks);
        if !success.series.is_empty() {
            curves.pictures.push(Picture::of(name("success"), &success));
        }
        let differences = differences(groups, phase, landmarks);
        if !are_comparable || differences.series.is_empty() {
            continue;
        }
        let mut points = differences.series.iter().flat_map(|series| &series.points);
        if points.all(|point| point.y == 0.0 && point.half.unwrap_or(0.0) == 0.0) {
            let base = &groups[0].name;
            let text = format!("{phase}: no success curve differs from that of {base}.");
            curves.remarks.push(Block::Text(text));
        } else {
            curves.pictures.push(Picture::of(name("difference"), &differences));
        }
    }
    curves
}

fn success(groups: &[Group], phase: &str, landmarks: &Landmarks) -> LineChart {
    let drift = landmarks.drifts.get(phase).copied();
    let window = window(groups, phase, drift);
    let one = |(colour, group): (usize, &Group)| {
        let points = points(&comparison::mean_curve(group, phase, window, Confidence::P95));
        let few = (2..LEAST_FOR_BAND).contains(&group.samples.len());
        let runs = if few { runs(group, phase, window) } else { Vec::new() };
        LineSeries { name: group.name.clone(), colour, points, runs }
    };
    let series: Vec<_> = groups.iter().enumerate().map(one).collect();
    LineChart {
        title: format!("{phase}: success rate"),
        subtitle: subtitle(groups),
        x_label: "iteration".to_owned(),
        unit: Unit::Share,
        series: series.into_iter().filter(|series| !series.points.is_empty()).collect(),
        levels: landmarks.chance().into_iter().collect(),
        breaks: drift_break(drift),
    }
}

impl Landmarks {
    /// The success rate of choosing at random.
    #[expect(clippy::cast_precision_loss, reason = "a handful of actions")]
    fn chance(&self) -> Option<(f64, String)> {
        let actions = self.actions.filter(|actions| *actions > 0)?;
        Some((1.0 / actions as f64, "chance".to_owned()))
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
fn drift_break(drift: Option<u64>) -> Vec<(f64, String)> {
    drift.map(|drift| (drift as f64, "drift".to_owned())).into_iter().collect()
}

fn subtitle(groups: &[Group]) -> String {
    let most = groups.iter().map(|group| group.samples.len()).max().unwrap_or_default();
    match most {
        0 | 1 => "share of iterations with the preferred action, in windows".to_owned(),
        2..LEAST_FOR_BAND => format!("mean of {most} runs, and the runs themselves"),
        _ => {
            format!("mean of {most} runs; the band holds the whole curve in 95 of 100 experiments")
        }
    }
}

fn difference_subtitle(groups: &[Group]) -> &'static str {
    let fewest = groups.iter().map(|group| group.samples.len()).min().unwrap_or_default();
    if fewest < LEAST_FOR_BAND {
        "success rate minus that of the same seed; too few runs for a band"
    } else {
        "success rate minus that of the same seed; bands hold whole curves"
    }
}

/// Each run of a group, as a group of its own.
fn runs(group: &Group, phase: &str, window: u64) -> Vec<Vec<(f64, f64)>> {
    let alone = group.samples.iter().map(|sample| {
        let alone = Group { samples: vec![sample.clone()], ..group.clone() };
        let curve = comparison::mean_curve(&alone, phase, window, Confidence::P95);
        points(&curve).into_iter().map(|point| (point.x, point.y)).collect()
    });
    alone.collect()
}

fn differences(groups: &[Group], phase: &str, landmarks: &Landmarks) -> LineChart {
    let (base, others) =
        groups.split_first().map_or((None, groups), |(base, others)| (Some(base), others));
    let drift = landmarks.drifts.get(phase).copied();
    let window = window(groups, phase, drift);
    let one = |(colour, group): (usize, &Group)| {
        let base = base?;
        let curve = difference_curve(base, group, phase, window, Confidence::P95);
        let points = points(&curve);
        let name = group.name.clone();
        (!points.is_empty()).then(|| LineSeries { name, colour, points, runs: Vec::new() })
    };
    let series = others.iter().enumerate().filter_map(|(place, group)| one((place + 1, group)));
    let base = base.map_or("", |base| &base.name);
    LineChart {
        title: format!("{phase}: difference to {base}"),
        subtitle: difference_subtitle(groups).to_owned(),
        x_label: "iteration".to_owned(),
        unit: Unit::Difference,
        series: series.collect(),
        levels: Vec::new(),
        breaks: drift_break(drift),
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
fn points(curve: &[CurvePoint]) -> Vec<LinePoint> {
    let point = |point: &CurvePoint| LinePoint {
        x: point.last_iteration as f64 + 1.0,
        y: point.mean,
        half: point.simultaneous,
    };
    curve.iter().map(point).collect()
}
