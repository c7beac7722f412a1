use super::smooth::{Smoothing, coarsen};
use super::{PLOT, SuccessBatch, SuccessChart, place};
use crate::chart::{
    Anchor, Element, Ink, Label, Size, band, dots, group_digits, rule, segment, width,
};

pub(super) const BAND_OPACITY: f64 = 0.2;

/// What the marks mean, below the picture.
pub(super) fn legend(chart: &SuccessChart, smoothing: Smoothing) -> Element {
    const Y: f64 = 462.0;
    let dots = |batches| coarsen(batches, smoothing.batches_per_dot).into_iter().next();
    let dot = chart.phases.iter().find_map(|phase| dots(&phase.batches));
    let mut x = PLOT.left;
    let mut group = Element::new("g");
    let mut entry = |mark: fn(f64) -> Element, text: String| {
        let label = Label::new(&text, place(x + 30.0, Y)).ink(Ink::Muted).element();
        group = group.clone().child(mark(x)).child(label);
        x += 30.0 + width(&text, Size::Body.units()) + 24.0;
    };
    entry(
        line_key,
        format!("mean of {} iterations, 95\u{a0}% band", group_digits(smoothing.window)),
    );
    entry(
        dots_key,
        format!("batch of {}", group_digits(dot.map_or(0, |dot: SuccessBatch| dot.len()))),
    );
    if chart.phases.iter().any(|phase| !phase.model_exports.is_empty()) {
        entry(export_key, "new model".to_owned());
    }
    if chart.phases.iter().any(|phase| phase.drift.is_some()) {
        entry(drift_key, "drift".to_owned());
    }
    let axis = Label::new("iteration", place(PLOT.right, Y)).anchor(Anchor::End).ink(Ink::Muted);
    group.child(axis.element())
}

fn line_key(x: f64) -> Element {
    let edges = [x, x + 22.0].map(|x| Some((place(x, 450.0), place(x, 464.0))));
    let middle = segment(place(x, 457.0), place(x + 22.0, 457.0), Ink::Series(0), 3.0);
    Element::new("g").child(band(&edges, Ink::Series(0), BAND_OPACITY)).child(middle)
}

fn dots_key(x: f64) -> Element {
    let points = [(4.0, 461.0), (11.0, 453.0), (18.0, 457.0)].map(|(dx, y)| place(x + dx, y));
    dots(points, Ink::Series(0), 1.5).at("stroke-opacity", 0.6)
}

fn export_key(x: f64) -> Element {
    export_mark(x + 16.0, 463.0)
}

fn drift_key(x: f64) -> Element {
    drift_mark(x + 16.0, 448.0, 464.0)
}

/// Stands in a panel where the population drifts.
pub(super) fn drift_mark(x: f64, top: f64, bottom: f64) -> Element {
    rule(place(x, top), place(x, bottom), Ink::Strong, Some("5 3"))
}

/// Stands at the foot of a panel where a new model was served.
pub(super) fn export_mark(x: f64, bottom: f64) -> Element {
    segment(place(x, bottom - 12.0), place(x, bottom), Ink::Strong, 2.0)
}
