use std::fmt::Write;

use super::chart::{Anchor, Canvas, Scale, nice_ticks};

/// The success curves of a run, phase beside phase.
#[derive(Debug, Clone, PartialEq)]
pub struct SuccessChart {
    /// What the run is called.
    pub title: String,
    /// The phases that iterated.
    pub panels: Vec<SuccessPanel>,
    /// Levels to compare with.
    pub references: Vec<Reference>,
}

/// The success curve of one phase.
#[derive(Debug, Clone, PartialEq)]
pub struct SuccessPanel {
    /// The name of the phase.
    pub name: String,
    /// How many iterations it made.
    pub iterations: u64,
    /// The last iteration of each batch, and its success rate.
    pub batches: Vec<(u64, f64)>,
    /// The success rate of the last tenth.
    pub last_tenth: Option<f64>,
    /// What happened before the phase, in a few words.
    pub before: Option<String>,
    /// After how many iterations the model was seen to have changed.
    pub updates: Vec<u64>,
}

/// A level to compare with.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// The level, in `[0, 1]`.
    pub level: f64,
    /// What it is.
    pub label: String,
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 480.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = WIDTH - 118.0;
const TOP: f64 = 92.0;
const BOTTOM: f64 = HEIGHT - 58.0;
const GAP: f64 = 44.0;

/// No phase is narrower than this share of the width.
const NARROWEST: f64 = 0.24;

/// The bold line is the mean of so large a share of the phase's batches.
const SMOOTHING: f64 = 0.05;

/// A panel and where it is.
struct Placed<'a> {
    panel: &'a SuccessPanel,
    x: Scale,
    left: f64,
    right: f64,
}

/// Draws the success curves: a bold line for the trailing mean of 5 % of a phase's
/// batches, a thin one for single batches, and the levels to compare with.
pub fn success_curve_svg(chart: &SuccessChart) -> String {
    let mut canvas = Canvas::new(WIDTH, HEIGHT, &chart.title, &describe(chart));
    let y = Scale::new((0.0, 1.0), (BOTTOM, TOP));
    canvas.text((LEFT, 30.0), Anchor::Start, "title", &chart.title);
    let subtitle = "share of iterations in which the preferred action was chosen";
    canvas.text((LEFT, 50.0), Anchor::Start, "faint", subtitle);
    for placed in place(&chart.panels) {
        draw_frame(&mut canvas, &placed, y);
        draw_curve(&mut canvas, &placed, y);
        draw_before(&mut canvas, &placed);
    }
    draw_levels(&mut canvas, y);
    draw_references(&mut canvas, chart, y);
    canvas.text((f64::midpoint(LEFT, RIGHT), HEIGHT - 14.0), Anchor::Middle, "faint", "iterations");
    canvas.finish()
}

fn describe(chart: &SuccessChart) -> String {
    let mut text = String::from("Success rate by iteration.");
    for panel in &chart.panels {
        if let Some(rate) = panel.last_tenth {
            let _infallible = write!(text, " {}: {} in the last tenth.", panel.name, percent(rate));
        }
    }
    text
}

/// Gives each panel its part of the width, in proportion to its iterations.
fn place(panels: &[SuccessPanel]) -> Vec<Placed<'_>> {
    let shares = shares(panels);
    let gaps = GAP * as_f64(panels.len().saturating_sub(1) as u64);
    let width = RIGHT - LEFT - gaps;
    let mut left = LEFT;
    let mut placed = Vec::new();
    for (panel, share) in panels.iter().zip(shares) {
        let right = left + width * share;
        let x = Scale::new((0.0, as_f64(panel.iterations)), (left, right));
        placed.push(Placed { panel, x, left, right });
        left = right + GAP;
    }
    placed
}

fn shares(panels: &[SuccessPanel]) -> Vec<f64> {
    let total: f64 = panels.iter().map(|panel| as_f64(panel.iterations)).sum();
    let narrowest = NARROWEST.min(1.0 / as_f64(panels.len().max(1) as u64));
    let widened = panels.iter().map(|panel| (as_f64(panel.iterations) / total).max(narrowest));
    let widened: Vec<f64> = widened.collect();
    let sum: f64 = widened.iter().sum();
    widened.into_iter().map(|share| share / sum).collect()
}

fn draw_frame(canvas: &mut Canvas, placed: &Placed<'_>, y: Scale) {
    for level in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
        canvas.line("grid", (placed.left, y.at(level)), (placed.right, y.at(level)), "");
    }
    let ticks = if placed.right - placed.left < 300.0 { 2 } else { 5 };
    for tick in nice_ticks(as_f64(placed.panel.iterations), ticks) {
        let x = placed.x.at(tick);
        canvas.line("grid", (x, BOTTOM), (x, BOTTOM + 5.0), "");
        canvas.text((x, BOTTOM + 20.0), Anchor::Middle, "faint", &thousands(tick));
    }
    canvas.text((placed.left, TOP - 12.0), Anchor::Start, "strong", &placed.panel.name);
}

fn draw_curve(canvas: &mut Canvas, placed: &Placed<'_>, y: Scale) {
    let batches = &placed.panel.batches;
    let point = |(iteration, rate): (u64, f64)| (placed.x.at(as_f64(iteration)), y.at(rate));
    canvas.path("s1 thin", trailing(batches, window(batches.len(), SMOOTHING / 8.0)).map(point));
    canvas.path("s1", trailing(batches, window(batches.len(), SMOOTHING)).map(point));
    for update in &placed.panel.updates {
        let x = placed.x.at(as_f64(*update));
        let title = format!("a new model was seen after {update} iterations");
        canvas.line("s3", (x, BOTTOM - 1.0), (x, BOTTOM - 7.0), &title);
    }
    let last = trailing(batches, window(batches.len(), SMOOTHING)).last();
    if let (Some((_, level)), Some(rate)) = (last, placed.panel.last_tenth) {
        let height = y.at(level.max(rate)) - 12.0;
        canvas.text((placed.right, height), Anchor::End, "t1", &percent(rate));
    }
}

/// What happened before the phase, upright in the gap.
fn draw_before(canvas: &mut Canvas, placed: &Placed<'_>) {
    if let Some(before) = placed.panel.before.as_ref().filter(|_| placed.left > LEFT) {
        let at = (placed.left - GAP / 2.0 + 4.0, f64::midpoint(TOP, BOTTOM));
        canvas.upright_text(at, "faint", before);
    }
}

fn draw_levels(canvas: &mut Canvas, y: Scale) {
    for level in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
        let label = format!("{:.0} %", level * 100.0);
        canvas.text((LEFT - 8.0, y.at(level) + 4.0), Anchor::End, "faint", &label);
    }
}

fn draw_references(canvas: &mut Canvas, chart: &SuccessChart, y: Scale) {
    for reference in &chart.references {
        let height = y.at(reference.level);
        canvas.line("rule", (LEFT, height), (RIGHT, height), &reference.label);
        canvas.text((RIGHT + 8.0, height - 2.0), Anchor::Start, "faint", &reference.label);
        canvas.text(
            (RIGHT + 8.0, height + 13.0),
            Anchor::Start,
            "faint",
            &percent(reference.level),
        );
    }
}

/// The mean of the last `window` batches up to each batch that has as many before it.
fn trailing(batches: &[(u64, f64)], window: usize) -> impl Iterator<Item = (u64, f64)> + '_ {
    let mean = move |part: &[(u64, f64)]| {
        let sum: f64 = part.iter().map(|(_, rate)| rate).sum();
        let last = part.last().map_or(0, |(iteration, _)| *iteration);
        (last, sum / as_f64(part.len() as u64))
    };
    batches.windows(window).map(mean)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a count of batches"
)]
fn window(batches: usize, share: f64) -> usize {
    (as_f64(batches as u64) * share).ceil().max(1.0) as usize
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn thousands(value: f64) -> String {
    if value >= 10_000.0 { format!("{} k", value / 1000.0) } else { value.to_string() }
}

#[expect(clippy::cast_precision_loss, reason = "pixels")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
