//! Charts of lines: where they are broken, and what stands beside them.

use report::html::Readout;
use report::{Layout, LineChart, LinePart, LinePoint, LineSeries, Unit, line_svg};

/// A chart of one series.
fn of_one(points: Vec<LinePoint>) -> LineChart {
    LineChart {
        title: "t".to_owned(),
        subtitle: "s".to_owned(),
        x_label: "iteration".to_owned(),
        unit: Unit::Share,
        series: vec![LineSeries { name: "one".to_owned(), colour: 0, points, runs: Vec::new() }],
        levels: Vec::new(),
        breaks: Vec::new(),
        parts: Vec::new(),
    }
}

/// Phases stand side by side, each with ticks of its own, and none is too narrow to be seen.
#[test]
fn parts_stand_side_by_side_and_their_lines_are_broken() {
    let point = |x: f64| LinePoint { x, y: 0.5, half: None };
    let part = |name: &str, from: f64, to: f64| LinePart {
        name: name.to_owned(),
        from,
        to,
        levels: vec![(0.25, "chance".to_owned())],
        marks: vec![from + 10.0],
    };
    let points = [5_000.0, 1e6, 1e6 + 50.0, 1e6 + 100.0].map(point);
    let parts = vec![part("long", 0.0, 1e6), part("short", 1e6, 1e6 + 100.0)];
    let chart = LineChart { parts, ..of_one(points.to_vec()) };
    let [end, begin] = [1e6, 1e6 + 1.0].map(|x| chart.share(x));
    assert!(end < begin && (1.0 - begin) > 0.2 && (chart.share(1e6 + 100.0) - 1.0).abs() < 1e-9);
    let readout = serde_json::to_value(Readout::of(&chart)).unwrap();
    assert_eq!(readout["texts"][1], "long, iteration 1,000,000: one 50\u{a0}%");
    assert_eq!(readout["texts"][2], "short, iteration 50: one 50\u{a0}%");
    for layout in [Layout::WIDE, Layout::NARROW] {
        let svg = line_svg(&chart, layout);
        let document = roxmltree::Document::parse(&svg).unwrap();
        let is_curve =
            |node: &roxmltree::Node<'_, '_>| node.attribute("stroke-width") == Some("2.5");
        let curve = document.descendants().find(is_curve).unwrap();
        assert_eq!(curve.attribute("d").unwrap().matches('M').count(), 2);
        assert!(svg.contains(">long<") && svg.contains(">short<") && svg.contains("a new model"));
    }
}

#[test]
fn a_line_is_broken_where_its_population_drifts() {
    let point = |index: u32| LinePoint { x: f64::from(index) * 100.0, y: 0.5, half: None };
    let (levels, breaks) = (vec![(0.25, "chance".to_owned())], vec![(500.0, "drift".to_owned())]);
    let chart = LineChart { levels, breaks, ..of_one((1..=10).map(point).collect()) };
    let svg = line_svg(&chart, Layout::WIDE);
    let document = roxmltree::Document::parse(&svg).unwrap();
    let curve = document.descendants().find(|node| node.attribute("stroke-width") == Some("2.5"));
    assert_eq!(curve.unwrap().attribute("d").unwrap().matches('M').count(), 2);
    assert!(svg.contains(">chance<") && svg.contains(">drift<"));
}
