use super::element::{Element, push_number};
use super::theme::Ink;

/// A place in the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Downwards.
    pub y: f64,
}

/// A line through the points; where there is none, the line is broken. A point alone is
/// a dot.
#[must_use]
pub fn line(points: &[Option<Point>], ink: Ink, width: f64) -> Element {
    let pieces = points.split(Option::is_none).filter(|piece| !piece.is_empty());
    let path = pieces.fold(String::new(), |path, piece| path + &run(piece));
    stroke(ink, width)
        .with("d", path)
        .with("stroke-linejoin", "round")
        .with("stroke-linecap", "round")
}

/// A dot at each point, as one path.
#[must_use]
pub fn dots(points: impl IntoIterator<Item = Point>, ink: Ink, radius: f64) -> Element {
    let path = points.into_iter().fold(String::new(), |mut path, point| {
        path.push('M');
        push_number(&mut path, point.x);
        path.push(' ');
        push_number(&mut path, point.y);
        path.push_str("h0");
        path
    });
    stroke(ink, 2.0 * radius).with("d", path).with("stroke-linecap", "round")
}

/// The area between two lines that have the same x; broken where either is.
#[must_use]
pub fn band(edges: &[Option<(Point, Point)>], ink: Ink, opacity: f64) -> Element {
    let mut path = String::new();
    for piece in edges.split(Option::is_none) {
        let piece: Vec<_> = piece.iter().flatten().copied().collect();
        let there = piece.iter().map(|edge| edge.0);
        let back = piece.iter().rev().map(|edge| edge.1);
        let around: Vec<_> = there.chain(back).map(Some).collect();
        if !around.is_empty() {
            path.push_str(&run(&around));
            path.push('Z');
        }
    }
    Element::new("path").with("class", fill_class(ink)).with("d", path).at("fill-opacity", opacity)
}

/// A straight line; dashes, if any, are lengths of strokes and gaps.
#[must_use]
pub fn rule(from: Point, to: Point, ink: Ink, dashes: Option<&str>) -> Element {
    let rule = segment(from, to, ink, 1.0);
    match dashes {
        Some(dashes) => rule.with("stroke-dasharray", dashes),
        None => rule,
    }
}

/// A straight line of some width.
#[must_use]
pub fn segment(from: Point, to: Point, ink: Ink, width: f64) -> Element {
    Element::new("line")
        .with("class", stroke_class(ink))
        .at("x1", from.x)
        .at("y1", from.y)
        .at("x2", to.x)
        .at("y2", to.y)
        .at("stroke-width", width)
}

/// From point to point.
fn run(points: &[Option<Point>]) -> String {
    let mut path = String::new();
    for (index, Point { x, y }) in points.iter().flatten().enumerate() {
        path.push(if index == 0 { 'M' } else { 'L' });
        push_number(&mut path, *x);
        path.push(' ');
        push_number(&mut path, *y);
    }
    if points.len() == 1 {
        path.push_str("h0");
    }
    path
}

fn stroke(ink: Ink, width: f64) -> Element {
    Element::new("path").with("class", stroke_class(ink)).at("stroke-width", width)
}

pub(super) fn stroke_class(ink: Ink) -> String {
    format!("s-{}", ink.name())
}

pub(super) fn fill_class(ink: Ink) -> String {
    format!("f-{}", ink.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(element: &Element) -> String {
        let mut xml = String::new();
        element.write(&mut xml);
        xml
    }

    #[test]
    fn a_line_is_broken_where_a_point_is_missing() {
        let point = |(x, y)| Point { x, y };
        let places =
            [Some((0.0, 1.0)), Some((1.0, 2.0)), None, Some((3.0, 4.0)), None, Some((4.0, 5.5))];
        let points = places.map(|place| place.map(point));
        let xml = written(&line(&points, Ink::Series(0), 2.0));
        assert!(xml.contains("d=\"M0 1L1 2M3 4h0M4 5.5h0\""), "{xml}");
    }

    #[test]
    fn a_band_goes_there_and_back() {
        let edge = |x| Some((Point { x, y: 1.0 }, Point { x, y: 3.0 }));
        let xml = written(&band(&[edge(0.0), edge(1.0), None, edge(5.0)], Ink::Series(0), 0.2));
        assert!(xml.contains("d=\"M0 1L1 1L1 3L0 3ZM5 1L5 3Z\""), "{xml}");
    }
}
