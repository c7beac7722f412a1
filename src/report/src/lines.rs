//! Draws a picture of lines.

use super::chart::{
    Anchor, Canvas, Element, Frame, Ink, Label, Point, Rect, Scale, Size, Svg, Tick, band, fit,
    folded, group_digits, line, rule, segment, spread,
};
use super::line_chart::{LineChart, LinePart, LinePoint, LineSeries, Ruler, Unit};

const BAND_OPACITY: f64 = 0.16;

/// From the lines to their names.
const BESIDE: f64 = 10.0;

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
        height: 364.0,
        plot: Rect { left: 76.0, top: 104.0, right: 366.0, bottom: 300.0 },
        has_names: false,
    };

    /// From the lines to the edge of the picture, where their names stand.
    fn room(&self) -> f64 {
        self.width - self.plot.right - BESIDE
    }

    /// Where the lines begin and end, as shares of the width.
    pub(crate) fn ends(&self) -> [f64; 2] {
        [self.plot.left, self.plot.right].map(|x| x / self.width)
    }
}

impl LineChart {
    /// The plot; what stands in it from left to right are shares of its width.
    fn frame(&self, plot: Rect) -> Frame {
        let x = Scale::linear((0.0, 1.0), (plot.left, plot.right));
        Frame { area: plot, x, y: self.y_scale(plot) }
    }

    /// Each part of the plot with its own axis; the plot itself, if it has none.
    fn panels(&self, plot: Rect) -> Vec<Panel<'_>> {
        let y = self.y_scale(plot);
        if self.parts.is_empty() {
            let x = Scale::linear(self.x_domain(), (plot.left, plot.right));
            return vec![Panel { part: None, frame: Frame { area: plot, x, y } }];
        }
        let panel = |(part, (from, to)): (_, (f64, f64))| {
            let part: &LinePart = part;
            let [left, right] = [from, to].map(|share| plot.left + share * plot.width());
            let length = (part.to - part.from).max(1.0);
            let x = Scale::linear((0.0, length), (left, right));
            let frame = Frame { area: Rect { left, right, ..plot }, x, y };
            Panel { part: Some(part), frame }
        };
        self.parts.iter().zip(self.columns()).map(panel).collect()
    }

    /// Whether a name to the right of the lines is longer than its room, or has none.
    pub(crate) fn cuts_names(&self, layout: Layout) -> bool {
        let cuts = |end: EndLabel<'_>| end.fitting_name(self.unit, layout.room()) != end.name;
        let is_full = ends(self).count() > most_names(layout.plot);
        layout.has_names && (is_full || ends(self).any(cuts))
    }
}

/// A part of the plot.
struct Panel<'a> {
    part: Option<&'a LinePart>,
    frame: Frame,
}

impl Panel<'_> {
    /// What the lines in it are read against, and its name.
    fn back(&self) -> Element {
        let Self { part: Some(part), frame } = self else { return Element::new("g") };
        let level = |(value, _): &(f64, String)| frame.level(*value, Ink::Muted, Some("2 4"));
        Element::new("g").children(part.levels.iter().map(level)).children(self.marks())
    }

    fn marks(&self) -> Option<Element> {
        const APART: f64 = 4.0;
        let part = self.part.filter(|part| !part.marks.is_empty())?;
        let bottom = self.frame.area.bottom;
        let places = part.marks.iter().map(|at| self.frame.x.at(*at - part.from));
        let mut shown: Vec<f64> = Vec::new();
        for x in places {
            if shown.last().is_none_or(|last| x - last >= APART) {
                shown.push(x);
            }
        }
        let mark = |x: f64| {
            segment(Point { x, y: bottom - 10.0 }, Point { x, y: bottom }, Ink::Strong, 2.0)
        };
        Some(Element::new("g").children(shown.into_iter().map(mark)))
    }

    fn name(&self) -> Option<Element> {
        let Rect { left, right, top, .. } = self.frame.area;
        let name = &self.part?.name;
        let short = fit(name, Size::Body.units() * 1.06, right - left);
        let label = Label::new(short, Point { x: left, y: top - 10.0 }).bold().ink(Ink::Muted);
        Some(label.element().tooltip(name))
    }
}

/// Draws lines with their bands, each with its name where it ends, if the layout has room.
#[must_use]
pub fn line_svg(chart: &LineChart, layout: Layout) -> Svg {
    let Layout { width, height, plot, has_names } = layout;
    let mut canvas = Canvas::new(width, height, &chart.title, description(chart));
    let frame = chart.frame(plot);
    canvas.add(heading(chart, layout));
    canvas.add(frame.grid(&y_ticks(chart, &frame)));
    if chart.unit == Unit::Difference {
        canvas.add(frame.level(0.0, Ink::Muted, None));
    }
    canvas.add(frame.left_axis(&y_ticks(chart, &frame)));
    let panels = chart.panels(plot);
    let ticks = x_ticks(&panels, width);
    for (panel, ticks) in panels.iter().zip(&ticks) {
        canvas.add(panel.frame.bottom_axis(ticks));
        canvas.add(panel.back());
    }
    if panels.len() > 1 {
        for name in panels.iter().filter_map(Panel::name) {
            canvas.add(name);
        }
    }
    let at = Point { x: plot.middle(), y: height - 12.0 };
    let label = x_label(chart);
    canvas.add(Label::new(label, at).anchor(Anchor::Middle).ink(Ink::Muted).element());
    let lines = Lines { ruler: chart.ruler(), frame: &frame, breaks: chart.broken_at() };
    canvas.add(landmarks(chart, &lines));
    for series in &chart.series {
        canvas.add(lines.back(series));
    }
    for series in &chart.series {
        canvas.add(lines.curve(series));
    }
    let outer = if has_names { names(chart, &frame, layout.room()) } else { Vec::new() };
    for label in outer.into_iter().chain(inner_names(chart, &panels)) {
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

/// The words of the axis from left to right.
fn x_label(chart: &LineChart) -> String {
    let has_marks = chart.parts.iter().any(|part| !part.marks.is_empty());
    let marks = if has_marks { "; marked: a new model" } else { "" };
    format!("{}{marks}", chart.x_label)
}

/// The title, and below it how the picture is to be read, in two lines at most.
fn heading(chart: &LineChart, layout: Layout) -> Element {
    let left = if layout.has_names { layout.plot.left } else { 4.0 };
    let room = layout.width - left - 4.0;
    let at = |y| Point { x: left, y };
    let title = fit(&chart.title, Size::Heading.units() * 1.15, room);
    let lines = folded(&chart.subtitle, Size::Body.units(), room, 2);
    let subtitle = lines.into_iter().zip([50.0, 50.0 + LINE]);
    Element::new("g")
        .child(Label::new(title, at(28.0)).size(Size::Heading).bold().element())
        .children(subtitle.map(|(text, y)| Label::new(text, at(y)).ink(Ink::Muted).element()))
}

fn y_ticks(chart: &LineChart, frame: &Frame) -> Vec<Tick> {
    let values = frame.y.ticks(8);
    let step = values.windows(2).next().map_or(1.0, |pair| pair[1] - pair[0]);
    let digits = chart.unit.digits_of(step);
    let tick = |value: f64| Tick { value, label: chart.unit.with_digits(value, digits) };
    values.into_iter().map(tick).collect()
}

/// The ticks of each panel, but those whose labels would touch the one before or leave a picture of
/// this width.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ticks of iterations and seconds are whole and not negative"
)]
fn x_ticks(panels: &[Panel<'_>], width: f64) -> Vec<Vec<Tick>> {
    const APART: f64 = 10.0;
    let mut end = f64::NEG_INFINITY;
    let mut of_panel = |Panel { frame, .. }: &Panel<'_>| {
        let most = if frame.area.width() > 500.0 { 7 } else { 4 };
        let tick = |value: f64| Tick { value, label: group_digits(value as u64) };
        let mut ticks: Vec<Tick> = frame.x.whole_ticks(most).into_iter().map(tick).collect();
        ticks.retain(|tick| {
            let half = super::chart::width(&tick.label, Size::Body.units()) / 2.0;
            let at = frame.x.at(tick.value);
            let has_room = at - half > end + APART && at + half < width;
            if has_room {
                end = at + half;
            }
            has_room
        });
        ticks
    };
    panels.iter().map(&mut of_panel).collect()
}

/// The levels and the breaks; breaks have their names.
fn landmarks(chart: &LineChart, lines: &Lines<'_>) -> Element {
    let frame = lines.frame;
    let level = |(value, _): &(f64, String)| frame.level(*value, Ink::Muted, Some("2 4"));
    let broken = |(at, name): &(f64, String)| {
        let x = frame.x.at(lines.ruler.share(*at));
        let [top, bottom] = [frame.area.top, frame.area.bottom].map(|y| Point { x, y });
        let room = super::chart::width(name, Size::Body.units()) + 5.0;
        // Beyond the right edge are the names of the lines.
        let (x, anchor) = if x + room > frame.area.right {
            (x - 5.0, Anchor::End)
        } else {
            (x + 5.0, Anchor::Start)
        };
        let place = Point { x, y: frame.area.top + 12.0 };
        let label = Label::new(name, place).anchor(anchor).ink(Ink::Muted).halo().element();
        [rule(top, bottom, Ink::Strong, Some("5 3")), label]
    };
    let levels = chart.levels.iter().map(level);
    Element::new("g").children(levels).children(chart.breaks.iter().flat_map(broken))
}

/// The values at points, with nothing between those on both sides of a break.
fn broken<T>(points: impl Iterator<Item = (f64, Option<T>)>, breaks: &[f64]) -> Vec<Option<T>> {
    let mut values = Vec::new();
    let mut before = f64::NEG_INFINITY;
    for (x, value) in points {
        // A window that ends at a break belongs to what is before it.
        if breaks.iter().any(|at| before <= *at && *at < x) && !values.is_empty() {
            values.push(None);
        }
        values.push(value);
        before = x;
    }
    values
}

/// The lines of a chart in its plot.
struct Lines<'a> {
    ruler: Ruler<'a>,
    frame: &'a Frame,
    breaks: Vec<f64>,
}

impl Lines<'_> {
    fn point(&self, x: f64, y: f64) -> Point {
        self.frame.point(self.ruler.share(x), y)
    }

    fn back(&self, series: &LineSeries) -> Element {
        let edge = |point: &LinePoint| {
            let half = point.half?;
            Some((self.point(point.x, point.y + half), self.point(point.x, point.y - half)))
        };
        let edges = broken(series.points.iter().map(|point| (point.x, edge(point))), &self.breaks);
        let ink = Ink::Series(series.colour);
        let run = |run: &Vec<(f64, f64)>| {
            let points = run.iter().map(|(x, y)| (*x, Some(self.point(*x, *y))));
            line(&broken(points, &self.breaks), ink, 1.0).at("stroke-opacity", 0.45)
        };
        let runs = series.runs.iter().map(run);
        Element::new("g").child(band(&edges, ink, BAND_OPACITY)).children(runs)
    }

    fn curve(&self, series: &LineSeries) -> Element {
        let place = |point: &LinePoint| (point.x, Some(self.point(point.x, point.y)));
        let points = broken(series.points.iter().map(place), &self.breaks);
        let line = line(&points, Ink::Series(series.colour), 2.5).tooltip(&series.name);
        match dashes(series.colour) {
            Some(dashes) => line.with("stroke-dasharray", dashes),
            None => line,
        }
    }
}

/// Lines that share a colour, since there are more of them than colours, differ in their dashes.
fn dashes(colour: usize) -> Option<&'static str> {
    const DASHES: [&str; 3] = ["9 5", "3 5", "12 4 3 4"];
    let round = Ink::round(colour);
    (round > 0).then(|| DASHES[(round - 1) % DASHES.len()])
}

/// From where to where names stand beside the plot: below it, the last tick has its label.
fn beside(plot: Rect) -> (f64, f64) {
    (plot.top - LINE, plot.bottom + LINE / 4.0)
}

/// So many names stand below each other beside the plot.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful of lines")]
fn most_names(plot: Rect) -> usize {
    let (top, bottom) = beside(plot);
    ((bottom - top) / LINE) as usize
}

/// From one name beside the plot to the next.
const LINE: f64 = 19.0;

/// A name beside the plot.
struct EndLabel<'a> {
    name: &'a str,
    value: f64,
    ink: Ink,
}

impl EndLabel<'_> {
    /// The name, as much of it as fits beside its value.
    fn fitting_name(&self, unit: Unit, room: f64) -> String {
        let value = super::chart::width(&unit.text(self.value), Size::Body.units());
        fit(self.name, Size::Body.units() * 1.06, room - value - 10.0)
    }
}

/// What ends at the right edge: the levels, and the lines.
fn ends(chart: &LineChart) -> impl Iterator<Item = EndLabel<'_>> {
    let series = chart.series.iter().filter_map(|series| {
        let value = series.points.last()?.y;
        Some(EndLabel { name: &series.name, value, ink: Ink::Series(series.colour) })
    });
    let levels = chart.last_levels();
    let levels = levels.map(|(value, name)| EndLabel { name, value: *value, ink: Ink::Muted });
    levels.chain(series)
}

/// The names of the lines and of the levels, to the right of the plot.
fn names(chart: &LineChart, frame: &Frame, room: f64) -> Vec<Element> {
    let right = frame.area.right;
    let (top, bottom) = beside(frame.area);
    let mut ends: Vec<EndLabel<'_>> = ends(chart).collect();
    ends.truncate(most_names(frame.area));
    let wanted: Vec<f64> = ends.iter().map(|end| frame.y.at(end.value)).collect();
    let placed = spread(&wanted, &vec![LINE; wanted.len()], top, bottom);
    let label = |(end, y): (&EndLabel<'_>, f64)| {
        let at = Point { x: right + BESIDE, y: y + 5.0 };
        let name = end.fitting_name(chart.unit, room);
        let label = Label::new(format!("{name} {}", chart.unit.text(end.value)), at);
        label.ink(end.ink).bold().element().tooltip(end.name)
    };
    ends.iter().zip(placed).map(label).collect()
}

/// The names of the levels, within the plot: each where it holds last. Those at the right edge stand
/// beside the plot, or below it.
fn inner_names(chart: &LineChart, panels: &[Panel<'_>]) -> Vec<Element> {
    const ABOVE: f64 = 9.0;
    let text = |(value, name): &(f64, String)| format!("{name} {}", chart.unit.text(*value));
    let of_panel = |Panel { part, frame }: &Panel<'_>| {
        let Rect { top, bottom, right, .. } = frame.area;
        let levels = part.map_or(&chart.levels, |part| &part.levels).iter();
        let inner: Vec<_> = levels.filter(|level| !chart.is_last(level)).collect();
        let wanted: Vec<f64> = inner.iter().map(|of| frame.y.at(of.0) - ABOVE).collect();
        let placed = spread(&wanted, &vec![LINE; wanted.len()], top - ABOVE, bottom);
        let fits =
            |text: &String| super::chart::width(text, Size::Body.units()) < frame.area.width();
        let named = inner.into_iter().map(&text).zip(placed).filter(move |(text, _)| fits(text));
        let label = move |(text, y): (String, f64)| {
            let at = Point { x: right - 2.0, y: y + 5.0 };
            Label::new(text, at).anchor(Anchor::End).ink(Ink::Muted).halo().element()
        };
        named.map(label).collect::<Vec<_>>()
    };
    panels.iter().flat_map(of_panel).collect()
}
