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
        gaps: Vec::new(),
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
    let readout = serde_json::to_value(Readout::of(&chart)).unwrap();
    assert_eq!(readout["texts"][1], "long, iteration 1,000,000: one 50\u{a0}%");
    assert_eq!(readout["texts"][2], "short, iteration 50: one 50\u{a0}%");
    let [end, middle, last] = [1, 2, 3].map(|index| readout["places"][index].as_f64().unwrap());
    assert!(end < middle && (last - 1.0).abs() < 1e-9 && last - middle > 0.1, "{readout}");
    for layout in [Layout::WIDE, Layout::NARROW] {
        let svg = line_svg(&chart, layout).standalone();
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
    let svg = line_svg(&chart, Layout::WIDE).standalone();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let curve = document.descendants().find(|node| node.attribute("stroke-width") == Some("2.5"));
    assert_eq!(curve.unwrap().attribute("d").unwrap().matches('M').count(), 2);
    assert!(svg.contains(">chance<") && svg.contains(">drift<"));
}

/// The texts of a picture with their places, of one kind of anchor.
fn texts(svg: &str, anchor: Option<&str>) -> Vec<(f64, f64, String)> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let is_text = |node: &roxmltree::Node<'_, '_>| {
        node.has_tag_name("text") && node.attribute("text-anchor") == anchor
    };
    let at = |node: roxmltree::Node<'_, '_>| {
        let number = |name| node.attribute(name).unwrap().parse().unwrap();
        let children = node.children().filter(roxmltree::Node::is_text);
        let text = children.filter_map(|child| child.text()).collect();
        (number("x"), number("y"), text)
    };
    document.descendants().filter(is_text).map(at).collect()
}

proptest::proptest! {
    /// However small or large the values are, no two labels of the axis are the same.
    #[test]
    fn labels_of_an_axis_differ(
        exponent in -5_i32..5,
        digits in 1.0_f64..10.0,
        unit in proptest::sample::select(vec![Unit::Difference, Unit::PerSecond, Unit::Milliseconds]),
    ) {
        let highest = digits * 10.0_f64.powi(exponent);
        let highest = if unit == Unit::Difference { highest.min(1.0) } else { highest };
        let points = [(0.0, 0.0), (1.0, highest)].map(|(x, y)| LinePoint { x, y, half: None });
        let chart = LineChart { unit, ..of_one(points.to_vec()) };
        let labels = texts(&line_svg(&chart, Layout::WIDE).standalone(), Some("end"));
        let different: std::collections::BTreeSet<&String> =
            labels.iter().map(|(_, _, text)| text).collect();
        proptest::prop_assert!(labels.len() > 2 && different.len() == labels.len(), "{labels:?}");
    }
}

/// Names beside the plot are as many as there is room for; those of more lines stand below it, and
/// lines that share a colour differ.
#[test]
fn many_lines_are_told_apart() {
    let point = |x: f64, y: f64| LinePoint { x, y, half: None };
    let series = |number: u32| LineSeries {
        name: format!("policy {number}"),
        colour: number as usize,
        points: vec![point(0.0, 0.1), point(1.0, f64::from(number) / 40.0)],
        runs: Vec::new(),
    };
    let chart = LineChart { series: (0..40).map(series).collect(), ..of_one(Vec::new()) };
    let svg = line_svg(&chart, Layout::WIDE).standalone();
    let names: Vec<_> = texts(&svg, None).into_iter().filter(|text| text.0 > 790.0).collect();
    assert!(names.len() > 10, "{names:?}");
    for (index, (_, y, name)) in names.iter().enumerate() {
        let is_near = |other: &(f64, f64, String)| (other.1 - y).abs() < 18.0;
        assert!(!names[..index].iter().any(is_near) && *y < 400.0, "{name} at {y}");
    }
    let document = roxmltree::Document::parse(&svg).unwrap();
    let mut looks = std::collections::BTreeSet::new();
    for line in document.descendants().filter(|node| node.attribute("stroke-width") == Some("2.5"))
    {
        looks.insert((line.attribute("class"), line.attribute("stroke-dasharray")));
    }
    assert_eq!(looks.len(), 24, "six colours, each plain and in three kinds of dashes");
}

/// What is marked near the right edge is named on its left: the names of the lines are on its right.
#[test]
fn a_break_at_the_edge_is_named_within_the_plot() {
    let points = (0..=10_u32).map(|x| LinePoint { x: f64::from(x), y: 0.5, half: None });
    let breaks = [(2.0, "drift".to_owned()), (9.9, "limit 20/s".to_owned())];
    let chart = LineChart { breaks: breaks.to_vec(), ..of_one(points.collect()) };
    let svg = line_svg(&chart, Layout::WIDE).standalone();
    let named = |anchor, name: &str| texts(&svg, anchor).into_iter().any(|text| text.2 == name);
    assert!(named(None, "drift") && named(Some("end"), "limit 20/s"));
}

/// Where nothing happened between two points, no line says that something did.
#[test]
fn a_line_is_broken_at_a_gap() {
    let points = [0.0, 1.0, 30.0, 31.0].map(|x| LinePoint { x, y: 0.5, half: None });
    let chart = LineChart { gaps: vec![15.0], ..of_one(points.to_vec()) };
    let svg = line_svg(&chart, Layout::WIDE).standalone();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let curve = document.descendants().find(|node| node.attribute("stroke-width") == Some("2.5"));
    assert_eq!(curve.unwrap().attribute("d").unwrap().matches('M').count(), 2);
}
