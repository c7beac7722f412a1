use super::legend::{BAND_OPACITY, drift_mark, export_mark};
use super::smooth::{Smoothing, centred_rate, coarsen, share};
use super::{PLOT, SuccessBatch, SuccessChart, SuccessPhase, WIDTH, place};
use crate::chart::{
    Anchor, Element, Frame, Ink, Label, Point, Rect, Scale, Size, Tick, band, columns, dots, fit,
    group_digits, line, percent, spread, width,
};

/// The least width of a phase: that of its labels.
const LEAST_WIDTH: f64 = 112.0;

/// The height of the success rate that is written at the end of a curve, and its note.
const VALUE_HEIGHT: f64 = 48.0;

/// The most points of a curve: what can be told apart.
const MOST_POINTS: usize = 500;

/// A phase, its place, and its colour.
pub(super) struct Panel<'a> {
    phase: &'a SuccessPhase,
    frame: Frame,
    ink: Ink,
    /// Where the gap before it begins.
    gap_left: f64,
    /// The smoothed curve.
    curve: Vec<Option<Point>>,
    /// The upper and the lower edge of its 95 % band.
    edges: Vec<Option<(Point, Point)>>,
    smoothing: Smoothing,
}

pub(super) fn panels(chart: &SuccessChart, smoothing: Smoothing) -> Vec<Panel<'_>> {
    let weights: Vec<_> = chart.phases.iter().map(iterations).collect();
    let gaps = gaps(&chart.phases);
    let areas = columns(PLOT, &weights, &gaps, LEAST_WIDTH);
    let lefts = std::iter::once(PLOT.left).chain(areas.iter().map(|area| area.right));
    let inks = (0..).map(Ink::Series);
    chart
        .phases
        .iter()
        .zip(&areas)
        .zip(lefts)
        .zip(inks)
        .map(|(((phase, area), gap_left), ink)| Panel::new(phase, *area, ink, gap_left, smoothing))
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
fn iterations(phase: &SuccessPhase) -> f64 {
    phase.iterations.max(1) as f64
}

const CAPTION_HEIGHT: f64 = 20.0;

/// The gaps between phases: as wide as their captions need, but a third of the picture
/// together at most.
fn gaps(phases: &[SuccessPhase]) -> Vec<f64> {
    let wanted: Vec<_> = phases.iter().skip(1).map(gap_width).collect();
    let squeeze = (PLOT.width() / 3.0 / wanted.iter().sum::<f64>()).min(1.0);
    wanted.into_iter().map(|gap| gap * squeeze).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a handful of captions")]
fn gap_width(phase: &SuccessPhase) -> f64 {
    (22.0 + CAPTION_HEIGHT * phase.before.len() as f64).max(46.0)
}

impl<'a> Panel<'a> {
    fn new(
        phase: &'a SuccessPhase,
        area: Rect,
        ink: Ink,
        gap_left: f64,
        smoothing: Smoothing,
    ) -> Self {
        let x = Scale::linear((0.0, iterations(phase)), (area.left, area.right));
        let y = Scale::linear((0.0, 1.0), (area.bottom, area.top));
        let frame = Frame { area, x, y };
        let stride = phase.batches.len().div_ceil(MOST_POINTS).max(1);
        let place = |batch: &SuccessBatch, rate| frame.point(middle(batch), rate);
        let (mut curve, mut edges) = (Vec::new(), Vec::new());
        for stationary in stationary(phase) {
            let rates = centred_rate(stationary, smoothing.window);
            for (batch, rate) in stationary.iter().zip(rates).step_by(stride) {
                curve.push(rate.map(|rate| place(batch, rate.value)));
                edges.push(rate.map(|rate| (place(batch, rate.high), place(batch, rate.low))));
            }
            // The curve is broken where the population drifts.
            curve.push(None);
            edges.push(None);
        }
        Self { phase, frame, ink, gap_left, curve, edges, smoothing }
    }

    /// The labels of the rates, to the left of the first panel.
    pub(crate) fn left_axis(&self) -> Element {
        self.frame.left_axis(&rate_ticks())
    }

    /// What was done before the phase. Captions for which there is no room can still be
    /// pointed at.
    fn gap(&self) -> Element {
        let Rect { left, top, bottom, .. } = self.frame.area;
        let before = &self.phase.before;
        let shade = Element::new("rect")
            .with("class", "f-shade")
            .at("x", self.gap_left)
            .at("y", top)
            .at("width", left - self.gap_left)
            .at("height", bottom - top);
        let shade = if before.is_empty() { shade } else { shade.tooltip(before.join("; ")) };
        let has_room = left - self.gap_left >= gap_width(self.phase);
        let captions = has_room.then(|| self.captions(f64::midpoint(self.gap_left, left)));
        Element::new("g").child(shade).children(captions.into_iter().flatten())
    }

    #[expect(clippy::cast_precision_loss, reason = "a handful of captions")]
    fn captions(&self, middle: f64) -> impl Iterator<Item = Element> {
        let before = &self.phase.before;
        let first = middle + 5.0 - CAPTION_HEIGHT * (before.len().max(1) - 1) as f64 / 2.0;
        let centre = f64::midpoint(PLOT.top, PLOT.bottom);
        before.iter().enumerate().map(move |(index, text)| {
            let x = first + CAPTION_HEIGHT * index as f64;
            let short = fit(text, Size::Body.units(), PLOT.height() - 10.0);
            let label = Label::new(short, place(x, centre)).anchor(Anchor::Middle);
            label.upright().element().tooltip(text)
        })
    }

    /// What the data are read against.
    pub(crate) fn back(&self) -> Element {
        let is_first = self.gap_left >= self.frame.area.left;
        let gap = (!is_first).then(|| self.gap());
        let group = Element::new("g").children(gap).child(self.frame.grid(&rate_ticks()));
        let level = |value: Option<f64>, dashes| {
            value.map(|value| self.frame.level(value, Ink::Muted, Some(dashes)))
        };
        let levels = [level(self.phase.ceiling(), "7 4"), level(self.phase.chance(), "2 4")];
        group.children(levels.into_iter().flatten()).child(self.frame.bottom_axis(&self.ticks()))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ticks of a phase are whole and not negative, and a panel is no wider than the picture"
    )]
    fn ticks(&self) -> Vec<Tick> {
        let longest = width(&group_digits(self.phase.iterations), Size::Body.units());
        let most = (self.frame.area.width() / (longest + 24.0)) as usize;
        let tick = |value: f64| Tick { value, label: group_digits(value as u64) };
        self.frame.x.whole_ticks(most.clamp(2, 7)).into_iter().map(tick).collect()
    }

    /// The data.
    pub(crate) fn data(&self) -> Element {
        let point = |batch: &SuccessBatch| {
            Some(self.frame.point(middle(batch), share(batch.successes, batch.events)?))
        };
        let raw = coarsen(&self.phase.batches, self.smoothing.batches_per_dot);
        let raw = dots(raw.iter().filter_map(point), self.ink, 1.5).at("stroke-opacity", 0.3);
        Element::new("g")
            .child(raw)
            .child(band(&self.edges, self.ink, BAND_OPACITY))
            .children(self.exports())
            .children(self.drift())
            .child(line(&self.curve, self.ink, 3.0).tooltip(format!(
                "{}: mean of {} iterations",
                self.phase.name,
                group_digits(self.smoothing.window)
            )))
    }

    /// A mark for each export; of those that would touch, one for all.
    #[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
    fn exports(&self) -> impl Iterator<Item = Element> {
        const APART: f64 = 4.0;
        let bottom = self.frame.area.bottom;
        let x = |after: &u64| self.frame.x.at(*after as f64);
        let touch = move |left: &u64, right: &u64| x(right) - x(left) < APART;
        self.phase.model_exports.chunk_by(touch).map(move |exports| {
            let first = exports[0];
            let after = group_digits(first);
            let text = match exports.len() {
                1 => format!("new model after {after} iterations"),
                models => format!(
                    "{models} new models after {after} to {} iterations",
                    group_digits(exports[models - 1])
                ),
            };
            export_mark(x(&first), bottom).tooltip(text)
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
    fn drift(&self) -> Option<Element> {
        let at = self.phase.drift?;
        let Rect { top, bottom, .. } = self.frame.area;
        let mark = drift_mark(self.frame.x.at(at as f64), top, bottom);
        Some(mark.tooltip(format!("the population drifts at iteration {}", group_digits(at))))
    }

    /// The name and the number to remember.
    pub(crate) fn front(&self) -> Element {
        let Rect { left, right, top, .. } = self.frame.area;
        let name = fit(&self.phase.name, Size::Heading.units() * 1.06, right - left);
        let name = Label::new(name, place(left, top - 14.0)).size(Size::Heading).bold();
        Element::new("g")
            .child(name.ink(self.ink).element().tooltip(&self.phase.name))
            .children(self.phase.last_tenth.map(|rate| self.value(rate)))
    }

    fn value(&self, rate: f64) -> Element {
        let right = self.frame.area.right - 4.0;
        let (top, bottom) = self.end_of_band();
        let (value_y, note_y) = if self.is_above(top, bottom) {
            let top = top.max(PLOT.top + VALUE_HEIGHT);
            (top - 26.0, top - 8.0)
        } else {
            (bottom + 26.0, bottom + 44.0)
        };
        let value = Label::new(percent(rate), place(right, value_y)).ink(self.ink).bold();
        let group = |labels: Vec<Label>| {
            let end = |label: Label| label.anchor(Anchor::End).halo().element();
            Element::new("g").children(labels.into_iter().map(end))
        };
        if self.frame.area.width() < LEAST_WIDTH {
            return group(vec![value]);
        }
        let tenth = group_digits(self.phase.iterations.div_ceil(10));
        let note = Label::new(format!("last {tenth}"), place(right, note_y)).ink(Ink::Muted);
        group(vec![value.size(Size::Value), note])
    }

    /// How high and how low the band goes where the value is written.
    fn end_of_band(&self) -> (f64, f64) {
        let from = self.frame.area.right - 90.0;
        let end = self.edges.iter().flatten().filter(|(high, _)| high.x >= from);
        end.fold((PLOT.bottom, PLOT.top), |(top, bottom), (high, low)| {
            (top.min(high.y), bottom.max(low.y))
        })
    }

    /// Whether the value stands above the band: where there is room, and if there is room
    /// on both sides, where it does not cross the ceiling.
    fn is_above(&self, top: f64, bottom: f64) -> bool {
        let ceiling = self.phase.ceiling().map_or(PLOT.top, |value| self.frame.y.at(value));
        let is_crossed = (top - VALUE_HEIGHT..=top).contains(&ceiling);
        let has_room_above = top - VALUE_HEIGHT > PLOT.top;
        let has_room_below = bottom + VALUE_HEIGHT < PLOT.bottom;
        if has_room_below { has_room_above && !is_crossed } else { true }
    }

    /// What the lines across the picture mean, at its right edge.
    pub(crate) fn references(&self) -> Element {
        let ceiling = self.phase.ceiling().zip(self.phase.exploration).map(|(value, share)| {
            (value, format!("ceiling {}", percent(value)), format!("exploring {}", percent(share)))
        });
        let chance = self.phase.chance().map(|value| {
            (
                value,
                format!("chance {}", percent(value)),
                format!("1 of {} actions", self.phase.actions),
            )
        });
        let notes: Vec<_> = [ceiling, chance].into_iter().flatten().collect();
        let wanted: Vec<_> = notes.iter().map(|note| self.frame.y.at(note.0)).collect();
        let placed = spread(&wanted, &vec![40.0; notes.len()], PLOT.top - 20.0, PLOT.bottom + 6.0);
        let left = PLOT.right + 10.0;
        let pair = |((_, what, why), y): ((f64, String, String), f64)| {
            let what = Label::new(what, place(left, y - 2.0)).bold().element();
            [
                what,
                Label::new(fit(&why, Size::Body.units(), WIDTH - left), place(left, y + 16.0))
                    .ink(Ink::Muted)
                    .element(),
            ]
        };
        Element::new("g").children(notes.into_iter().zip(placed).flat_map(pair))
    }
}

/// The batches before and after a drift, which are not averaged together.
fn stationary(phase: &SuccessPhase) -> impl Iterator<Item = &[SuccessBatch]> {
    let drift = phase.drift.unwrap_or(0);
    let before = phase.batches.partition_point(|batch| batch.last_iteration < drift);
    let (before, after) = phase.batches.split_at(before);
    [before, after].into_iter().filter(|part| !part.is_empty())
}

/// The middle of a batch, counted from the start of its phase.
#[expect(clippy::cast_precision_loss, reason = "2^53 iterations are out of reach")]
fn middle(batch: &SuccessBatch) -> f64 {
    f64::midpoint(batch.first_iteration as f64, batch.last_iteration as f64) + 0.5
}

fn rate_ticks() -> Vec<Tick> {
    let tick = |value: f64| Tick { value, label: percent(value) };
    [0.0, 0.25, 0.5, 0.75, 1.0].map(tick).to_vec()
}
