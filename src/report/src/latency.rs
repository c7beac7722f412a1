use super::chart::{
    Anchor, Canvas, Element, Frame, Ink, Label, Point, Rect, Scale, Size, Svg, Tick, columns, fit,
    group_digits, line, nice_ceiling, spread,
};

/// What a picture of latencies shows.
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyChart {
    /// The name of the scenario.
    pub title: String,
    /// Whether the latencies were drawn from a distribution, not measured.
    pub simulated: bool,
    /// A curve a phase and operation.
    pub curves: Vec<LatencyCurve>,
}

/// How long the calls of one operation took in one phase.
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyCurve {
    /// The phase; all its curves have one colour.
    pub phase: String,
    /// The operation; its curves share a panel.
    pub operation: String,
    /// How many calls there were.
    pub calls: u64,
    /// In rising order.
    pub quantiles: Vec<Quantile>,
}

/// So many of the calls took at most so long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantile {
    /// In `[0, 1]`.
    pub share: f64,
    /// In microseconds.
    pub latency_us: u64,
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 480.0;
const PLOT: Rect = Rect { left: 80.0, top: 112.0, right: 944.0, bottom: 410.0 };

/// The room to the right of a panel, for the names of its curves.
const LABELS: f64 = 118.0;

/// From the names of one panel to the next.
const GAP: f64 = 28.0;

/// Above this ratio of the slowest call to the fastest median the scale is logarithmic:
/// on a linear one most of the curves would lie on the axis.
const LINEAR_UP_TO: f64 = 40.0;

/// Draws latencies by percentile, a panel an operation, a curve a phase. Every further
/// nine of the percentile has the same room, as in the plots of `HdrHistogram`.
#[must_use]
pub fn latency_svg(chart: &LatencyChart) -> Svg {
    let title = format!("{}: latency", chart.title);
    let mut canvas = Canvas::new(WIDTH, HEIGHT, &title, description(chart));
    canvas.add(heading(chart, &title));
    let panels = panels(chart);
    match panels.first() {
        Some(first) => canvas.add(first.frame.left_axis(&first.latency_ticks())),
        None => canvas.add(nothing_to_see()),
    }
    for panel in &panels {
        canvas.add(panel.element());
        let at = place(panel.frame.area.middle(), 462.0);
        let axis = Label::new("percentile of the calls", at).anchor(Anchor::Middle);
        canvas.add(axis.ink(Ink::Muted).element());
    }
    canvas.into_svg()
}

/// The picture in words.
fn description(chart: &LatencyChart) -> String {
    let sentence = |curve: &LatencyCurve| {
        let calls = group_digits(curve.calls);
        let slowest = duration(slowest_us(curve));
        format!("{}, {}: {calls} calls, the slowest {slowest}.", curve.phase, curve.operation)
    };
    chart.curves.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

fn heading(chart: &LatencyChart, title: &str) -> Element {
    let title = fit(title, Size::Title.units(), WIDTH - PLOT.left - 20.0);
    let subtitle = if chart.simulated {
        "simulated: drawn from the distributions of the scenario, not measured"
    } else {
        "so many percent of the calls took at most so long"
    };
    Element::new("g")
        .child(Label::new(title, place(PLOT.left, 34.0)).size(Size::Title).bold().element())
        .child(Label::new(subtitle, place(PLOT.left, 58.0)).ink(Ink::Muted).element())
}

fn nothing_to_see() -> Element {
    let at = place(WIDTH / 2.0, HEIGHT / 2.0);
    Label::new("no calls were made", at).anchor(Anchor::Middle).ink(Ink::Muted).element()
}

fn place(x: f64, y: f64) -> Point {
    Point { x, y }
}

#[expect(clippy::cast_precision_loss, reason = "2^53 µs are 285 years")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

/// An operation, its place, and its curves with their colours.
struct Panel<'a> {
    operation: &'a str,
    frame: Frame,
    curves: Vec<(&'a LatencyCurve, Ink)>,
}

fn panels(chart: &LatencyChart) -> Vec<Panel<'_>> {
    let drawn: Vec<_> = chart.curves.iter().filter(|curve| !curve.quantiles.is_empty()).collect();
    let operations = in_order(drawn.iter().map(|curve| curve.operation.as_str()));
    let phases = in_order(drawn.iter().map(|curve| curve.phase.as_str()));
    let ink = |curve: &LatencyCurve| {
        Ink::Series(phases.iter().position(|phase| *phase == curve.phase).unwrap_or(0))
    };
    let whole = Rect { right: PLOT.right + GAP, ..PLOT };
    let areas = columns(whole, &vec![1.0; operations.len()], &[], 0.0);
    let y = latency_scale(chart, PLOT);
    let mut panels = Vec::new();
    for (operation, area) in operations.into_iter().zip(areas) {
        let area = Rect { right: area.right - LABELS - GAP, ..area };
        let frame = Frame { area, x: share_scale(chart, area), y };
        let curves = drawn.iter().filter(|curve| curve.operation == operation);
        let curves = curves.map(|curve| (*curve, ink(curve))).collect();
        panels.push(Panel { operation, frame, curves });
    }
    panels
}

/// The different names, in the order in which they come first.
fn in_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut different = Vec::new();
    for name in names {
        if !different.contains(&name) {
            different.push(name);
        }
    }
    different
}

/// Where the slowest of so many calls stands: half a call below everything.
fn last_share(calls: u64) -> f64 {
    1.0 - 0.5 / as_f64(calls.max(1))
}

fn share_scale(chart: &LatencyChart, area: Rect) -> Scale {
    let calls = chart.curves.iter().map(|curve| curve.calls).max().unwrap_or(1);
    Scale::nines((0.0, last_share(calls.max(5))), (area.left, area.right))
}

fn latency_scale(chart: &LatencyChart, area: Rect) -> Scale {
    let range = (area.bottom, area.top);
    let slowest = latencies(chart).fold(1.0, f64::max);
    let fastest = latencies(chart).filter(|us| *us > 0.0).fold(slowest, f64::min);
    let median = medians(chart).fold(slowest, f64::min).max(1.0);
    if slowest / median <= LINEAR_UP_TO {
        let step = nice_ceiling(slowest / 6.0);
        return Scale::linear((0.0, (slowest / step).ceil() * step), range);
    }
    Scale::log((fastest.max(1.0) / 1.1, slowest * 1.1), range)
}

fn latencies(chart: &LatencyChart) -> impl Iterator<Item = f64> {
    let quantiles = chart.curves.iter().flat_map(|curve| &curve.quantiles);
    quantiles.map(|quantile| as_f64(quantile.latency_us))
}

fn medians(chart: &LatencyChart) -> impl Iterator<Item = f64> {
    let median = |curve: &LatencyCurve| {
        let quantile = curve.quantiles.iter().find(|quantile| quantile.share >= 0.5)?;
        Some(as_f64(quantile.latency_us))
    };
    chart.curves.iter().filter_map(median)
}

impl Panel<'_> {
    fn element(&self) -> Element {
        let Rect { left, top, .. } = self.frame.area;
        let name = Label::new(self.operation, place(left, top - 16.0)).size(Size::Heading).bold();
        Element::new("g")
            .child(name.element())
            .child(self.frame.grid(&self.latency_ticks()))
            .child(self.frame.bottom_axis(&self.share_ticks()))
            .children(self.curves.iter().map(|(curve, ink)| self.curve(curve, *ink)))
            .children(self.names())
    }

    fn latency_ticks(&self) -> Vec<Tick> {
        let tick = |value: f64| Tick { value, label: tick_label(value) };
        self.frame.y.ticks(7).into_iter().map(tick).collect()
    }

    /// A share whose label has no room beside that before it goes unmarked.
    fn share_ticks(&self) -> Vec<Tick> {
        let mut ticks = vec![Tick { value: 0.0, label: "0".to_owned() }];
        let mut free = self.frame.area.left + 10.0;
        for value in self.frame.x.ticks(usize::MAX) {
            let label = share_label(value);
            let half = super::chart::width(&label, Size::Body.units()) / 2.0;
            let at = self.frame.x.at(value);
            if at - half > free {
                free = at + half + 8.0;
                ticks.push(Tick { value, label });
            }
        }
        ticks
    }

    fn curve(&self, curve: &LatencyCurve, ink: Ink) -> Element {
        let mut points: Vec<_> = curve.quantiles.iter().map(|q| self.point(curve, *q)).collect();
        // What stands in one place is one point, but for the ends.
        let end = points.last().copied();
        points.dedup_by(|later, kept| libm::hypot(later.x - kept.x, later.y - kept.y) < 1.0);
        points.extend(end);
        let points: Vec<_> = points.into_iter().map(Some).collect();
        line(&points, ink, 2.5).tooltip(tooltip(curve))
    }

    fn point(&self, curve: &LatencyCurve, quantile: Quantile) -> Point {
        let share = quantile.share.min(last_share(curve.calls));
        self.frame.point(share, as_f64(quantile.latency_us))
    }

    /// The names of the phases with their slowest calls, where their curves end; only the
    /// names where there is no room, and only as many as there is room for.
    fn names(&self) -> Vec<Element> {
        const LINE: f64 = 18.0;
        let Rect { top, bottom, .. } = self.frame.area;
        let (low, high) = (top - LINE, bottom + LINE / 3.0);
        let two_lines = 2.0 * LINE + 6.0;
        let is_roomy = as_f64(self.curves.len() as u64) * two_lines <= high - low;
        let height = if is_roomy { two_lines } else { LINE };
        let ends = self.curves.iter().map(|(curve, _)| self.frame.y.at(slowest_us(curve)));
        let wanted: Vec<_> = ends.collect();
        let middles = spread(&wanted, &vec![height; wanted.len()], low, high);
        let has_room = |middle: &f64| *middle + LINE / 2.0 <= high;
        let placed = self.curves.iter().zip(middles).filter(|(_, middle)| has_room(middle));
        placed.flat_map(|((curve, ink), middle)| self.name(curve, *ink, middle, is_roomy)).collect()
    }

    fn name(&self, curve: &LatencyCurve, ink: Ink, middle: f64, is_roomy: bool) -> Vec<Element> {
        let left = self.frame.area.right + 8.0;
        let short = fit(&curve.phase, Size::Body.units() * 1.06, LABELS - 8.0);
        let baseline = if is_roomy { middle - 2.0 } else { middle + 5.0 };
        let name = Label::new(short, place(left, baseline)).ink(ink).bold();
        let name = name.element().tooltip(tooltip(curve));
        if !is_roomy {
            return vec![name];
        }
        let most = format!("max {}", duration(slowest_us(curve)));
        vec![name, Label::new(most, place(left, middle + 16.0)).ink(Ink::Muted).element()]
    }
}

fn slowest_us(curve: &LatencyCurve) -> f64 {
    curve.quantiles.last().map_or(0.0, |quantile| as_f64(quantile.latency_us))
}

/// The quantiles that people ask for.
fn tooltip(curve: &LatencyCurve) -> String {
    let calls = group_digits(curve.calls);
    let at_most = |share: f64| {
        let quantile = curve.quantiles.iter().find(|quantile| quantile.share >= share);
        let us = quantile.or(curve.quantiles.last()).map_or(0, |quantile| quantile.latency_us);
        duration(as_f64(us))
    };
    let [median, p90, p99, most] = [0.5, 0.9, 0.99, 1.0].map(at_most);
    let (phase, operation) = (&curve.phase, &curve.operation);
    format!("{phase}, {operation}: {calls} calls, p50 {median}, p90 {p90}, p99 {p99}, max {most}")
}

/// `50 %`, `99 %`, `99.9 %`: as many digits as it takes.
fn share_label(share: f64) -> String {
    let text = format!("{:.12}", share * 100.0);
    let short = text.trim_end_matches('0').trim_end_matches('.');
    format!("{short}\u{a0}%")
}

/// A latency in microseconds, as everywhere.
fn duration(us: f64) -> String {
    timestamp::elapsed(us).replace(' ', "\u{a0}")
}

/// A round latency in microseconds, for an axis: without zeros behind the point.
fn tick_label(us: f64) -> String {
    let (value, unit) = match us {
        _ if us <= 0.0 => return "0".to_owned(),
        _ if us < 1e3 => (us, "µs"),
        _ if us < 1e6 => (us / 1e3, "ms"),
        _ if us < 1e9 => (us / 1e6, "s"),
        _ => (us / 3.6e9, "h"),
    };
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    let text = format!("{value:.digits$}");
    let short = if digits > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{short}\u{a0}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_written_with_the_unit_that_suits() {
        for (us, text) in [
            (0.0, "0"),
            (7.0, "7\u{a0}µs"),
            (250.0, "250\u{a0}µs"),
            (8040.0, "8.04\u{a0}ms"),
            (20_000.0, "20\u{a0}ms"),
            (61_840.0, "61.8\u{a0}ms"),
            (120_000.0, "120\u{a0}ms"),
            (2_500_000.0, "2.5\u{a0}s"),
            (9_000_000_000.0, "2.5\u{a0}h"),
        ] {
            assert_eq!(tick_label(us), text);
        }
    }

    #[test]
    fn shares_are_written_with_as_many_digits_as_it_takes() {
        let labels = [0.5, 0.9, 0.999, 0.99999].map(share_label);
        assert_eq!(labels, ["50\u{a0}%", "90\u{a0}%", "99.9\u{a0}%", "99.999\u{a0}%"]);
    }
}
