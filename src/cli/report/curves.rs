use super::Picture;
use super::landmarks::Landmarks;
use comparison::{self, CurvePoint, Group, difference_curve};
use metrics::PhaseTally;
use report::html::Block;
use report::{LineChart, LinePart, LinePoint, LineSeries, Unit};
use statistics::Confidence;

/// With fewer runs a band says nothing, and the runs themselves are drawn.
const LEAST_FOR_BAND: usize = 5;

/// The fewest iterations that make a point.
const WINDOW: u64 = 50;

/// The most points of the mean of several runs: more look like a comb.
const WINDOWS: u64 = 60;

/// One run is cut into so many windows: in shorter ones it is mostly luck.
const WINDOWS_OF_ONE: u64 = 40;

/// The curves of a report.
#[derive(Default)]
pub struct Curves {
    pub pictures: Vec<Picture>,
    /// Differences that are nothing, in words.
    pub remarks: Vec<Block>,
}

/// The iterations that make a point. A window ends at a drift, if one of about this size can.
fn window(groups: &[Group], phase: &str, drift: Option<u64>) -> u64 {
    let is_one = groups.iter().all(|group| group.samples.len() < LEAST_FOR_BAND);
    let most = if is_one { WINDOWS_OF_ONE } else { WINDOWS };
    let window = WINDOW.max(longest(groups, phase).div_ceil(most).next_multiple_of(50));
    let Some(drift) = drift.filter(|drift| *drift > 0) else { return window };
    let least = window.div_ceil(2);
    (least..=window).rev().find(|window| drift.is_multiple_of(*window)).unwrap_or(window)
}

/// The success of every group, all phases in one picture; and, where groups are comparable, how it
/// differs from that of the first.
pub fn curves(groups: &[Group], landmarks: &Landmarks, are_comparable: bool) -> Curves {
    let mut curves = Curves::default();
    let phases = phases(groups, landmarks);
    let success = success(groups, &phases, landmarks);
    if !success.series.is_empty() {
        curves.pictures.push(Picture::of("success".to_owned(), &success));
    }
    let differences = differences(groups, &phases);
    if !are_comparable || differences.series.is_empty() {
        return curves;
    }
    let mut points = differences.series.iter().flat_map(|series| &series.points);
    if points.all(|point| point.y == 0.0 && point.half.unwrap_or(0.0) == 0.0) {
        let base = &groups[0].name;
        curves.remarks.push(Block::Text(format!("No success curve differs from that of {base}.")));
    } else {
        curves.pictures.push(Picture::of("difference".to_owned(), &differences));
    }
    curves
}

/// A phase in the picture.
struct Phase<'a> {
    name: &'a str,
    /// The iterations before it.
    from: u64,
    iterations: u64,
    drift: Option<u64>,
    window: u64,
}

/// The phases that iterate, one after the other.
fn phases<'a>(groups: &'a [Group], landmarks: &Landmarks) -> Vec<Phase<'a>> {
    let first = groups.first().and_then(|group| group.samples.first());
    let tallies = first.map_or(&[][..], |sample| &sample.phases);
    let mut from = 0;
    let phase = |tally: &'a PhaseTally| {
        let name = tally.name();
        let drift = landmarks.drifts.get(name).copied();
        let (iterations, window) = (longest(groups, name), window(groups, name, drift));
        let phase = Phase { name, from, iterations, drift, window };
        from += iterations;
        phase
    };
    tallies.iter().filter(|tally| tally.iterations() > 0).map(phase).collect()
}

/// The most iterations of a phase.
fn longest(groups: &[Group], phase: &str) -> u64 {
    let samples = groups.iter().flat_map(|group| &group.samples);
    let tallies = samples.flat_map(|sample| sample.phases.iter()).filter(|of| of.name() == phase);
    tallies.map(PhaseTally::iterations).max().unwrap_or_default()
}

fn success(groups: &[Group], phases: &[Phase<'_>], landmarks: &Landmarks) -> LineChart {
    let one = |(colour, group): (usize, &Group)| {
        let points = in_phases(phases, |phase| {
            let confidence = Confidence::P95;
            points(phase, &comparison::mean_curve(group, phase.name, phase.window, confidence))
        });
        let few = (2..LEAST_FOR_BAND).contains(&group.samples.len());
        let runs = if few { runs(group, phases) } else { Vec::new() };
        LineSeries { name: name_of(group, groups), colour, points, runs }
    };
    let series = groups.iter().enumerate().map(one).filter(|series| !series.points.is_empty());
    LineChart {
        title: "Success rate".to_owned(),
        subtitle: subtitle(groups),
        x_label: "iteration".to_owned(),
        unit: Unit::Share,
        series: together(series),
        levels: Vec::new(),
        breaks: drifts(phases),
        gaps: Vec::new(),
        parts: phases.iter().map(|phase| part(phase, landmarks)).collect(),
    }
}

/// A run alone is its success; others are called by their names.
fn name_of(group: &Group, groups: &[Group]) -> String {
    match groups {
        [only] if only.samples.len() == 1 => "success".to_owned(),
        _ => group.name.clone(),
    }
}

/// Series that are the same, as one with the names of all: one would hide the other.
pub fn together(all: impl Iterator<Item = LineSeries>) -> Vec<LineSeries> {
    let mut different: Vec<LineSeries> = Vec::new();
    for series in all {
        match different.iter_mut().find(|other| other.points == series.points) {
            Some(same) => same.name = format!("{}, {}", same.name, series.name),
            None => different.push(series),
        }
    }
    different
}

fn in_phases<T>(phases: &[Phase<'_>], of: impl Fn(&Phase<'_>) -> Vec<T>) -> Vec<T> {
    phases.iter().flat_map(of).collect()
}

#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
fn part(phase: &Phase<'_>, landmarks: &Landmarks) -> LinePart {
    let Phase { name, from, iterations, .. } = *phase;
    let chance = landmarks.actions.filter(|actions| *actions > 0).map(|of| 1.0 / of as f64);
    let explored = landmarks.explored.get(name).into_iter().flatten();
    // A policy that always knows best: 1 - ε + ε/K.
    let ceilings = explored
        .zip(chance.iter().cycle())
        .map(|(share, chance)| (1.0 - share * (1.0 - chance), "ceiling".to_owned()));
    let marks = landmarks.exports.get(name).into_iter().flatten();
    LinePart {
        name: name.to_owned(),
        from: from as f64,
        to: (from + iterations) as f64,
        levels: chance
            .map(|chance| (chance, "chance".to_owned()))
            .into_iter()
            .chain(ceilings)
            .collect(),
        marks: marks.map(|at| (from + at) as f64).collect(),
    }
}

/// A part with nothing but its name: what success is read against says nothing of differences.
fn plain_part(phase: &Phase<'_>) -> LinePart {
    LinePart { levels: Vec::new(), marks: Vec::new(), ..part(phase, &Landmarks::default()) }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
fn drifts(phases: &[Phase<'_>]) -> Vec<(f64, String)> {
    let drift = |phase: &Phase<'_>| Some(((phase.from + phase.drift?) as f64, "drift".to_owned()));
    phases.iter().filter_map(drift).collect()
}

fn subtitle(groups: &[Group]) -> String {
    let most = groups.iter().map(|group| group.samples.len()).max().unwrap_or_default();
    match most {
        0 | 1 => "share of iterations with the preferred action, in windows".to_owned(),
        2..LEAST_FOR_BAND => format!("mean of {most} runs, and the runs themselves"),
        _ => format!(
            "mean of {most} runs; a band holds the curve of a phase in 95 of 100 experiments"
        ),
    }
}

fn difference_subtitle(groups: &[Group]) -> &'static str {
    let fewest = groups.iter().map(|group| group.samples.len()).min().unwrap_or_default();
    if fewest < LEAST_FOR_BAND {
        "success rate minus that of the same seed; too few runs for a band"
    } else {
        "success rate minus that of the same seed; bands hold the curves of phases"
    }
}

/// Each run of a group, as a group of its own.
fn runs(group: &Group, phases: &[Phase<'_>]) -> Vec<Vec<(f64, f64)>> {
    let alone = group.samples.iter().map(|sample| {
        let alone = Group { samples: vec![sample.clone()], ..group.clone() };
        in_phases(phases, |phase| {
            let curve = comparison::mean_curve(&alone, phase.name, phase.window, Confidence::P95);
            points(phase, &curve).into_iter().map(|point| (point.x, point.y)).collect()
        })
    });
    alone.collect()
}

fn differences(groups: &[Group], phases: &[Phase<'_>]) -> LineChart {
    let (base, others) =
        groups.split_first().map_or((None, groups), |(base, others)| (Some(base), others));
    let one = |(colour, group): (usize, &Group)| {
        let base = base?;
        let points = in_phases(phases, |phase| {
            let confidence = Confidence::P95;
            points(phase, &difference_curve(base, group, phase.name, phase.window, confidence))
        });
        let name = group.name.clone();
        (!points.is_empty()).then(|| LineSeries { name, colour, points, runs: Vec::new() })
    };
    let series = others.iter().enumerate().filter_map(|(place, group)| one((place + 1, group)));
    let base = base.map_or("", |base| &base.name);
    LineChart {
        title: format!("Difference to {base}"),
        subtitle: difference_subtitle(groups).to_owned(),
        x_label: "iteration".to_owned(),
        unit: Unit::Difference,
        series: together(series),
        levels: Vec::new(),
        breaks: drifts(phases),
        gaps: Vec::new(),
        parts: phases.iter().map(plain_part).collect(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
fn points(phase: &Phase<'_>, curve: &[CurvePoint]) -> Vec<LinePoint> {
    let point = |point: &CurvePoint| LinePoint {
        x: (phase.from + point.last_iteration + 1) as f64,
        y: point.mean,
        half: point.simultaneous,
    };
    curve.iter().map(point).collect()
}
