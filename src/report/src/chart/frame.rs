use super::element::Element;
use super::label::{Anchor, Label};
use super::layout::Rect;
use super::mark::{Point, rule};
use super::scale::Scale;
use super::theme::Ink;

/// A marked value of an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// The value.
    pub value: f64,
    /// What is written beside it.
    pub label: String,
}

/// An area with two scales.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// Where.
    pub area: Rect,
    /// From left to right.
    pub x: Scale,
    /// From bottom to top.
    pub y: Scale,
}

/// How far tick labels are from the area.
const DISTANCE: f64 = 9.0;

/// How far a baseline is below the middle of digits of the body size.
const HALF_DIGIT: f64 = 5.0;

impl Frame {
    /// Where a pair of values stands; never outside the area.
    #[must_use]
    pub fn point(&self, x: f64, y: f64) -> Point {
        Point { x: self.x.at(x), y: self.y.at(y) }
    }

    /// Lines across the area at values of y.
    #[must_use]
    pub fn grid(&self, ticks: &[Tick]) -> Element {
        Element::new("g").children(ticks.iter().map(|tick| self.level(tick.value, Ink::Grid, None)))
    }

    /// A line across the area at a value of y.
    #[must_use]
    pub fn level(&self, value: f64, ink: Ink, dashes: Option<&str>) -> Element {
        let y = self.y.at(value);
        rule(Point { x: self.area.left, y }, Point { x: self.area.right, y }, ink, dashes)
    }

    /// The labels of values of y, to the left of the area.
    #[must_use]
    pub fn left_axis(&self, ticks: &[Tick]) -> Element {
        let label = |tick: &Tick| {
            let at = Point { x: self.area.left - DISTANCE, y: self.y.at(tick.value) + HALF_DIGIT };
            Label::new(&tick.label, at).anchor(Anchor::End).ink(Ink::Muted).element()
        };
        Element::new("g").children(ticks.iter().map(label))
    }

    /// The lower edge of the area, marks at values of x, and their labels.
    #[must_use]
    pub fn bottom_axis(&self, ticks: &[Tick]) -> Element {
        let Rect { left, right, bottom, .. } = self.area;
        let edge =
            rule(Point { x: left, y: bottom }, Point { x: right, y: bottom }, Ink::Muted, None);
        let marks = ticks.iter().flat_map(|tick| {
            let x = self.x.at(tick.value);
            let mark = rule(Point { x, y: bottom }, Point { x, y: bottom + 5.0 }, Ink::Muted, None);
            let at = Point { x, y: bottom + DISTANCE + 2.0 * HALF_DIGIT };
            [mark, Label::new(&tick.label, at).anchor(Anchor::Middle).ink(Ink::Muted).element()]
        });
        Element::new("g").child(edge).children(marks)
    }
}
