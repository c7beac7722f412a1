use super::chart::{Anchor, Canvas, Scale, nice_ticks};

/// How long calls took, by percentile.
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyChart {
    /// What the run is called.
    pub title: String,
    /// Whether the latencies were drawn, not measured.
    pub simulated: bool,
    /// A line a phase and operation.
    pub lines: Vec<LatencyLine>,
}

/// The percentiles of one operation in one phase.
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyLine {
    /// The operation; lines of one operation share a panel.
    pub operation: String,
    /// The phase.
    pub phase: String,
    /// Quantiles in `[0, 1)` and their latencies in milliseconds, ascending.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 420.0;
const TOP: f64 = 92.0;
const BOTTOM: f64 = HEIGHT - 58.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = WIDTH - 24.0;
const GAP: f64 = 72.0;

/// The quantiles that are marked.
const MARKS: [(f64, &str); 5] =
    [(0.0, "0"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (0.9999, "99.99 %")];

/// Draws percentile curves, a panel an operation, a line a phase. The x axis gives each
/// nine the same room, as HdrHistogram's plots do.
pub fn latency_svg(chart: &LatencyChart) -> String {
    let kind = if chart.simulated { "simulated latency" } else { "latency" };
    let mut canvas = Canvas::new(WIDTH, HEIGHT, &chart.title, &format!("{kind} by percentile"));
    canvas.text((LEFT, 30.0), Anchor::Start, "title", &chart.title);
    canvas.text((LEFT, 50.0), Anchor::Start, "faint", &format!("{kind} by percentile, ms"));
    let operations = operations(chart);
    let width = panel_width(operations.len());
    let mut left = LEFT;
    for operation in operations {
        draw_panel(&mut canvas, chart, operation, (left, left + width));
        left += width + GAP;
    }
    canvas.finish()
}

fn operations(chart: &LatencyChart) -> Vec<&str> {
    let mut operations: Vec<&str> = Vec::new();
    for line in &chart.lines {
        if !operations.contains(&line.operation.as_str()) {
            operations.push(&line.operation);
        }
    }
    operations
}

#[expect(clippy::cast_precision_loss, reason = "pixels")]
fn panel_width(panels: usize) -> f64 {
    let gaps = GAP * panels.saturating_sub(1) as f64;
    (RIGHT - LEFT - gaps) / panels.max(1) as f64
}

fn draw_panel(canvas: &mut Canvas, chart: &LatencyChart, operation: &str, sides: (f64, f64)) {
    let lines: Vec<_> = chart.lines.iter().filter(|line| line.operation == operation).collect();
    let points = lines.iter().flat_map(|line| &line.points);
    let highest = points.map(|(_, ms)| *ms).fold(0.0, f64::max).max(0.001);
    let y = Scale::new((0.0, highest * 1.05), (BOTTOM, TOP));
    let x = Scale::new((0.0, nines(0.9999)), sides);
    canvas.text((sides.0, TOP - 12.0), Anchor::Start, "strong", operation);
    draw_axes(canvas, highest, sides, x, y);
    for (index, line) in lines.iter().enumerate() {
        draw_line(canvas, line, index, x, y);
    }
}

fn draw_axes(canvas: &mut Canvas, highest: f64, sides: (f64, f64), x: Scale, y: Scale) {
    for tick in nice_ticks(highest, 5) {
        let height = y.at(tick);
        canvas.line("grid", (sides.0, height), (sides.1, height), "");
        canvas.text((sides.0 - 8.0, height + 4.0), Anchor::End, "faint", &short(tick));
    }
    for (quantile, label) in MARKS {
        let at = x.at(nines(quantile));
        canvas.line("grid", (at, TOP), (at, BOTTOM), "");
        canvas.text((at, BOTTOM + 20.0), Anchor::Middle, "faint", label);
    }
}

/// A line, and its name in the upper left, in its colour.
fn draw_line(canvas: &mut Canvas, line: &LatencyLine, index: usize, x: Scale, y: Scale) {
    let series = index % 4 + 1;
    let within = line.points.iter().filter(|(quantile, _)| *quantile <= 0.9999);
    let point = |(quantile, ms): &(f64, f64)| (x.at(nines(*quantile)), y.at(*ms));
    canvas.path(&format!("s{series}"), within.map(point));
    let row = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0].get(index).copied().unwrap_or(8.0);
    let at = (x.at(0.0) + 10.0, TOP + 18.0 + 18.0 * row);
    canvas.text(at, Anchor::Start, &format!("t{series}"), &line.phase);
}

/// How many nines a quantile has: 0.9 has one, 0.99 two.
fn nines(quantile: f64) -> f64 {
    -libm::log10(1.0 - quantile)
}

fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
