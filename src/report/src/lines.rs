use super::chart::{
    Anchor, Canvas, Element, Frame, Ink, Label, Point, Rect, Scale, Size, Tick, band, fit,
    group_digits, line, nice_ceiling, percent, rule, spread,
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
    /// Values to read the lines against, with their names.
    pub levels: Vec<(f64, String)>,
    /// Places at which the lines are broken, with their names.
    pub breaks: Vec<(f64, String)>,
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

const BAND_OPACITY: f64 = 0.16;

/// The size of a picture, for a kind of screen. Texts have the same size in all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    width: f64,
    height: f64,
    /// Where the lines are.
    plot: Rect,
    /// Whether the names of the lines stand beside them.
    has_names: bool,
}

impl Layout {
    /// For a page or a large screen.
    pub const WIDE: Self = Self {
        width: 960.0,
        height: 430.0,
        plot: Rect { left: 84.0, top: 84.0, right: 790.0, bottom: 366.0 },
        has_names: true,
    };

    /// For a phone; the names of the lines are to be shown outside.
    pub const NARROW: Self = Self {
        width: 400.0,
        height: 330.0,
        plot: Rect { left: 76.0, top: 70.0, right: 366.0, bottom: 266.0 },
        has_names: false,
    };

    /// Where the lines begin and end, as shares of the width.
    pub(crate) fn ends(&self) -> [f64; 2] {
        [self.plot.left, self.plot.right].map(|x| x / self.width)
    }
}

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

    fn y_scale(&self, plot: Rect) -> Scale {
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

    fn frame(&self, plot: Rect) -> Frame {
        let x = Scale::linear(self.x_domain(), (plot.left, plot.right));
        Frame { area: plot, x, y: self.y_scale(plot) }
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

/// Draws lines with their bands, each with its name where it ends, if the layout has room.
#[must_use]
pub fn line_svg(chart: &LineChart, layout: Layout) -> String {
    let Layout { width, height, plot, has_names } = layout;
    let mut canvas = Canvas::new(width, height, &chart.title, description(chart));
    let frame = chart.frame(plot);
    canvas.add(heading(chart, layout));
    canvas.add(frame.grid(&y_ticks(chart, &frame)));
    if chart.unit == Unit::Difference {
        canvas.add(frame.level(0.0, Ink::Muted, None));
    }
    canvas.add(frame.left_axis(&y_ticks(chart, &frame)));
    canvas.add(frame.bottom_axis(&x_ticks(&frame)));
    let at = Point { x: plot.middle(), y: height - 12.0 };
    canvas.add(Label::new(&chart.x_label, at).anchor(Anchor::Middle).ink(Ink::Muted).element());
    canvas.add(landmarks(chart, &frame));
    for series in &chart.series {
        canvas.add(back(series, &frame, &chart.breaks));
    }
    for series in &chart.series {
        canvas.add(curve(series, &frame, &chart.breaks));
    }
    let names = if has_names { names(chart, &frame, width) } else { inner_names(chart, &frame) };
    for label in names {
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

fn heading(chart: &LineChart, layout: Layout) -> Element {
    let left = if layout.has_names { layout.plot.left } else { 4.0 };
    let room = layout.width - left - 20.0;
    let at = |y| Point { x: left, y };
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
    let most = if frame.area.width() > 500.0 { 7 } else { 4 };
    frame.x.whole_ticks(most).into_iter().map(tick).collect()
}

/// The levels and the breaks; breaks have their names.
fn landmarks(chart: &LineChart, frame: &Frame) -> Element {
    let level = |(value, _): &(f64, String)| frame.level(*value, Ink::Muted, Some("2 4"));
    let broken = |(at, name): &(f64, String)| {
        let x = frame.x.at(*at);
        let [top, bottom] = [frame.area.top, frame.area.bottom].map(|y| Point { x, y });
        let place = Point { x: x + 5.0, y: frame.area.top + 12.0 };
        let label = Label::new(name, place).ink(Ink::Muted).halo().element();
        [rule(top, bottom, Ink::Strong, Some("5 3")), label]
    };
    let levels = chart.levels.iter().map(level);
    Element::new("g").children(levels).children(chart.breaks.iter().flat_map(broken))
}

/// The values at points, with nothing between those on both sides of a break.
fn broken<T>(
    points: impl Iterator<Item = (f64, Option<T>)>,
    breaks: &[(f64, String)],
) -> Vec<Option<T>> {
    let mut values = Vec::new();
    let mut before = f64::NEG_INFINITY;
    for (x, value) in points {
        // A window that ends at a break belongs to what is before it.
        if breaks.iter().any(|(at, _)| before <= *at && *at < x) && !values.is_empty() {
            values.push(None);
        }
        values.push(value);
        before = x;
    }
    values
}

fn back(series: &LineSeries, frame: &Frame, breaks: &[(f64, String)]) -> Element {
    let edge = |point: &LinePoint| {
        let half = point.half?;
        Some((frame.point(point.x, point.y + half), frame.point(point.x, point.y - half)))
    };
    let edges = broken(series.points.iter().map(|point| (point.x, edge(point))), breaks);
    let ink = Ink::Series(series.colour);
    let run = |run: &Vec<(f64, f64)>| {
        let points = broken(run.iter().map(|(x, y)| (*x, Some(frame.point(*x, *y)))), breaks);
        line(&points, ink, 1.0).at("stroke-opacity", 0.45)
    };
    Element::new("g").child(band(&edges, ink, BAND_OPACITY)).children(series.runs.iter().map(run))
}

fn curve(series: &LineSeries, frame: &Frame, breaks: &[(f64, String)]) -> Element {
    let place = |point: &LinePoint| (point.x, Some(frame.point(point.x, point.y)));
    let points = broken(series.points.iter().map(place), breaks);
    line(&points, Ink::Series(series.colour), 2.5).tooltip(&series.name)
}

/// A name beside the plot.
struct EndLabel<'a> {
    name: &'a str,
    value: f64,
    ink: Ink,
}

/// The names of the lines and of the levels, to the right of the plot.
fn names(chart: &LineChart, frame: &Frame, width: f64) -> Vec<Element> {
    const LINE: f64 = 19.0;
    let Rect { top, bottom, right, .. } = frame.area;
    let series = chart.series.iter().filter_map(|series| {
        let value = series.points.last()?.y;
        Some(EndLabel { name: &series.name, value, ink: Ink::Series(series.colour) })
    });
    let levels = chart.levels.iter();
    let levels = levels.map(|(value, name)| EndLabel { name, value: *value, ink: Ink::Muted });
    let ends: Vec<EndLabel<'_>> = series.chain(levels).collect();
    let wanted: Vec<f64> = ends.iter().map(|end| frame.y.at(end.value)).collect();
    let placed = spread(&wanted, &vec![LINE; wanted.len()], top - LINE, bottom + LINE);
    let label = |(end, y): (&EndLabel<'_>, f64)| {
        let left = right + 10.0;
        let value = chart.unit.text(end.value);
        let room = width - left - super::chart::width(&value, Size::Body.units()) - 10.0;
        let name = fit(end.name, Size::Body.units() * 1.06, room);
        let at = Point { x: left, y: y + 5.0 };
        let label = Label::new(format!("{name} {value}"), at);
        label.ink(end.ink).bold().element().tooltip(end.name)
    };
    ends.iter().zip(placed).map(label).collect()
}

/// The names of the levels, within the plot.
fn inner_names(chart: &LineChart, frame: &Frame) -> Vec<Element> {
    let name = |(value, name): &(f64, String)| {
        let at = Point { x: frame.area.right, y: frame.y.at(*value) - 4.0 };
        Label::new(name, at).anchor(Anchor::End).ink(Ink::Muted).halo().element()
    };
    chart.levels.iter().map(name).collect()
}
