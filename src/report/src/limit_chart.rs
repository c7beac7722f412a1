//! A picture of a search for a limit: what was observed at each value that was tried.

use super::Unit;
use super::chart::{
    Anchor, Canvas, Element, Frame, Ink, Label, Point, Rect, Scale, Size, Svg, Tick, dots, fit,
    folded, group_digits, nice_ceiling, rule, spread, width,
};

/// What a picture of a search shows.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitChart {
    /// What must hold.
    pub title: String,
    /// How many runs there were.
    pub subtitle: String,
    /// What was varied, and its unit.
    pub x_label: String,
    /// What was observed.
    pub unit: Unit,
    /// Every run.
    pub trials: Vec<LimitTrial>,
    /// What is observed is compared with this.
    pub threshold: Option<f64>,
    /// The limit, if one was found.
    pub limit: Option<FoundLimit>,
}

/// A run at one value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitTrial {
    /// The value that was tried.
    pub value: f64,
    /// What was observed; beyond some times the threshold it stands at the upper edge.
    pub observed: f64,
    /// Whether what must hold did.
    pub holds: bool,
}

/// Where the limit is.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundLimit {
    /// The value.
    pub at: f64,
    /// The value with its unit.
    pub name: String,
    /// Its interval, if it is known.
    pub interval: Option<(f64, f64)>,
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 430.0;
const PLOT: Rect = Rect { left: 84.0, top: 92.0, right: 790.0, bottom: 366.0 };

/// From the plot to the names beside it.
const BESIDE: f64 = 10.0;

/// From one name beside the plot to the next.
const LINE: f64 = 19.0;

/// Draws a dot for each run, those that hold and those that fail in two colours.
#[must_use]
pub fn limit_svg(chart: &LimitChart) -> Svg {
    let mut canvas = Canvas::new(WIDTH, HEIGHT, &chart.title, description(chart));
    let frame = Frame { area: PLOT, x: x_scale(chart), y: y_scale(chart) };
    let ticks = y_ticks(chart, &frame);
    canvas.add(heading(chart));
    canvas.add(frame.grid(&ticks));
    canvas.add(frame.left_axis(&ticks));
    canvas.add(frame.bottom_axis(&x_ticks(&frame)));
    let at = Point { x: PLOT.middle(), y: HEIGHT - 12.0 };
    let label = Label::new(&chart.x_label, at).anchor(Anchor::Middle).ink(Ink::Muted);
    canvas.add(label.element());
    if let Some(threshold) = chart.threshold {
        canvas.add(frame.level(threshold, Ink::Muted, Some("2 4")));
    }
    if let Some(limit) = &chart.limit {
        canvas.add(limit_mark(limit, &frame));
    }
    for holds in [true, false] {
        let of_kind = chart.trials.iter().filter(|trial| trial.holds == holds);
        let places = of_kind.map(|trial| frame.point(trial.value, trial.observed));
        canvas.add(dots(places, ink(holds), 5.0).tooltip(word(holds)));
    }
    names(chart, &frame).into_iter().for_each(|name| canvas.add(name));
    canvas.into_svg()
}

fn word(holds: bool) -> &'static str {
    if holds { "holds" } else { "fails" }
}

fn ink(holds: bool) -> Ink {
    Ink::Series(usize::from(!holds))
}

/// The picture in words.
fn description(chart: &LimitChart) -> String {
    let count = |holds: bool| chart.trials.iter().filter(|trial| trial.holds == holds).count();
    let limit = chart.limit.as_ref().map(|limit| format!(" The limit is {}.", limit.name));
    let (held, failed) = (count(true), count(false));
    format!("It held in {held} runs and failed in {failed}.{}", limit.unwrap_or_default())
}

fn heading(chart: &LimitChart) -> Element {
    let room = WIDTH - PLOT.left - 4.0;
    let at = |y| Point { x: PLOT.left, y };
    let title = fit(&chart.title, Size::Heading.units() * 1.15, room);
    let subtitle = folded(&chart.subtitle, Size::Body.units(), room, 1).concat();
    Element::new("g")
        .child(Label::new(title, at(28.0)).size(Size::Heading).bold().element())
        .child(Label::new(subtitle, at(50.0)).ink(Ink::Muted).element())
}

/// The values that were tried. Where they differ by a large factor, equal factors are equally far
/// apart: a search doubles a value until it fails.
fn x_scale(chart: &LimitChart) -> Scale {
    const LARGE: f64 = 20.0;
    const MARGIN: f64 = 0.04;
    let values = || chart.trials.iter().map(|trial| trial.value);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
    let range = (PLOT.left, PLOT.right);
    if low > 0.0 && high > LARGE * low {
        let margin = libm::pow(high / low, MARGIN);
        return Scale::log((low / margin, high * margin), range);
    }
    let low = low.min(high);
    let margin = if high > low { MARGIN * (high - low) } else { 1.0 };
    Scale::linear(((low - margin).max(0.0), high + margin), range)
}

/// A queue that grows has any latency: beyond some times the threshold it is cut off.
fn y_scale(chart: &LimitChart) -> Scale {
    const FURTHEST: f64 = 4.0;
    let range = (PLOT.bottom, PLOT.top);
    if chart.unit == Unit::Share {
        return Scale::linear((0.0, 1.0), range);
    }
    let observed = chart.trials.iter().map(|trial| trial.observed);
    let highest = observed.chain(chart.threshold).fold(1e-3, f64::max);
    let most = chart.threshold.filter(|_| chart.unit == Unit::Milliseconds);
    let highest = most.map_or(highest, |threshold| highest.min(FURTHEST * threshold));
    let step = nice_ceiling(highest / 6.0);
    Scale::linear((0.0, libm::ceil(highest / step) * step), range)
}

/// The number of a value that was observed, with its unit.
fn with_unit(unit: Unit, number: String) -> String {
    if unit == Unit::Milliseconds { format!("{number}\u{a0}ms") } else { number }
}

fn y_ticks(chart: &LimitChart, frame: &Frame) -> Vec<Tick> {
    let values = frame.y.ticks(8);
    let step = values.windows(2).next().map_or(1.0, |pair| pair[1] - pair[0]);
    let digits = chart.unit.digits_of(step);
    let label = |value: f64| with_unit(chart.unit, chart.unit.with_digits(value, digits));
    let tick = |value: f64| Tick { value, label: label(value) };
    values.into_iter().map(tick).collect()
}

/// Ticks whose labels do not touch.
fn x_ticks(frame: &Frame) -> Vec<Tick> {
    const APART: f64 = 10.0;
    let mut end = f64::NEG_INFINITY;
    let mut ticks: Vec<Tick> =
        frame.x.ticks(8).into_iter().map(|value| Tick { value, label: number(value) }).collect();
    ticks.retain(|tick| {
        let half = width(&tick.label, Size::Body.units()) / 2.0;
        let has_room = frame.x.at(tick.value) - half > end + APART;
        if has_room {
            end = frame.x.at(tick.value) + half;
        }
        has_room
    });
    ticks
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and positive")]
fn number(value: f64) -> String {
    if value >= 1.0 && (value - libm::round(value)).abs() < 1e-9 * value {
        return group_digits(libm::round(value) as u64);
    }
    // What adding up steps leaves behind is not shown.
    let digits = format!("{value:.6}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    digits.to_owned()
}

/// The limit, and its interval as an area behind the runs.
fn limit_mark(limit: &FoundLimit, frame: &Frame) -> Element {
    let Rect { top, bottom, left, right } = frame.area;
    let x = frame.x.at(limit.at);
    let area = limit.interval.map(|(lower, upper)| {
        let [from, to] = [lower, upper].map(|end| frame.x.at(end));
        Element::new("rect")
            .with("class", format!("f-{}", Ink::Muted.name()))
            .with("fill-opacity", "0.12")
            .at("x", from)
            .at("y", top)
            .at("width", to - from)
            .at("height", bottom - top)
    });
    let line = rule(Point { x, y: top }, Point { x, y: bottom }, Ink::Strong, Some("5 3"));
    let name = format!("limit {}", limit.name);
    let half = width(&name, Size::Body.units()) / 2.0;
    let middle = x.max(left + half).min((right - half).max(left + half));
    let label = Label::new(name, Point { x: middle, y: top - 8.0 }).anchor(Anchor::Middle);
    Element::new("g").children(area).child(line).child(label.ink(Ink::Muted).element())
}

/// What the dots and the threshold are called, to the right of the plot.
fn names(chart: &LimitChart, frame: &Frame) -> Vec<Element> {
    let middle = |holds: bool| {
        let all = chart.trials.iter().filter(|trial| trial.holds == holds);
        let mut places: Vec<f64> = all.map(|trial| frame.y.at(trial.observed)).collect();
        places.sort_by(f64::total_cmp);
        places.get(places.len() / 2).copied()
    };
    let kinds = [true, false]
        .into_iter()
        .filter_map(|holds| Some((middle(holds)?, ink(holds), word(holds).to_owned())));
    let threshold = chart.threshold.map(|value| {
        let text = with_unit(chart.unit, chart.unit.text(value));
        (frame.y.at(value), Ink::Muted, format!("threshold {text}"))
    });
    let all: Vec<_> = kinds.chain(threshold).collect();
    let wanted: Vec<f64> = all.iter().map(|(y, ..)| *y).collect();
    let placed = spread(&wanted, &vec![LINE; wanted.len()], PLOT.top - LINE, PLOT.bottom);
    let label = |((_, ink, name), y): (&(f64, Ink, String), f64)| {
        let at = Point { x: PLOT.right + BESIDE, y: y + 5.0 };
        Label::new(name, at).ink(*ink).bold().element()
    };
    all.iter().zip(placed).map(label).collect()
}
