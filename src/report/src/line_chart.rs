//! What a picture of lines shows, and where its values stand.

use super::chart::{Rect, Scale, columns, group_digits, nice_ceiling};

/// A picture of lines over a common axis.
#[derive(Debug, Clone, PartialEq)]
pub struct LineChart {
    /// What it shows.
    pub title: String,
    /// How it is to be read.
    pub subtitle: String,
    /// What lies from left to right.
    pub x_label: String,
    /// What the values are.
    pub unit: Unit,
    /// The lines.
    pub series: Vec<LineSeries>,
    /// Values to read the lines against, with their names.
    pub levels: Vec<(f64, String)>,
    /// Places at which the lines are broken, with their names.
    pub breaks: Vec<(f64, String)>,
    /// Places at which the lines are broken, since there is nothing between two points.
    pub gaps: Vec<f64>,
    /// Consecutive parts from left to right, at whose ends lines are broken; none, if there is but
    /// one thing.
    pub parts: Vec<LinePart>,
}

/// A part of the axis from left to right. Its ticks count from its beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct LinePart {
    /// What it is called.
    pub name: String,
    /// Where it begins; it ends where the next begins.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// Values to read the lines in it against, with their names.
    pub levels: Vec<(f64, String)>,
    /// Places that are marked at its foot, in rising order.
    pub marks: Vec<f64>,
}

/// What the values of a picture are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Shares from 0 to 1.
    Share,
    /// Differences of shares, with a line at zero.
    Difference,
    /// So many a second.
    PerSecond,
    /// Milliseconds.
    Milliseconds,
}

/// A line with its band.
#[derive(Debug, Clone, PartialEq)]
pub struct LineSeries {
    /// What it is called.
    pub name: String,
    /// Which colour it has: lines of one colour belong together across pictures.
    pub colour: usize,
    /// From left to right.
    pub points: Vec<LinePoint>,
    /// The runs that the line is the mean of, where they are too few for a band.
    pub runs: Vec<Vec<(f64, f64)>>,
}

/// A point of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinePoint {
    /// Where.
    pub x: f64,
    /// The value.
    pub y: f64,
    /// Half the width of the band.
    pub half: Option<f64>,
}

impl Unit {
    /// A value, for people.
    #[must_use]
    pub fn text(self, value: f64) -> String {
        let least = if self == Self::Share { 1.0 } else { 10.0 };
        let is_small = self.written_as(value).abs() < least;
        self.with_digits(value, usize::from(is_small))
    }

    /// The number that is written for a value.
    fn written_as(self, value: f64) -> f64 {
        match self {
            Self::Share | Self::Difference => value * 100.0,
            Self::PerSecond | Self::Milliseconds => value,
        }
    }

    /// A value with so many digits behind the point; none, if it is zero.
    pub(crate) fn with_digits(self, value: f64, digits: usize) -> String {
        let written = self.written_as(value);
        let digits = if written == 0.0 { 0 } else { digits };
        match self {
            Self::Share => format!("{written:.digits$}\u{a0}%"),
            Self::Difference if written == 0.0 => "0\u{a0}pp".to_owned(),
            Self::Difference => {
                let sign = if written < 0.0 { "−" } else { "+" };
                format!("{sign}{:.digits$}\u{a0}pp", written.abs())
            }
            Self::PerSecond | Self::Milliseconds => format!("{written:.digits$}"),
        }
    }

    /// So many digits behind the point tell the multiples of a step apart.
    pub(crate) fn digits_of(self, step: f64) -> usize {
        const MOST: usize = 6;
        let mut scaled = self.written_as(step);
        for digits in 0..MOST {
            if (scaled - libm::round(scaled)).abs() < 1e-6 * scaled {
                return digits;
            }
            scaled *= 10.0;
        }
        MOST
    }
}

impl LineChart {
    /// Where the values from left to right stand.
    pub(crate) fn ruler(&self) -> Ruler<'_> {
        Ruler { chart: self, domain: self.x_domain(), columns: self.columns() }
    }

    /// The number of the part that a value is in. What is at the end of a part belongs to it.
    fn part(&self, x: f64) -> Option<usize> {
        let number = self.parts.iter().position(|part| x <= part.to);
        number.or(self.parts.len().checked_sub(1))
    }

    /// From where to where each part goes, as shares of the width of the plot.
    pub(crate) fn columns(&self) -> Vec<(f64, f64)> {
        const LEAST: f64 = 0.28;
        const MOST_GAPS: f64 = 0.2;
        let whole = Rect { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };
        let weights: Vec<f64> =
            self.parts.iter().map(|part| (part.to - part.from).max(1.0)).collect();
        let gaps: Vec<f64> = weights.iter().skip(1).map(|_| 0.02).collect();
        let squeeze = (MOST_GAPS / gaps.iter().sum::<f64>()).min(1.0);
        let gaps: Vec<f64> = gaps.into_iter().map(|gap| gap * squeeze).collect();
        columns(whole, &weights, &gaps, LEAST).iter().map(|area| (area.left, area.right)).collect()
    }

    /// What is at a place, in words: `iteration 1,000`, or `baseline, iteration 1,000`.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "iterations and seconds are not negative"
    )]
    pub(crate) fn place_in_words(&self, x: f64) -> String {
        let at = |x: f64| format!("{} {}", self.x_label, group_digits(x as u64));
        match self.part(x).map(|number| &self.parts[number]) {
            Some(part) if self.parts.len() > 1 => {
                format!("{}, {}", part.name, at(x - part.from))
            }
            _ => at(x),
        }
    }

    /// From where to where the lines go.
    pub(crate) fn x_domain(&self) -> (f64, f64) {
        let xs = self.series.iter().flat_map(|series| &series.points).map(|point| point.x);
        let (low, high) = extent(xs);
        if high > low { (low, high) } else { (low, low + 1.0) }
    }

    /// Where lines are broken.
    pub(crate) fn broken_at(&self) -> Vec<f64> {
        let inner = self.parts.iter().skip(1).map(|part| part.from);
        let gaps = self.gaps.iter().copied();
        self.breaks.iter().map(|(at, _)| *at).chain(gaps).chain(inner).collect()
    }

    pub(crate) fn y_scale(&self, plot: Rect) -> Scale {
        let range = (plot.bottom, plot.top);
        let of_point = |point: &LinePoint| {
            let half = point.half.unwrap_or(0.0);
            [point.y - half, point.y + half]
        };
        let points = self.series.iter().flat_map(|series| &series.points).flat_map(of_point);
        let runs = self.series.iter().flat_map(|series| &series.runs).flatten().map(|run| run.1);
        let (low, high) = extent(points.chain(runs));
        match self.unit {
            Unit::Share => Scale::linear((0.0, 1.0), range),
            Unit::Difference => {
                let (low, high) = (low.min(0.0), high.max(0.0));
                let step = nice_ceiling((high - low).max(0.01) / 6.0);
                let ends = (libm::floor(low / step) * step, libm::ceil(high / step) * step);
                Scale::linear(ends, range)
            }
            Unit::PerSecond | Unit::Milliseconds => {
                let step = nice_ceiling(high.max(1e-3) / 6.0);
                Scale::linear((0.0, libm::ceil(high / step) * step), range)
            }
        }
    }

    /// The levels of all parts, each once.
    pub(crate) fn all_levels(&self) -> Vec<&(f64, String)> {
        let mut different: Vec<&(f64, String)> = Vec::new();
        for level in self.levels.iter().chain(self.parts.iter().flat_map(|part| &part.levels)) {
            if !different.contains(&level) {
                different.push(level);
            }
        }
        different
    }

    /// The levels that hold at the right edge.
    pub(crate) fn last_levels(&self) -> impl Iterator<Item = &(f64, String)> {
        self.levels.iter().chain(self.parts.last().map_or(&[][..], |part| &part.levels))
    }

    /// Whether a level is named at the right edge.
    pub(crate) fn is_last(&self, level: &(f64, String)) -> bool {
        self.last_levels().any(|last| last == level)
    }
}

/// Tells where the values of a chart stand from left to right.
pub(crate) struct Ruler<'a> {
    chart: &'a LineChart,
    /// From where to where the lines go.
    domain: (f64, f64),
    /// From where to where each part goes, as shares of the width of the plot.
    columns: Vec<(f64, f64)>,
}

impl Ruler<'_> {
    /// Where a value stands, as a share of the width of the plot.
    pub(crate) fn share(&self, x: f64) -> f64 {
        let Some(number) = self.chart.part(x) else {
            let (low, high) = self.domain;
            return ((x - low) / (high - low)).clamp(0.0, 1.0);
        };
        let (part, (from, to)) = (&self.chart.parts[number], self.columns[number]);
        let within = (x - part.from) / (part.to - part.from).max(f64::MIN_POSITIVE);
        from + within.clamp(0.0, 1.0) * (to - from)
    }
}

/// The least and the greatest; zero and one of nothing.
fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let ends = finite.fold(None, |ends: Option<(f64, f64)>, value| {
        Some(ends.map_or((value, value), |(low, high)| (low.min(value), high.max(value))))
    });
    ends.unwrap_or((0.0, 1.0))
}
