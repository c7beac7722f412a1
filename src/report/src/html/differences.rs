use super::page::Tone;
use crate::chart::Element;

/// A difference with its interval, as a row of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct DifferenceRow {
    /// What is compared.
    pub name: String,
    /// The difference.
    pub value: f64,
    /// The ends of its interval, if it has one.
    pub interval: Option<(f64, f64)>,
    /// The difference and its interval as text.
    pub text: String,
    /// What the difference shows.
    pub finding: String,
    /// How the finding is to be read.
    pub tone: Tone,
}

/// The width of the drawing, in its own units: the page scales it.
const WIDTH: f64 = 100.0;
const HEIGHT: f64 = 16.0;

/// A chart of differences on one scale, a row each. Its texts are those of the page, so that
/// they keep their size on a narrow one.
pub(super) fn differences(caption: &str, rows: &[DifferenceRow]) -> Element {
    let scale = Scale::of(rows);
    let row = |row: &DifferenceRow| {
        let class = format!("finding {}", row.tone.class());
        Element::new("li")
            .child(Element::new("span").with("class", "name").text(&row.name))
            .child(bar(row, &scale))
            .child(Element::new("span").with("class", "value").text(&row.text))
            .child(Element::new("span").with("class", class).text(&row.finding))
    };
    Element::new("figure")
        .with("class", "differences")
        .child(Element::new("figcaption").text(caption))
        .child(Element::new("ul").text("").children(rows.iter().map(row)))
}

struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn of(rows: &[DifferenceRow]) -> Self {
        let ends = |row: &DifferenceRow| {
            let (low, high) = row.interval.unwrap_or((row.value, row.value));
            [low.min(row.value), high.max(row.value)]
        };
        let finite = rows.iter().flat_map(ends).filter(|end| end.is_finite());
        let (low, high) =
            finite.fold((0.0_f64, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
        let margin = ((high - low) * 0.05).max(f64::MIN_POSITIVE);
        Self { low: low - margin, high: high + margin }
    }

    fn at(&self, value: f64) -> f64 {
        WIDTH * ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

fn bar(row: &DifferenceRow, scale: &Scale) -> Element {
    let line = |class: &'static str, from: (f64, f64), to: (f64, f64)| {
        Element::new("line")
            .with("class", class)
            .at("x1", from.0)
            .at("y1", from.1)
            .at("x2", to.0)
            .at("y2", to.1)
            .with("vector-effect", "non-scaling-stroke")
    };
    let (zero, middle) = (scale.at(0.0), HEIGHT / 2.0);
    let interval = row
        .interval
        .map(|(low, high)| line("interval", (scale.at(low), middle), (scale.at(high), middle)));
    let value = scale.at(row.value);
    Element::new("svg")
        .with("viewBox", format!("0 0 {WIDTH} {HEIGHT}"))
        .with("preserveAspectRatio", "none")
        .with("aria-hidden", "true")
        .with("class", row.tone.class())
        .child(line("zero", (zero, 0.0), (zero, HEIGHT)))
        .children(interval)
        .child(line("value", (value, 3.0), (value, HEIGHT - 3.0)))
}
