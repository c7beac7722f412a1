use super::chart::{
    Anchor, Canvas, Element, Frame, Ink, Label, Point, Rect, Scale, Size, Tick, band, fit,
    group_digits, line, nice_ceiling, percent, spread,
};

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

/// The width of a picture.
pub(crate) const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 430.0;
const BAND_OPACITY: f64 = 0.16;

/// Where the lines are.
pub(crate) const PLOT: Rect = Rect { left: 84.0, top: 84.0, right: 790.0, bottom: 366.0 };

impl Unit {
    /// A value, for people.
    #[must_use]
    pub fn text(self, value: f64) -> String {
        match self {
            Self::Share => percent(value),
            Self::Difference => {
                let sign = if value < 0.0 { "−" } else { "+" };
                format!("{sign}{:.0}\u{a0}pp", value.abs() * 100.0)
            }
            Self::PerSecond | Self::Milliseconds if value != 0.0 && value.abs() < 10.0 => {
                format!("{value:.1}")
            }
            Self::PerSecond | Self::Milliseconds => format!("{value:.0}"),
        }
    }
}

impl LineChart {
    /// From where to where the lines go.
    #[must_use]
    pub fn x_domain(&self) -> (f64, f64) {
        let xs = self.series.iter().flat_map(|series| &series.points).map(|point| point.x);
        let (low, high) = extent(xs);
        if high > low { (low, high) } else { (low, low + 1.0) }
    }

    fn y_scale(&self) -> Scale {
        let range = (PLOT.bottom, PLOT.top);
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

    fn frame(&self) -> Frame {
        let x = Scale::linear(self.x_domain(), (PLOT.left, PLOT.right));
        Frame { area: PLOT, x, y: self.y_scale() }
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

/// Draws lines with their bands, each with its name where it ends.
#[must_use]
pub fn line_svg(chart: &LineChart) -> String {
    let mut canvas = Canvas::new(WIDTH, HEIGHT, &chart.title, description(chart));
    let frame = chart.frame();
    canvas.add(heading(chart));
    canvas.add(frame.grid(&y_ticks(chart, &frame)));
    if chart.unit == Unit::Difference {
        canvas.add(frame.level(0.0, Ink::Muted, None));
    }
    canvas.add(frame.left_axis(&y_ticks(chart, &frame)));
    canvas.add(frame.bottom_axis(&x_ticks(&frame)));
    let at = Point { x: PLOT.middle(), y: HEIGHT - 12.0 };
    canvas.add(Label::new(&chart.x_label, at).anchor(Anchor::Middle).ink(Ink::Muted).element());
    for series in &chart.series {
        canvas.add(back(series, &frame));
    }
    for series in &chart.series {
        canvas.add(curve(series, &frame));
    }
    for label in names(chart, &frame) {
        canvas.add(label);
    }
    canvas.into_svg()
}

/// The picture in words.
fn description(chart: &LineChart) -> String {
    let sentence = |series: &LineSeries| {
        let last = series.points.last()?;
        Some(format!("{} ends at {}.", series.name, chart.unit.text(last.y)))
    };
    chart.series.iter().filter_map(sentence).collect::<Vec<_>>().join(" ")
}

fn heading(chart: &LineChart) -> Element {
    let room = WIDTH - PLOT.left - 20.0;
    let at = |y| Point { x: PLOT.left, y };
    let title = fit(&chart.title, Size::Heading.units() * 1.06, room);
    let subtitle = fit(&chart.subtitle, Size::Body.units(), room);
    Element::new("g")
        .child(Label::new(title, at(28.0)).size(Size::Heading).bold().element())
        .child(Label::new(subtitle, at(52.0)).ink(Ink::Muted).element())
}

fn y_ticks(chart: &LineChart, frame: &Frame) -> Vec<Tick> {
    let tick = |value: f64| Tick { value, label: chart.unit.text(value) };
    frame.y.ticks(8).into_iter().map(tick).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ticks of iterations and seconds are whole and not negative"
)]
fn x_ticks(frame: &Frame) -> Vec<Tick> {
    let tick = |value: f64| Tick { value, label: group_digits(value as u64) };
    frame.x.whole_ticks(7).into_iter().map(tick).collect()
}

fn back(series: &LineSeries, frame: &Frame) -> Element {
    let edge = |point: &LinePoint| {
        let half = point.half?;
        Some((frame.point(point.x, point.y + half), frame.point(point.x, point.y - half)))
    };
    let edges: Vec<_> = series.points.iter().map(edge).collect();
    let ink = Ink::Series(series.colour);
    let run = |run: &Vec<(f64, f64)>| {
        let points: Vec<_> = run.iter().map(|(x, y)| Some(frame.point(*x, *y))).collect();
        line(&points, ink, 1.0).at("stroke-opacity", 0.45)
    };
    Element::new("g").child(band(&edges, ink, BAND_OPACITY)).children(series.runs.iter().map(run))
}

fn curve(series: &LineSeries, frame: &Frame) -> Element {
    let points = series.points.iter().map(|point| Some(frame.point(point.x, point.y)));
    let points: Vec<_> = points.collect();
    line(&points, Ink::Series(series.colour), 2.5).tooltip(&series.name)
}

/// The names of the lines, where they end.
fn names(chart: &LineChart, frame: &Frame) -> Vec<Element> {
    const LINE: f64 = 19.0;
    let ends = chart.series.iter().filter_map(|series| Some((series, series.points.last()?)));
    let ends: Vec<_> = ends.collect();
    let wanted: Vec<f64> = ends.iter().map(|(_, last)| frame.y.at(last.y)).collect();
    let (low, high) = (PLOT.top - LINE, PLOT.bottom + LINE);
    let placed = spread(&wanted, &vec![LINE; wanted.len()], low, high);
    let label = |((series, last), y): (&(&LineSeries, &LinePoint), f64)| {
        let left = PLOT.right + 10.0;
        let value = chart.unit.text(last.y);
        let room = WIDTH - left - super::chart::width(&value, Size::Body.units()) - 10.0;
        let name = fit(&series.name, Size::Body.units() * 1.06, room);
        let at = Point { x: left, y: y + 5.0 };
        let name = Label::new(format!("{name} {value}"), at);
        name.ink(Ink::Series(series.colour)).bold().element().tooltip(&series.name)
    };
    ends.iter().zip(placed).map(label).collect()
}
